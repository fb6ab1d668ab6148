"""POST /v1/batch (engage.md section 6)."""

import pytest

from app.models.database import db
from app.services import users
from tests.factories import fresh


def batch(api, *items, **more):
    return api.post("batch", {"data": list(items)}, **more)


def test_items_are_done_in_order_and_all_types_are_taken(api, make_list):
    uid, news, acme = fresh(), make_list("News"), api.user()["uid"]
    done = batch(
        api,
        {"type": "create", "id": uid, "first_name": "a", "lists": [news], "meta": {"x": 1}},
        {
            "type": "update",
            "id": uid,
            "first_name": "b",
            "meta": {"y": 2},
            "device_token": uid,
            "accounts": [{"id": acme}],
        },
        {"type": "event", "id": uid, "event": "Paid", "value": 1, "timestamp": "2026-01-01"},
        {"type": "update", "id": uid, "first_name": "c"},
        {"type": "event", "id": uid, "event": "Paid", "value": 2, "timestamp": "2026-01-02"},
    )
    assert done.json == {
        "status": "queued",
        "accepted": 5,
        "rejected": 0,
        "duplicate": 0,
        "dropped": 0,
        "errors": [],
        "warnings": [],
    }
    user = api.get(f"users/{uid}").json
    assert (user["first_name"], user["meta"], len(user["devices"])) == ("c", {"x": 1, "y": 2}, 1)
    assert (user["lists"], user["accounts"]) == ([{"id": news, "subscribed": True}], [{"id": acme, "role": None}])
    assert user["last_interaction"] == "2026-01-02T00:00:00.000+00:00"
    assert [event["value"] for event in api.get(f"users/{uid}/events").json["data"]] == [2, 1]


def test_good_items_are_stored_and_each_bad_one_is_named(api):
    uid, bad = fresh(), fresh()
    items = [
        {"type": "update", "id": uid, "meta": {f"k{i}": i for i in range(300)}},
        {"type": "update", "id": bad, "email": "nope"},
        None,
        {"type": "drop", "id": bad},
        {"type": "create", "id": f"{bad}-x"},
        {"type": "create", "id": bad, "lists": ["f" * 24]},
        {"type": "update", "id": bad, "uid": fresh()},
        {"type": "event", "id": bad},
        {"type": "update", "id": bad, "first_name": "a\x00"},
        {"type": "update", "id": uid, "meta": {"more": 1}},
        {"type": "update", "id": uid, "first_name": "last"},
    ]
    reply = batch(api, *items).json
    assert (reply["accepted"], reply["rejected"]) == (2, 9)
    assert [error["index"] for error in reply["errors"]] == list(range(1, 10))
    assert all(error["code"] == "invalid_input" and error["error"] and error["details"] for error in reply["errors"])
    assert api.get(f"users/{bad}").status_code == 404
    assert api.get(f"users/{uid}").json["first_name"] == "last"


def test_a_user_without_a_uid_is_claimed_and_named_in_a_batch_too(api, workspace):
    one, two = (users.make_without_uid(workspace, {"email": f"{name}@example.com"}) for name in ("one", "two"))
    uid, name = fresh(), fresh()
    batch(
        api, {"type": "update", "id": uid, "email": "one@example.com"}, {"type": "update", "id": two.uid, "uid": name}
    )
    assert (api.get(f"users/{uid}").json["id"], api.get(f"users/{name}").json["id"]) == (one.id, two.id)


def test_an_archived_users_event_is_dropped(api, archive_user, tables):
    uid = api.user()["uid"]
    archive_user(uid)
    before = tables()
    answer = batch(api, {"type": "event", "id": uid, "event": "e"}).json
    assert (answer["accepted"], answer["dropped"]) == (0, 1) and tables() == before


def test_a_thousand_items_are_taken_and_one_more_is_not(api, tables):
    uid = fresh()
    done = batch(api, *({"type": "update", "id": uid, "meta": {"n": number}} for number in range(1000)))
    assert done.json["accepted"] == 1000 and api.get(f"users/{uid}").json["meta"] == {"n": 999}
    before = tables()
    assert batch(api, *[{"type": "event", "id": uid, "event": "e"}] * 1001).status_code == 400
    assert tables() == before


@pytest.mark.parametrize("body", [{}, [], {"data": {}}, {"data": None}, {"data": "x"}])
def test_a_body_that_is_no_batch_is_refused(api, body):
    assert api.post("batch", body).status_code == 400


def test_a_mebibyte_is_taken_and_a_byte_more_is_not(api):
    def padded(size):
        start = b'{"data":[],"extra":"'
        return start + b"a" * (size - len(start) - 2) + b'"}'

    assert api.post("batch", padded(2**20)).json == {
        "status": "queued",
        "accepted": 0,
        "rejected": 0,
        "duplicate": 0,
        "dropped": 0,
        "errors": [],
        "warnings": ["extra: is ignored; there is only data."],
    }
    assert api.post("batch", padded(2**20 + 1)).status_code == 413


def test_what_cannot_be_stored_just_now_stores_nothing_of_its_chunk(api, tables, monkeypatch):
    before = tables()
    for name in ("insert_new", "write_many"):
        run = getattr(type(db.obj), name)
        fail = lambda self, *call, run=run: run(self, *call) and self.execute_sql("SELECT missing")  # noqa: E731
        monkeypatch.setattr(type(db.obj), name, fail)
    assert batch(api, *({"type": "update", "id": fresh()} for _ in range(100))).status_code == 500
    monkeypatch.undo()
    assert tables() == before


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("public", 403)])
def test_without_the_secret_nothing_is_done(api, tables, by, status):
    before = tables()
    assert batch(api, {"type": "update", "id": fresh()}, by=by).status_code == status
    assert tables() == before


def test_users_of_another_workspace_are_not_touched(api, other_api):
    theirs = other_api.user(first_name="Theirs")
    batch(
        api,
        {"type": "update", "id": theirs["uid"], "first_name": "Ours"},
        {"type": "event", "id": theirs["uid"], "event": "e"},
    )
    assert other_api.get(f"users/{theirs['uid']}").json == theirs
