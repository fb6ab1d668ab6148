"""Refusals: what breaks a rule is refused by every lane that can say it, with the field named, and nothing is stored."""

import json

from app import clock
from tests.contract.rule import can, need, refused, rows_for, rule
from tests.factories import fresh

need("code", "status", "json", "padded uid")
BAD_DATES = (
    "", "soon", "2020-13-01", "2026-02-30", "2020-01-01T24:00:00Z", "2016-12-31T23:59:60Z", "2020-W05-1", "1899-12-31", "2200-01-01",
    "2020-01-01T00:00:00+25:00", "20200101", True, [], {}, 1e300,
)  # fmt: skip
USERS = (
    *(refused(name, {name: bad}) for name in ("first_name", "last_name") for bad in ("é" * 256, 5, True, [], {})),
    *(refused(name, {name: "a\0"}) for name in ("first_name", "tz", "app_version")),
    *(
        refused("email", {"email": bad})
        for bad in ("", "nope", "a@", "@b.co", "a b@c.co", "a@b", "é@b.co", "x" * 65 + "@b.co", "a@" + "b" * 250 + ".co", '"a"@b.co', "a@b..co", 5, True, {})
    ),
    *(refused("number", {"number": bad}) for bad in ("", "1234", "call me", "1" * 21, "+" + " " * 60 + "12345", "12+345", "١٢٣٤٥", True, 1.5, [])),
    *(refused("is_account", {"is_account": bad}) for bad in (None, 0, 1, "true", "", [])),
    *(refused("created_at", {"created_at": bad}) for bad in (*BAD_DATES, None)),
    *(refused("app_last_active", {"app_last_active": bad}) for bad in ("soon", "2020-13-01", False)),
    refused("meta", {"meta": {f"k{number}": "x" for number in range(301)}}, "301 keys"),
    *(refused("meta", {"meta": {key: "x"}}) for key in ("k" * 129, "é" * 129)),
    refused("meta", {"meta": {"": "x"}}, "empty key"),
    *(refused("meta.plan", {"meta": {"plan": bad}}) for bad in ("é" * 2049, "x" * 4097, {}, {"a": 1}, [], ["a"])),
    *(refused("meta.plan", {"first_name": "Ada", "meta": {"age": 1, "plan": bad}}) for bad in ({}, [])),
    refused("meta.plan", {"meta": {"plan": "a\0"}}),
    *(refused("meta", {"meta": bad}) for bad in ("x", 5, True, ["a"])),
    *(refused("device_token", {"device_token": bad}) for bad in ("", "x" * 4097, 5)),
    *(refused("device_platform", {"device_token": "t", "device_platform": bad}) for bad in ("windows", "", 5)),
    refused("device_platform", {"device_platform": "ios"}),
    *(refused("lists", {"lists": bad}) for bad in ("x", {}, None, [5], [None])),
    *(refused("accounts", {"accounts": bad}) for bad in ("x", {}, None, [{}], [{"id": "a/b"}], [{"id": "nobody"}], [{"id": "a", "role": 5}])),
    *(refused("tz", {"tz": bad}) for bad in ("", "/etc/passwd", "a b", "x" * 65, 5)),
    *(refused(name, {name: bad}) for name in ("app_version", "app_build") for bad in ("x" * 65, 5)),
)  # fmt: skip
# What a patch takes and other writes refuse: null removes a key of meta, or all of them.
NULLS = (refused("meta.plan", {"meta": {"plan": None}}), refused("meta", {"meta": None}))
EVENTS = (
    refused("event", {}),
    refused("event", {"value": 1, "properties": {"a": 1}}),
    *(refused("event", {"event": bad}) for bad in ("", "é" * 256, "a\0", None, 5, True, [], {})),
    *(refused("value", {"event": "Paid", "value": bad}) for bad in ({}, [], ["a"])),
    *(refused("properties", {"event": "Paid", "properties": bad}) for bad in ("x", 5, ["a"])),
    *(refused("properties.a", {"event": "Paid", "properties": {"a": bad}}) for bad in (None, {}, [], {"b": 1})),
    refused("properties", {"event": "Paid", "properties": {f"k{number}": 1 for number in range(101)}}),
    *(refused("properties", {"event": "Paid", "properties": {key: 1, "n": 1}}) for key in ("", "k" * 129, "é" * 129)),
    *(refused("timestamp", {"event": "Paid", "timestamp": bad}) for bad in BAD_DATES),
)  # fmt: skip
# No JSON that Rollcall reads: no field is named. One such item refuses the whole body of a batch.
UNREADABLE = (2**53, -(2**53), float("nan"), float("inf"), json.loads("[" * 10 + "]" * 10))
PADDED_UIDS = (" a", "a ")
UIDS = ("", "a/b", ".", "..", "a\tb", "a\x7f", "a\x85b", "x" * 256, "a\u200b", "\ufeffa", "\u3164")
JSON_UIDS = (None, True, 1.5, [], {})


