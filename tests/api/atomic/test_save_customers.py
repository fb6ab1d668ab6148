"""`POST users` of the Atomic API."""

import json
import random
import re

import pytest

from app.models.database import db
from app.services import users
from app.services.atomic import customers
from app.services.atomic.customers import Sent
from tests.factories import fresh

FIELDS = [{"name": "colour", "label": "C", "type": "text"}, {"name": "birthday", "label": "B", "type": "date"}]


@pytest.fixture(autouse=True)
def fields(atomic):
    """The custom fields colour and birthday."""
    assert atomic.put("users/custom-profile-fields", FIELDS, by="workbench").status_code == 200


@pytest.fixture
def written(monkeypatch, app):
    """The table of each statement that writes, from now on, in whatever way it is run."""
    seen = []

    def watch(name, texts):
        run = getattr(db.obj, name)

        def watched(*call):
            for text in texts(*call):
                seen.extend(re.findall(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", re.sub("DO UPDATE", "", text)))
            return run(*call)

        monkeypatch.setattr(db.obj, name, watched)

    for name in ("execute_sql", "write_many"):
        watch(name, lambda text, *_: [text])
    for name in ("run_all", *(["commit_all"] if db.obj.dialect.name == "postgres" else [])):
        watch(name, lambda calls: [text for text, *_ in calls])
    if db.dialect.name == "postgres":  # on SQLite it is a write_many, and nobody uses it for users
        watch("insert_new", lambda table, columns: [f"INSERT INTO {table}"])
    return seen


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


@pytest.mark.parametrize(("key", "meant"), [
    ("profil", "profile"), ("Profile", "profile"), ("attributes", "profile"), ("traits", "profile"), ("preference", "preferences"),
])  # fmt: skip
def test_a_misspelt_key_of_a_customer_is_refused_by_name(atomic, refused, tables, key, meant):
    before = tables()
    first = refused(atomic.post("users", {"users": [{"id": "c1", key: {"name": "Ada"}}]}), 400, "invalid_input")
    assert (first["source"], first["detail"]) == ({"pointer": f"/users/0/{key}"}, f"Did you mean {meant}?")
    assert tables() == before
    assert atomic.post("users", {"users": [{"id": "c1", "source": "crm", "profile": {}}]}).status_code == 200


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


VALUES = {
    "name": ["Ada", "é😀", 'a"b', "a\\b", "", "NULL", "{x,y}", "a\tb"],
    "email": ["Ada@x.co", "b@x.co"],
    "phone": ["+1 555 0100", "5550101"],
    **dict.fromkeys(("external_id", "city", "country", "region", "colour"), ["x", "", "%s", "?1", "}", '","']),
    "birthday": ["2020-02-29", "2020-02-29T23:30:00-05:00"],
    "user_type": ["test", "live"],
    "timezone": ["Africa/Lagos"],
}


def mixture(chance, uids):
    """Customers with any of the fields each, some of them null."""
    return [
        Sent(
            uid,
            {
                name: None if chance.random() < 0.3 else chance.choice(values)
                for name, values in VALUES.items()
                if chance.random() < 0.5
            },
            {},
            f"/users/{position}",
        )
        for position, uid in enumerate(uids)
    ]


def stored(workspace):
    """Every column of the users but for ids and the clock's times."""
    columns = "CASE WHEN uid_updateable THEN '' ELSE uid END, number, number_digits, email, email_key, uid_updateable"
    rows = db.execute_sql(f"SELECT {columns}, meta FROM users WHERE workspace_id = {workspace}").fetchall()
    return sorted((*row, sorted((json.loads(meta) if isinstance(meta, str) else meta).items())) for *row, meta in rows)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("known", [0, 0.5, 1])
def test_any_mixture_leaves_what_its_customers_leave_one_by_one(atomic, other_atomic, seed, known):
    other_atomic.put("users/custom-profile-fields", FIELDS, by="workbench")
    chance, ours, theirs = random.Random(seed), atomic.workspace, other_atomic.workspace
    uids = [*(f"{odd}{n}" for odd in ('q"', "b\\", "{u}", "a,b", "é😀", "NULL", "?", "%s") for n in range(4)), "last"]
    for workspace in (ours, theirs):
        before = random.Random(seed)
        customers.save(workspace, mixture(before, [uid for uid in uids if before.random() < known]))
        users.make_without_uid(workspace, {"email": "b@x.co", "meta": {"city": "old", "plan": 1}})
    sent = mixture(chance, chance.choices(uids, k=30) + chance.sample(uids, len(uids)))
    together = customers.save(ours, sent)
    for one in sent:
        alone = customers.save(theirs, [one])[0]
        assert one.uid == alone.uid
    assert stored(ours) == stored(theirs)
    last = {one.uid: one for one in together}
    assert {uid: atomic.profile(uid) for uid in ("last",)} == {"last": last["last"].profile}


@pytest.mark.parametrize("known", [0, 0.5, 1])
def test_a_thousand_customers_are_one_statement_whatever_mixture_they_are(atomic, written, known):
    chance = random.Random(1)
    uids = [fresh() for _ in range(1000)]
    customers.save(atomic.workspace, [Sent(uid, {"city": "x"}, {}) for uid in uids if chance.random() < known])
    written.clear()
    customers.save(atomic.workspace, mixture(chance, uids))
    assert [table for table in written if table == "users"] == ["users"]


def test_an_address_that_is_claimed_keeps_a_thousand_customers_in_one_statement(atomic, written):
    users.make_without_uid(atomic.workspace, {"email": "late@x.co", "meta": {"city": "old", "plan": 1}})
    written.clear()
    customers.save(atomic.workspace, [
        Sent(f"c{n}", {"email": "late@x.co" if n == 500 else f"u{n}@x.co", "city": None}, {}) for n in range(1000)
    ])  # fmt: skip
    assert [table for table in written if table == "users"] == ["users", "users"]  # the uid, and all fields of all
    assert users.retrieve(atomic.workspace, "c500").meta == {"plan": 1}


def test_an_idempotency_key_does_it_once(atomic, api):
    uid = fresh()
    for city in ("a", "a"):
        response = atomic.post(
            "users", {"users": [{"id": uid, "profile": {"city": city}}]}, headers={"Idempotency-Key": uid}
        )
        api.put(f"users/{uid}", {"meta": {"city": "later"}})
    assert response.headers["Idempotent-Replayed"] == "true" and atomic.profile(uid) == {"city": "later"}


def test_an_idempotency_key_of_a_web_page_does_not_keep_a_customer_from_being_saved(atomic, api):
    uid, key = fresh(), {"Idempotency-Key": fresh()}
    assert api.put(f"users/{uid}", {"first_name": "Eve"}, by="public", headers=key).status_code == 200
    saved = atomic.post("users", {"users": [{"id": uid, "profile": {"city": "a"}}]}, headers=key)
    assert saved.status_code == 200 and "Idempotent-Replayed" not in saved.headers
    assert atomic.profile(uid)["city"] == "a"


def test_a_customer_of_another_environment_is_another_one(atomic, other_atomic):
    uid = fresh()
    for one, city in ((atomic, "ours"), (other_atomic, "theirs")):
        one.put("users/custom-profile-fields", FIELDS, by="workbench")
        save(one, {"id": uid, "profile": {"city": city}})
    assert (atomic.profile(uid), other_atomic.profile(uid)) == ({"city": "ours"}, {"city": "theirs"})


@pytest.mark.parametrize(("body", "told"), [
    (b"", "The body is empty; it must be JSON."),
    (b"\x1f\x8b\x08", "The body is compressed; it must be JSON as it is, without Content-Encoding."),
    (b"users=1", "The body is form-encoded; it must be JSON, whatever its Content-Type."),
])  # fmt: skip
def test_a_body_that_is_no_json_is_told_what_it_is_in_the_shape_of_this_face(atomic, refused, body, told):
    """Its four keys and no others: the form is documented, so `hint` and `docs` stay out."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert refused(atomic.post("users", body, headers=kind), 400, "invalid_body")["title"] == told


def test_minus_zero_and_invisible_ends_meet_the_same_rules_here(atomic, refused):
    """cases/minus-zero.md: a profile holds text, so a number is refused, whichever it is."""
    first = refused(atomic.post("users", {"users": [{"id": "a\u200b"}]}), 400, "invalid_input")
    assert first["source"] == {"pointer": "/users/0/id"}
    refused(atomic.post("users", b'{"users": [{"id": "a", "profile": {"city": -0.0}}]}'), 400, "invalid_input")
    assert atomic.put("delete-users", {"data": ["a\u200b"]}).json == {"userIds": ["a\u200b"]}
