"""Retries: a write that is sent again as its lane says is done once."""

from tests.contract.rule import rule
from tests.factories import fresh


@rule("create", "update")
def test_a_retry_does_not_undo_what_happened_since(lane, reference, stored):
    for write in (lane.create, lane.update):
        uid = fresh()
        with lane.retries():
            assert write(uid, {"email": "old@example.com"}).taken
            reference.update(uid, {"email": "new@example.com"})
            before = stored()
            assert write(uid, {"email": "old@example.com"}).taken
        assert stored() == before and reference.read(uid)["email"] == "new@example.com"


@rule("record")
def test_a_retried_event_is_stored_once(lane, reference):
    uid = fresh()
    with lane.retries():
        assert [lane.record(uid, {"event": "Paid"}).taken for _ in range(2)] == [True, True]
    assert len(reference.events(uid)) == 1


@rule("record")
def test_the_same_event_that_is_no_retry_happened_twice(lane, reference):
    uid = fresh()
    for _ in range(2):
        assert lane.record(uid, {"event": "Paid", "timestamp": "2026-01-12"}).taken
    assert len(reference.events(uid)) == 2
