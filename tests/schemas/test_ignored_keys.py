"""Keys that are ignored are named, but for those that SDKs send and that people send back."""

import pytest

from app.schemas.ignored_keys import EVENT, USER, warnings


def told(kind, body):
    """{key: what is said of it}"""
    return {key: kind.advice(key) for key in kind.ignored(body)}


@pytest.mark.parametrize(("key", "meant"), [
    ("firstName", "first_name"), ("FirstName", "first_name"), ("first name", "first_name"), ("fist_name", "first_name"), ("e-mail", "email"),
    ("emial", "email"), ("phone", "number"), ("isAccount", "is_account"), ("traits", "meta"), ("properties", "meta"), ("deviceToken", "device_token"),
    ("createdAt", "created_at"), ("name", "first_name"), ("Meta", "meta"), ("list", "lists"),
])  # fmt: skip
def test_a_key_of_a_user_that_is_nearly_ours_is_told_with_ours(key, meant):
    assert told(USER, {"uid": "a", key: 1}) == {key: f"is ignored; did you mean {meant}?"}


@pytest.mark.parametrize(("key", "meant"), [
    ("name", "event"), ("Event", "event"), ("eventName", "event"), ("meta", "properties"), ("Properties", "properties"), ("time", "timestamp"),
    ("created_at", "timestamp"), ("val", None), ("amount", None), ("first_name", None),
])  # fmt: skip
def test_a_key_of_an_event_that_is_nearly_ours_is_told_with_ours(key, meant):
    otherwise = "is ignored; attributes of an event go into properties."
    found = told(EVENT, {"type": "event", "uid": "a", key: 1})
    assert found == {key: f"is ignored; did you mean {meant}?" if meant else otherwise}


@pytest.mark.parametrize("key", ["plan", "age", "", "é", "x" * 10_000])
def test_an_attribute_beside_meta_is_told(key):
    assert told(USER, {key: 1, "meta": {}}) == {key: "is ignored; attributes of your own go into meta."}


def test_what_is_ours_or_shown_or_sent_by_sdks_is_never_told(api):
    user = api.user(meta={"plan": "pro"}, lists=[])
    api.post(f"users/{user['uid']}/events", {"event": "Paid"})
    [event] = api.get(f"users/{user['uid']}/events").json["data"]
    sent = dict.fromkeys(("id", "uid", "source", "date", "subscribed", "type"), 1)
    ours = dict.fromkeys(("device_token", "device_platform", "tz", "app_version", "app_build", "app_last_active"), "x")
    assert told(USER, {**user, **sent, **ours}) == {} == told(EVENT, {**event, **sent, "timestamp": 1})


def test_each_key_is_told_once_and_not_more_than_twenty():
    bodies = [
        ("line 1", {"plan": 1}),
        ("line 3", {"plan": 1, "age\n\x1b[31m": 1}),
        ("line 4", {"type": "event", "plan": 1}),
    ]
    assert warnings(bodies) == [
        "line 1: plan: is ignored; attributes of your own go into meta.",
        "line 3: age\\n\\x1b[31m: is ignored; attributes of your own go into meta.",
        "line 4: plan: is ignored; attributes of an event go into properties.",
    ]
    assert len(warnings([("line 1", {f"key{n}": 1 for n in range(30)})])) == 20
    assert len(warnings([("line 1", {"x" * 10_000: 1})])[0]) < 300