@rule("create")
def test_a_create_with_a_bad_field_is_refused_and_nothing_is_stored(lane, stored, reference):
    _are_refused(lane, lane.create, (*USERS, *NULLS), stored, reference)


@rule("update")
def test_an_update_with_a_bad_field_is_refused_and_nothing_is_stored(lane, stored, reference):
    _are_refused(lane, lane.update, (*USERS, *NULLS), stored, reference)


@rule("patch")
def test_a_patch_with_a_bad_field_is_refused_and_nothing_is_stored(lane, stored, reference):
    _are_refused(lane, lane.patch, USERS, stored, reference)


@rule("record")
def test_a_bad_event_is_refused_and_nothing_is_stored(lane, stored, reference):
    ahead = refused("timestamp", {"event": "Paid", "timestamp": clock.now() + 24 * 3_600_000 + 60_000})
    _are_refused(lane, lane.record, (*EVENTS, ahead), stored, reference)


@rule("create", "update", "json")
def test_a_body_that_is_no_json_of_ours_is_refused_and_nothing_is_stored(lane, stored):
    before = stored()
    for bad in UNREADABLE:
        for write in (lane.create, lane.update):
            outcome = write(fresh(), {"email": "a@example.com", "meta": {"plan": bad}})
            assert not outcome.taken, f"{lane.name} took {bad}"
            assert outcome.code == ("invalid_body" if can(lane, "code") else None), bad
            assert stored() == before, f"{lane.name} refused {bad} and stored something"


@rule("create")
def test_a_bad_uid_is_refused_and_nothing_is_stored(lane, stored):
    before = stored()
    padded = PADDED_UIDS if can(lane, "padded uid") else ()
    for uid in (*UIDS, *padded, *(JSON_UIDS if can(lane, "json") else ())):
        outcome = lane.create(uid, {"email": "a@example.com"})
        assert not outcome.taken, f"{lane.name} took the uid {uid!r}"
        assert outcome.names("uid"), f"{uid!r}: {outcome}"
        _tells_bad_input(lane, outcome, uid)
        assert stored() == before, f"{lane.name} refused the uid {uid!r} and stored something"


@rule("update")
def test_meta_has_at_most_300_keys_after_the_merge(lane, reference, stored):
    uid = reference.api.user(meta={"city": "Lagos", **{f"k{number}": number for number in range(298)}})["uid"]
    assert lane.update(uid, {"meta": {"city": "Kano", "region": "North"}}).taken
    before = stored()
    outcome = lane.update(uid, {"email": "a@example.com", "meta": {"country": "NG"}})
    assert not outcome.taken and outcome.names("meta") and stored() == before


def _are_refused(lane, write, rows, stored, reference):
    """Check that a write of each row is refused, of an unknown user and of a known one, and stores nothing."""
    known = reference.api.user(first_name="Before", email="before@example.com", meta={"plan": "before"})["uid"]
    before = stored()
    for row in rows_for(lane, rows):
        for uid in (fresh(), known):
            outcome = write(uid, row.sent)
            assert not outcome.taken, f"{lane.name} took {row.sent}"
            assert outcome.names(row.expected), f"{lane.name} refused {row.sent} and named {set(outcome.fields)}"
            _tells_bad_input(lane, outcome, row.sent)
        assert stored() == before, f"{lane.name} refused {row.sent} and stored something"


def _tells_bad_input(lane, outcome, sent):
    assert outcome.code == ("invalid_input" if can(lane, "code") else None), sent
    assert outcome.status == (400 if can(lane, "status") else None), sent
