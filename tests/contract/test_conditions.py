"""Conditions (RFC 9110 section 13.1): a write whose condition does not hold is refused, and nothing changes."""

import pytest

from tests.contract.rule import can, need, rule
from tests.factories import fresh

WRITES = {
    "create": {"first_name": "Ada"}, "update": {"first_name": "Ada"}, "patch": {"first_name": "Ada"}, "record": {"event": "Paid"},
}  # fmt: skip
for name in WRITES:
    need(f"conditions on {name}")


@pytest.fixture
def writes(lane):
    """The writes of the lane that obey conditions, with the fields that they send."""
    found = {name: fields for name, fields in WRITES.items() if can(lane, f"conditions on {name}")}
    return [(name, getattr(lane, name), fields) for name, fields in found.items()]


@rule("conditions on patch", "patch")
def test_a_stale_etag_changes_nothing(lane, writes, reference, stored):
    for name, write, fields in writes:
        uid = reference.api.user(meta={"n": 1})["uid"]
        tag = reference.tag(uid)
        reference.update(uid, {"meta": {"n": 2}})
        before = stored()
        with lane.conditions(If_Match=tag):
            refused = [write(uid, fields), write(fresh(), fields)]
        told = [(one.taken, one.status, one.code) for one in refused]
        assert told == [(False, 412, "precondition_failed")] * 2, name
        assert stored() == before, name


@rule("conditions on patch", "patch")
def test_the_etag_of_a_read_lets_a_write_through(lane, writes, reference, stored):
    for name, write, fields in writes:
        uid = reference.api.user(meta={"n": 1})["uid"]
        before = stored()
        with lane.conditions(If_Match=reference.tag(uid)):
            assert write(uid, fields).taken, name
        assert stored() != before, name


@rule("conditions on patch", "patch")
def test_if_none_match_writes_new_users_only(lane, writes, reference, stored):
    for name, write, fields in writes:
        with lane.conditions(If_None_Match="*"):
            assert write(uid := fresh(), fields).taken, name
            before = stored()
            outcome = write(uid, {**fields, "last_name": "King"})
            assert (outcome.taken, outcome.status, outcome.code) == (False, 412, "precondition_failed"), name
        assert stored() == before, name
