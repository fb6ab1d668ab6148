"""`POST users` of the Atomic face."""

import pytest

from app.models.database import db
from app.services import customers
from app.services.customers import Sent
from tests.factories import fresh

FIELDS = [{"name": "colour", "label": "C", "type": "text"}, {"name": "birthday", "label": "B", "type": "date"}]


@pytest.fixture(autouse=True)
def fields(atomic):
    """The custom fields colour and birthday."""
    assert atomic.put("users/custom-profile-fields", FIELDS, by="workbench").status_code == 200


def save(atomic, *users):
    return atomic.post("users", {"users": list(users)})


def test_a_customer_is_a_user_of_engage(atomic, api):
    uid = fresh()
    profile = {"name": "Ada", "email": "Ada@x.co", "phone": "+1 555 0100", "city": "", "colour": "red"}
    response = save(atomic, {"id": uid, "profile": profile})
    assert (response.status_code, response.json) == (200, {"data": {"users": [{"id": uid, "profile": profile}]}})
    user = api.get(f"users/{uid}").json
    assert (user["email"], user["number"], user["first_name"]) == ("Ada@x.co", "+1 555 0100", None)
    assert user["meta"] == {"name": "Ada", "city": "", "colour": "red"}
    assert api.get("users?email=ada@x.co").json["data"][0]["uid"] == uid


def test_a_date_is_kept_as_utc(atomic):
    uid, other = fresh(), fresh()
    save(atomic, {"id": uid, "profile": {"birthday": "2020-02-29"}})
    save(atomic, {"id": other, "profile": {"birthday": "2020-02-29T23:30:00-05:00"}})
    assert atomic.profile(uid) == {"birthday": "2020-02-29T00:00:00.000Z"}
    assert atomic.profile(other) == {"birthday": "2020-03-01T04:30:00.000Z"}


def test_what_is_sent_changes_null_clears_and_the_rest_stays(atomic, api):
    uid = fresh()
    api.user(uid, first_name="A", email="a@x.co", number="55501", meta={"plan": 3, "city": "Lagos", "country": "NG"})
    response = save(atomic, {"id": uid, "profile": {"email": None, "phone": None, "city": None, "region": ""}})
    assert response.json["data"]["users"] == [{"id": uid, "profile": {"name": "A", "country": "NG", "region": ""}}]
    user = api.get(f"users/{uid}").json
    assert (user["email"], user["number"], user["meta"]) == (None, None, {"plan": 3, "country": "NG", "region": ""})
    assert api.get("users?email=a@x.co").json["data"] == []


def test_null_on_a_new_customer_stores_nothing_under_the_name(atomic, api):
    uid = fresh()
    save(atomic, {"id": uid, "profile": {"city": None, "region": "x"}})
    assert api.get(f"users/{uid}").json["meta"] == {"region": "x"}


def test_the_same_id_twice_is_applied_in_order(atomic):
    uid, other = fresh(), fresh()
    one, two = {"city": "a", "region": "r", "country": None}, {"city": "b", "region": None, "country": "c"}
    response = save(atomic, {"id": uid, "profile": one}, {"id": other}, {"id": uid, "profile": two})
    assert [user["id"] for user in response.json["data"]["users"]] == [uid, other, uid]
    assert atomic.profile(uid) == {"city": "b", "country": "c"}


def test_the_reply_shows_no_analytics_and_a_read_does(atomic, api):
    uid = fresh()
    api.user(uid, meta={"last_browser": "Firefox"})
    assert save(atomic, {"id": uid}).json["data"]["users"][0]["profile"] == {}
    assert atomic.profile(uid) == {"last_browser": "Firefox"}


