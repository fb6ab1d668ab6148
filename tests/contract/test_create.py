"""Create: a new user has each field as given; a known uid is updated."""

import pytest

from app.models.database import db
from tests.contract.rule import can, need, rows_for, rule, taken
from tests.factories import fresh

need("plain ids")
LONG = "é" * 255
SHOWN_DAY = "2020-08-11T00:00:00.000+00:00"
TAKEN = (
    taken({}),
    taken({"first_name": "Ada"}),
    taken({"first_name": ""}),
    taken({"first_name": LONG, "last_name": LONG}),
    taken({"last_name": 'quo"te\\ {,} \t\u2028 😀'}),
    taken({"first_name": None, "last_name": None, "number": None, "email": None}),
    taken({"number": "+234 (803) 123-4567"}),
    taken({"number": "12345"}),
    taken({"number": 2348031234567}, {"number": "2348031234567"}, "integer number"),
    taken({"email": "Ada.Lovelace+1@Example.co.uk"}),
    taken({"email": "ada@" + ".".join(["a" * 61, "b" * 61, "c" * 61, "museum"])}),
    taken({"is_account": True}),
    taken({"is_account": False}),
    taken({"created_at": "2020-08-11"}, {"created_at": SHOWN_DAY}),
    taken({"created_at": "2020-08-11T05:30+05:30"}, {"created_at": SHOWN_DAY}),
    taken({"created_at": "2020-08-11 00:00:00.123456789Z"}, {"created_at": "2020-08-11T00:00:00.123+00:00"}),
    taken({"created_at": 1_597_104_000}, {"created_at": SHOWN_DAY}),
    taken({"created_at": 1_597_104_000_000.5}, {"created_at": SHOWN_DAY}),
    taken({"created_at": "2199-12-31"}, {"created_at": "2199-12-31T00:00:00.000+00:00"}),
    taken({"meta": {"plan": "pro", "city": "Lagos"}}),
    taken({"meta": {"plan": ""}}),
    taken({"meta": {"plan": "é" * 2048}}),
    taken({"meta": {"plan": "x" * 1024, "text": "NULL"}}),
    taken({"meta": {"age": 34, "score": 1.5, "is_paid": True, "zero": 0, "big": 2**53 - 1, "small": -1e-300}}),
    taken({"meta": {'quo"te': "a", "é" * 128: "b", "a.b": "c", "$x[0]": "d"}}, None, "unknown key"),
    taken({"meta": {f"k{number}": number for number in range(300)}}),
    taken({"device_token": "token"}, {"devices": [{"token": "token", "platform": None}]}),
    taken({"device_token": "token", "device_platform": "ios"}, {"devices": [{"token": "token", "platform": "ios"}]}),
    taken({"first_name": "Ada", "unknown": {"a": [1]}, "source": "api"}, {"first_name": "Ada"}, "unknown key"),
)
KEPT = (  # and not shown
    taken({"tz": "Africa/Lagos"}),
    taken({"app_version": "2.1.0"}),
    taken({"app_build": "x" * 64}),
    taken({"app_last_active": "1970-01-01T00:00:01Z"}, {"app_last_active": 1000}),
)


@rule("create")
def test_a_new_user_has_each_field_as_given(lane, reference, twin):
    for row in rows_for(lane, TAKEN):
        uid = fresh()
        outcome = lane.create(uid, row.sent)
        assert outcome.taken, (row.sent, outcome)
        user = reference.read(uid)
        assert {name: user[name] for name in row.expected} == row.expected, row.sent
        twin.create(uid, row.sent)
        mine = {"id": user["id"]} if "created_at" in row.sent else {"id": user["id"], "created_at": user["created_at"]}
        assert user == {**twin.read(uid), **mine}, row.sent


@rule("create", "read")
def test_the_lane_shows_each_field_as_given(lane):
    for row in rows_for(lane, TAKEN):
        uid = fresh()
        assert lane.create(uid, row.sent).taken, row.sent
        user = lane.read(uid)
        assert user["uid"] == uid and {name: user[name] for name in row.expected} == row.expected, row.sent


@rule("create", "tz")
def test_what_is_kept_and_not_shown_is_kept(lane, workspace):
    for row in rows_for(lane, KEPT):
        uid = fresh()
        assert lane.create(uid, row.sent).taken, row.sent
        [(name, value)] = row.expected.items()
        query = f"SELECT {name} FROM users WHERE workspace_id = {workspace} AND uid = '{uid}'"
        assert db.execute_sql(query).fetchall() == [(value,)], row.sent


@rule("create", "accounts")
def test_a_new_user_is_in_the_accounts_given(lane, reference):
    acme, zeta, uid = (reference.api.user()["uid"] for _ in range(3))
    assert lane.create(uid, {"accounts": [{"id": acme, "role": "owner"}, {"id": zeta}]}).taken
    assert reference.read(uid)["accounts"] == [{"id": acme, "role": "owner"}, {"id": zeta, "role": None}]
    assert (reference.read(acme)["is_account"], reference.read(acme)["member_count"]) == (True, 1)


@rule("create")
def test_a_known_uid_is_updated_and_keeps_the_rest(lane, reference):
    before = reference.api.user(first_name="Ada", number="+23480312", meta={"plan": "pro", "city": "Lagos"})
    assert lane.create(before["uid"], {"email": "a@example.com", "meta": {"city": "Kano"}}).taken
    changed = {"email": "a@example.com", "meta": {"plan": "pro", "city": "Kano"}}
    assert reference.read(before["uid"]) == {**before, **changed}


@rule("create")
def test_the_same_create_sent_twice_makes_one_user(lane, reference, stored):
    uid = fresh()
    assert lane.create(uid, {"email": "a@example.com", "meta": {"plan": "pro"}}).taken
    before = stored()
    assert lane.create(uid, {"email": "a@example.com", "meta": {"plan": "pro"}}).taken
    assert stored() == before and reference.walk(10) == [uid]


@rule("create")
def test_an_id_of_digits_may_be_a_number(lane, reference):
    assert lane.create(1234, {"email": "a@example.com"}).taken
    assert reference.read("1234")["email"] == "a@example.com"


@pytest.mark.parametrize("uid", ["a-b", "ada@example.com", "é", "a b"])
@rule("create")
def test_only_a_lane_that_wants_plain_ids_refuses_others(lane, stored, uid):
    before, outcome = stored(), lane.create(uid, {"email": "a@example.com"})
    assert outcome.taken != can(lane, "plain ids")
    assert outcome.taken or (outcome.names("uid") and stored() == before)
