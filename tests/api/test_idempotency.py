"""Idempotency-Key on every POST and PUT, and the ids of events: a retry is applied once."""

import threading

import pytest

from app import clock
from app.services import marks, users
from tests.factories import fresh


def keyed(key):
    return {"headers": {"Idempotency-Key": key}}


def test_the_same_request_again_is_answered_as_the_first_and_done_once(api, tables):
    uid, key = fresh(), fresh()
    first = api.post(f"users/{uid}/events", {"event": "e"}, **keyed(key))
    before = tables()
    again = api.post(f"users/{uid}/events", {"event": "e"}, **keyed(key))
    assert (again.status_code, again.data) == (200, first.data)
    assert again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    assert tables() == before


def test_the_first_reply_is_kept_as_it_was(api):
    uid, key = fresh(), fresh()
    first = api.put(f"users/{uid}", {"first_name": "Ada"}, **keyed(key))
    api.put(f"users/{uid}", {"first_name": "Ben"})
    assert api.put(f"users/{uid}", {"first_name": "Ada"}, **keyed(key)).json == first.json
    assert api.get(f"users/{uid}").json["first_name"] == "Ben"


def test_the_key_of_another_request_is_a_conflict(api, tables):
    uid, key = fresh(), fresh()
    api.put(f"users/{uid}", {"first_name": "Ada"}, **keyed(key))
    before = tables()
    for refused in (
        api.put(f"users/{uid}", {"first_name": "Ben"}, **keyed(key)),
        api.put(f"users/{fresh()}", {"first_name": "Ada"}, **keyed(key)),
    ):
        assert (refused.status_code, refused.json["code"]) == (409, "idempotency_key_reused")
    assert tables() == before


def test_a_refused_request_keeps_nothing_and_may_be_mended(api, tables):
    key, before = fresh(), tables()
    assert api.post("users", {"id": "not-plain"}, **keyed(key)).status_code == 400
    assert tables() == before
    assert api.post("users", {"id": fresh()}, **keyed(key)).status_code == 200


def test_a_reply_is_kept_for_24_hours(api, unmarked, monkeypatch):
    uid, key, now = fresh(), fresh(), clock.now()
    api.post(f"users/{uid}/events", {"event": "e"}, **keyed(key))
    for later, replayed in ((24 * 3_600_000 - 1000, "true"), (24 * 3_600_000 + 60_000, None)):
        monkeypatch.setattr(clock, "now", lambda later=later: now + later)
        marks.move(elapsed=later)
        again = api.post(f"users/{uid}/events", {"event": "e"}, **keyed(key))
        assert again.headers.get("Idempotent-Replayed") == replayed
    assert len(api.get(f"users/{uid}/events").json["data"]) == 2


@pytest.mark.parametrize(("key", "status"), [("k" * 255, 200), ("k" * 256, 400), ("", 400)])
def test_a_key_has_1_to_255_characters(api, key, status):
    assert api.post("users", {"id": fresh()}, **keyed(key)).status_code == status


def test_workspaces_have_keys_of_their_own(api, other_api):
    uid, key = fresh(), fresh()
    for one in (api, other_api):
        assert "Idempotent-Replayed" not in one.put(f"users/{uid}", {}, **keyed(key)).headers


def test_strangers_are_told_nothing_of_a_key(api):
    uid, key = fresh(), fresh()
    api.put(f"users/{uid}", {"email": "a@example.com"}, **keyed(key))
    assert api.put(f"users/{uid}", {"email": "a@example.com"}, by=None, **keyed(key)).status_code == 401


def test_while_the_first_is_running_the_second_is_told_to_come_back(app, api, engine, monkeypatch):
    uid, key, inside, go_on = fresh(), fresh(), threading.Event(), threading.Event()
    save = users.update

    def slow(*args):
        inside.set()
        go_on.wait(10)
        return save(*args)

    def first():
        from app.models.database import forget_connection

        api.put(f"users/{uid}", {}, **keyed(key))
        forget_connection()

    monkeypatch.setattr(users, "update", slow)
    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(10)
    if engine == "sqlite":  # the one writer is waited for, and then its reply is there
        threading.Timer(0.3, go_on.set).start()
        assert api.put(f"users/{uid}", {}, **keyed(key)).headers["Idempotent-Replayed"] == "true"
    else:
        second = api.put(f"users/{uid}", {}, **keyed(key))
        assert (second.status_code, second.json["code"], second.headers["Retry-After"]) == (
            409,
            "idempotency_key_in_use",
            "1",
        )
        go_on.set()
    thread.join()


def test_an_event_of_the_same_id_is_answered_ok_and_stored_once(api, other_api):
    uid, event_id = fresh(), fresh()
    for number in range(3):
        assert api.post(f"users/{uid}/events", {"event": "e", "id": event_id, "value": number}).json == {"status": "ok"}
    assert [event["value"] for event in api.get(f"users/{uid}/events").json["data"]] == [0]
    assert api.post(f"users/{fresh()}/events", {"event": "e", "id": event_id}).json == {"status": "ok"}
    other_api.post(f"users/{uid}/events", {"event": "e", "id": event_id})
    assert len(other_api.get(f"users/{uid}/events").json["data"]) == 1


def test_the_uid_is_no_id_of_an_event(api):
    uid = fresh()
    for _ in range(2):
        api.post(f"users/{uid}/events", {"event": "e", "id": uid})
    assert len(api.get(f"users/{uid}/events").json["data"]) == 2


@pytest.mark.parametrize("event_id", ["", "i" * 129, 5.5, [1]])
def test_an_event_id_has_1_to_128_characters(api, event_id):
    refused = api.post(f"users/{fresh()}/events", {"event": "e", "id": event_id})
    assert (refused.status_code, list(refused.json["details"])) == (400, ["id"])


def requests_about(api, uid, make_list):
    """Yield keyed requests whose replies tell of the user; each returns the response of a call with the key given."""
    member, news, other = fresh(), make_list("News"), fresh()
    email = f"{uid}@example.com"
    yield lambda **key: api.post("users", {"id": uid, "email": email}, **key)
    yield lambda **key: api.put(f"users/{uid}", {"first_name": uid}, by="public", **key)
    yield lambda **key: api.put(f"users/{member}", {"accounts": [{"id": uid}]}, **key)
    yield lambda **key: api.post(f"lists/{news}/subscribers", {"email": email}, **key)
    yield lambda **key: api.post("batch", {"data": [{"type": "update", "id": uid, "meta": {uid: []}}]}, **key)
    yield lambda **key: api.post("batch", {"data": [{"type": "event", "id": uid, "\ud800": 1}]}, **key)
    yield lambda **key: api.put(f"users/{other}", {"first_name": uid}, **key)
    api.post("users/merge", {"source": other, "destination": uid})


def test_replies_about_a_user_go_with_the_user_and_are_not_done_again(api, make_list, tables):
    uid, keys = fresh(), []
    for send in requests_about(api, uid, make_list):
        keys.append((send, keyed(fresh())))
        assert send(**keys[-1][1]).status_code == 200
    bystander, key = fresh(), keyed(fresh())
    first = api.put(f"users/{bystander}", {"first_name": "Ada"}, **key)
    assert uid in repr(tables()["replies"])
    assert api.delete(f"users/{uid}").status_code == 200
    after = tables()
    assert uid not in repr(after["replies"])
    for send, spent in keys:
        assert (send(**spent).status_code, send(**spent).json["code"]) == (409, "idempotency_reply_erased")
    assert tables() == after
    assert api.put(f"users/{bystander}", {"first_name": "Ada"}, **key).json == first.json