@pytest.mark.parametrize("user, pointer", [
    (None, ""), ([], ""), ({}, "/id"), ({"id": ""}, "/id"), ({"id": {}}, "/id"), ({"id": "a/b"}, "/id"),
    ({"id": "x", "profile": []}, "/profile"), ({"id": "x", "profile": None}, "/profile"),
    ({"id": "x", "profile": {"fname": "x"}}, "/profile/fname"),
    ({"id": "x", "profile": {"a/b~c": "x"}}, "/profile/a~1b~0c"),
    ({"id": "x", "profile": {"last_seen_at": "2020-01-01"}}, "/profile/last_seen_at"),
    ({"id": "x", "profile": {"last_seen_at": None}}, "/profile/last_seen_at"),
    ({"id": "x", "profile": {"last_browser": 1}}, "/profile/last_browser"),
    ({"id": "x", "profile": {"user_type": "admin"}}, "/profile/user_type"),
    ({"id": "x", "profile": {"timezone": "../../etc/passwd"}}, "/profile/timezone"),
    ({"id": "x", "profile": {"name": 1}}, "/profile/name"),
    ({"id": "x", "profile": {"name": "é" * 2049}}, "/profile/name"),
    ({"id": "x", "profile": {"name": "a\x00"}}, "/profile/name"),
    ({"id": "x", "profile": {"email": "nope"}}, "/profile/email"),
    ({"id": "x", "profile": {"email": ""}}, "/profile/email"),
    ({"id": "x", "profile": {"phone": "call me"}}, "/profile/phone"),
    ({"id": "x", "profile": {"birthday": "2026-02-30"}}, "/profile/birthday"),
    ({"id": "x", "profile": {"birthday": ""}}, "/profile/birthday"),
    ({"id": "x", "preferences": None}, "/preferences"),
    ({"id": "x", "preferences": {"timezone": "Mars/Olympus"}}, "/preferences/timezone"),
])  # fmt: skip
def test_one_bad_customer_and_none_is_written(atomic, refused, tables, user, pointer):
    before = tables()
    error = refused(save(atomic, {"id": fresh()}, user, {"id": fresh()}), 400, "invalid_input")
    assert error["source"] == {"pointer": f"/users/1{pointer}"}
    assert tables() == before


@pytest.mark.parametrize("body", [{}, {"users": None}, {"users": {}}, {"users": [{"id": "x"}] * 1001}])
def test_a_body_that_is_no_list_of_customers_is_refused(atomic, refused, body):
    assert refused(atomic.post("users", body), 400, "invalid_input")["source"] == {"pointer": "/users"}


def test_no_more_than_twenty_errors_are_told(atomic, refused):
    response = save(atomic, *[{"id": "x", "profile": {f"f{n}": "x" for n in range(50)}}] * 50)
    refused(response, 400, "invalid_input")
    assert len(response.json["errors"]) == 20


def test_too_many_attributes_are_refused_and_nothing_is_written(atomic, api, refused, tables):
    uid = fresh()
    api.user(uid, meta={f"k{number}": 1 for number in range(300)})
    before = tables()
    error = refused(save(atomic, {"id": fresh()}, {"id": uid, "profile": {"city": "x"}}), 400, "invalid_input")
    assert error["source"] == {"pointer": "/users/1/profile"}
    assert tables() == before


def test_an_attribute_that_goes_makes_room_for_another_in_one_request(atomic, api):
    uid = fresh()
    api.user(uid, meta={"city": "x", **{f"k{number}": 1 for number in range(299)}})
    assert save(atomic, {"id": uid, "profile": {"city": None, "region": "x"}}).status_code == 200


def test_an_address_of_somebody_who_came_without_a_uid_finds_that_user_as_engage_does(atomic, api, make_list):
    made = api.post(f"lists/{make_list('News')}/subscribers", {"email": "late@x.co"}).json["uid"]
    uid = fresh()
    save(atomic, {"id": uid, "profile": {"email": "late@x.co"}})
    assert api.get(f"users/{uid}").json["lists"] and api.get(f"users/{made}").status_code == 404


def test_a_thousand_customers_take_a_handful_of_statements(atomic, workspace, monkeypatch):
    sent = [Sent(fresh(), {"email": f"u{n}@x.co", "city": "Lagos"}, {}, f"/users/{n}") for n in range(1000)]
    ran = []
    for name in ("execute_sql", "run_many", "run_all"):
        run = getattr(db.obj, name)
        monkeypatch.setattr(db.obj, name, lambda *args, run=run: ran.append(args) or run(*args))
    assert len(customers.save(workspace, sent)) == 1000
    assert len([one for one in ran if "users" in repr(one[0])]) <= 4


def test_an_idempotency_key_does_it_once(atomic, api):
    uid = fresh()
    for city in ("a", "a"):
        response = atomic.post(
            "users", {"users": [{"id": uid, "profile": {"city": city}}]}, headers={"Idempotency-Key": uid}
        )
        api.put(f"users/{uid}", {"meta": {"city": "later"}})
    assert response.headers["Idempotent-Replayed"] == "true" and atomic.profile(uid) == {"city": "later"}


def test_a_customer_of_another_environment_is_another_one(atomic, other_atomic):
    uid = fresh()
    for one, city in ((atomic, "ours"), (other_atomic, "theirs")):
        one.put("users/custom-profile-fields", FIELDS, by="workbench")
        save(one, {"id": uid, "profile": {"city": city}})
    assert (atomic.profile(uid), other_atomic.profile(uid)) == ({"city": "ours"}, {"city": "theirs"})
