"""POST /v1/users/{uid}/events (engage.md section 4.3)."""

import pytest

from app import clock
from tests.factories import fresh

NOW = 1_790_000_000_000  # 2026-09-21T14:13:20Z


@pytest.fixture
def at_now(monkeypatch):
    """Stop the clock at NOW."""
    monkeypatch.setattr(clock, "now", lambda: NOW)


def test_an_event_is_stored_and_answered_exactly_ok(api, at_now):
    uid = api.user()["uid"]
    recorded = api.post(
        f"users/{uid}/events", {"event": "Paid", "value": 49.5, "properties": {"currency": "USD"}}, by="public"
    )
    assert (recorded.status_code, recorded.data) == (200, b'{"status":"ok"}')
    [event] = api.get(f"users/{uid}/events").json["data"]
    assert event == {
        "id": event["id"], "event": "Paid", "value": 49.5, "properties": {"currency": "USD"},
        "timestamp": "2026-09-21T14:13:20.000+00:00",
    }  # fmt: skip


@pytest.mark.parametrize("value", [True, False, 0, -1.5, 1e300, "nan", "", "loggedin", None])
def test_a_value_reads_back_unchanged(api, value):
    uid = fresh()
    api.post(f"users/{uid}/events", {"event": "e", "value": value})
    [event] = api.get(f"users/{uid}/events").json["data"]
    assert event["value"] == value and type(event["value"]) is type(value)


def test_an_unknown_uid_makes_a_bare_user(api):
    uid = f"{fresh()}-anonymous"
    assert api.post(f"users/{uid}/events", {"event": "e"}, by="public").status_code == 200
    user = api.get(f"users/{uid}").json
    assert (user["uid"], user["email"], user["meta"]) == (uid, None, {})


def test_last_interaction_is_the_time_of_the_newest_event(api):
    uid = fresh()
    for timestamp in ("2026-01-02T00:00:00.5Z", "2026-01-01", 0):
        api.post(f"users/{uid}/events", {"event": "e", "timestamp": timestamp})
    assert api.get(f"users/{uid}").json["last_interaction"] == "2026-01-02T00:00:00.500+00:00"


def test_an_archived_users_event_is_answered_ok_and_dropped(api, archive_user, tables):
    uid = api.user()["uid"]
    archive_user(uid)
    before = tables()
    assert api.post(f"users/{uid}/events", {"event": "e"}).json == {"status": "ok"}
    assert tables() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event", ""), ("event", "e" * 256), ("event", 1), ("event", None), ("event", "a\x00"), ("value", {"a": 1}),
        ("value", [1]), ("properties", [1]), ("properties", "x"), ("properties", {"a": {}}), ("properties", {"a": None}),
        ("properties", {f"k{i}": i for i in range(101)}), ("timestamp", "x"), ("timestamp", True),
        ("timestamp", NOW + 24 * 3_600_000 + 1), ("timestamp", "1899-12-31T23:59:59Z"),
    ],
)  # fmt: skip
def test_a_field_that_breaks_its_rule_is_named_and_makes_nobody(api, tables, at_now, field, value):
    before = tables()
    refused = api.post(f"users/{fresh()}/events", {"event": "e", field: value}, by="public")
    assert refused.status_code == 400
    assert all(name.split(".")[0] == field for name in refused.json["details"])
    assert tables() == before


def test_24_hours_ahead_is_taken(api, at_now):
    assert api.post(f"users/{fresh()}/events", {"event": "e", "timestamp": NOW + 24 * 3_600_000}).status_code == 200


def test_an_empty_php_array_is_no_properties(api):
    uid = fresh()
    assert (
        api.post(f"users/{uid}/events", {"event": "e", "properties": [], "source": "x", "date": "y"}).status_code == 200
    )
    assert api.get(f"users/{uid}/events").json["data"][0]["properties"] == {}


def test_a_stranger_cannot_add_events(api, tables):
    uid = api.user()["uid"]
    before = tables()
    assert api.post(f"users/{uid}/events", {"event": "e"}, by=None).status_code == 401
    assert tables() == before


def test_the_same_uid_of_another_workspace_is_not_touched(api, other_api):
    theirs = other_api.user()
    api.post(f"users/{theirs['uid']}/events", {"event": "e"})
    assert other_api.get(f"users/{theirs['uid']}").json == theirs


def test_two_events_are_two(api):
    uid = fresh()
    for _ in range(2):
        api.post(f"users/{uid}/events", {"event": "e", "timestamp": 0})
    assert len(api.get(f"users/{uid}/events").json["data"]) == 2
