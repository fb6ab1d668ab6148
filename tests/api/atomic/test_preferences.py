"""`PUT userPreferences`, and preferences in `POST users`."""

import pytest

from app import clock
from tests.factories import fresh

HOURS = [{"from": "09:00", "to": "17:00"}]
DEFAULT = {"timezone": None, "notificationsEnabled": True, "notifications": {}}


def put(atomic, uid, preferences):
    return atomic.put("userPreferences", {"data": {uid: preferences}})


def test_an_unknown_customer_is_made(atomic):
    uid = fresh()
    expected = {**DEFAULT, "timezone": "Africa/Lagos"}
    response = put(atomic, uid, {"timezone": "Africa/Lagos"})
    assert (response.status_code, response.json) == (200, {"data": {uid: expected}})
    assert atomic.customer(uid)["preferences"] == expected


def test_members_that_are_left_out_stay_and_days_are_replaced_whole(atomic):
    uid = fresh()
    put(atomic, uid, {"timezone": "Africa/Lagos", "notifications": {"mon": HOURS, "tue": HOURS, "default": []}})
    later = [{"from": "10:00", "to": "11:00"}]
    put(atomic, uid, {"notificationsEnabled": False, "notifications": {"mon": later, "tue": None, "wed": []}})
    assert atomic.customer(uid)["preferences"] == {
        "timezone": "Africa/Lagos",
        "notificationsEnabled": False,
        "notifications": {"mon": later, "default": [], "wed": []},
    }
    put(atomic, uid, {"timezone": None})
    assert atomic.customer(uid)["preferences"]["timezone"] is None


def test_preferences_updated_moves_with_every_change_and_not_with_other_writes(atomic, monkeypatch):
    uid = fresh()
    monkeypatch.setattr(clock, "now", lambda: 1_700_000_000_000)
    put(atomic, uid, {"timezone": "Africa/Lagos"})
    assert atomic.customer(uid)["preferencesUpdated"] == "2023-11-14T22:13:20.000Z"
    put(atomic, uid, {"timezone": "Europe/Berlin"})
    assert atomic.customer(uid)["preferencesUpdated"] == "2023-11-14T22:13:20.001Z"
    put(atomic, uid, {})
    atomic.post("users", {"users": [{"id": uid, "profile": {"city": "x"}}]})
    assert atomic.customer(uid)["preferencesUpdated"] == "2023-11-14T22:13:20.001Z"


def test_what_was_read_can_be_sent_back(atomic):
    uid = fresh()
    put(atomic, uid, {"notifications": {"sun": HOURS}})
    shown = atomic.customer(uid)["preferences"]
    assert put(atomic, uid, shown).json == {"data": {uid: shown}}
    assert put(atomic, fresh(), DEFAULT).status_code == 200


def test_customers_can_be_sent_with_preferences(atomic):
    uid = fresh()
    sent = [
        {"id": uid, "preferences": {"notifications": {"mon": HOURS}}},
        {"id": uid, "preferences": {"timezone": "UTC"}},
    ]
    assert atomic.post("users", {"users": sent}).status_code == 200
    assert atomic.customer(uid)["preferences"] == {**DEFAULT, "timezone": "UTC", "notifications": {"mon": HOURS}}


@pytest.mark.parametrize("preferences, pointer", [
    (None, ""), ([], ""), ("x", ""),
    ({"timezone": "Mars/Olympus"}, "/timezone"), ({"timezone": 1}, "/timezone"),
    ({"notificationsEnabled": "yes"}, "/notificationsEnabled"), ({"notificationsEnabled": None}, "/notificationsEnabled"),
    ({"notifications": None}, "/notifications"), ({"notifications": []}, "/notifications"),
    ({"notifications": {"xyz": HOURS}}, "/notifications/xyz"),
    ({"notifications": {"mon": HOURS[0]}}, "/notifications/mon"),
    ({"notifications": {"mon": [{"from": "17:00", "to": "09:00"}]}}, "/notifications/mon"),
    ({"notifications": {"mon": [{"from": "09:00", "to": "09:00"}]}}, "/notifications/mon"),
    ({"notifications": {"mon": [{"from": "09:00", "to": "25:00"}]}}, "/notifications/mon"),
    ({"notifications": {"mon": [{"from": "9:00", "to": "10:00"}]}}, "/notifications/mon"),
    ({"notifications": {"mon": [{"to": "10:00"}]}}, "/notifications/mon"),
    ({"notifications": {"mon": [None]}}, "/notifications/mon"),
    ({"notifications": {"mon": HOURS * 49}}, "/notifications/mon"),
])  # fmt: skip
def test_preferences_that_break_a_rule_are_refused_and_nothing_is_stored(atomic, refused, tables, preferences, pointer):
    uid, before = fresh(), tables()
    assert refused(put(atomic, uid, preferences), 400, "invalid_input")["source"] == {
        "pointer": f"/data/{uid}{pointer}"
    }
    assert tables() == before


@pytest.mark.parametrize("body, pointer", [
    ({}, "/data"), ({"data": []}, "/data"), ({"data": {"a/b": {}}}, "/data/a~1b"), ({"data": {"": {}}}, "/data/"),
    ({"data": {f"u{number}": {} for number in range(1001)}}, "/data"),
])  # fmt: skip
def test_a_body_that_names_no_customers_is_refused(atomic, refused, body, pointer):
    assert refused(atomic.put("userPreferences", body), 400, "invalid_input")["source"] == {"pointer": pointer}


def test_a_merge_joins_the_days_and_whoever_turned_notifications_off_has(atomic, api):
    later = [{"from": "10:00", "to": "11:00"}]
    for enabled in ((True, False), (False, True), (True, True)):
        one, two = fresh(), fresh()
        put(atomic, one, {"timezone": "Africa/Lagos", "notificationsEnabled": enabled[0],
                          "notifications": {"mon": later, "tue": HOURS}})  # fmt: skip
        put(atomic, two, {"notificationsEnabled": enabled[1], "notifications": {"mon": HOURS, "wed": []}})
        api.post("users/merge", {"source": one, "destination": two})
        assert atomic.customer(two)["preferences"] == {
            "timezone": "Africa/Lagos",
            "notificationsEnabled": all(enabled),
            "notifications": {"mon": HOURS, "tue": HOURS, "wed": []},
        }


def test_a_merge_keeps_those_of_the_destination_and_else_takes_those_of_the_source(atomic, api):
    one, two, three = fresh(), fresh(), fresh()
    put(atomic, one, {"timezone": "Africa/Lagos"})
    put(atomic, two, {"timezone": "Europe/Berlin"})
    api.user(three)
    api.post("users/merge", {"source": one, "destination": two})
    assert atomic.customer(two)["preferences"]["timezone"] == "Europe/Berlin"
    api.post("users/merge", {"source": two, "destination": three})
    assert atomic.customer(three)["preferences"]["timezone"] == "Europe/Berlin"


def test_they_go_with_the_user(atomic, api, count, workspace):
    uid = fresh()
    put(atomic, uid, {"timezone": "Africa/Lagos"})
    api.delete(f"users/{uid}")
    assert count("preferences", workspace) == 0


def test_a_reply_that_is_kept_goes_with_the_customer(atomic, api, tables):
    uid = fresh()
    body = {"data": {uid: {"timezone": "Africa/Lagos"}}}
    atomic.put("userPreferences", body, headers={"Idempotency-Key": "k"})
    assert uid in repr(tables()["replies"])
    api.delete(f"users/{uid}")
    assert uid not in repr(tables())
