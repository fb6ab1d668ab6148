"""Update: what is sent changes, the rest stays, meta is merged, null clears."""

from tests.contract.rule import can, need, rule
from tests.factories import fresh

need("whole meta", "empty text", "first_name", "last_name", "email", "number", "is_account", "created_at")
UIDS = [
    "A",
    "a",
    "x" * 255,
    "é😀",
    "a b",
    "ada@example.com",
    "7f0c3a6e-5b1d-4c27-9f3e-0a4d6b8e2c11",
    "null",
    '"',
    "\\",
    "%2F",
    "a,b;{}",
    "🏳️‍🌈",
    "...",
]


@rule("update")
def test_meta_is_merged_and_the_rest_is_kept(lane, reference):
    before = reference.api.user(first_name="Ada", email="a@example.com", meta={"plan": "pro", "city": "Lagos", "n": 1})
    assert lane.update(before["uid"], {"meta": {"city": "Kano", "region": "North"}}).taken
    meta = {"plan": "pro", "city": "Kano", "n": 1, "region": "North"}
    assert reference.read(before["uid"]) == {**before, "meta": meta}


@rule("update")
def test_only_what_is_sent_changes(lane, reference):
    before = reference.api.user(
        first_name="Ada", last_name="King", email="a@example.com", number="+23480312", is_account=True,
        meta={"plan": "pro"}, created_at="2020-08-11", device_token=fresh(),
    )  # fmt: skip
    changes = [
        {"email": "b@example.com"}, {"number": "+23480399"}, {"first_name": "Augusta"}, {"last_name": ""}, {"is_account": False},
        {"created_at": "2020-08-12"},
    ]  # fmt: skip
    shown = {"is_account": {"member_count": None}, "created_at": {"created_at": "2020-08-12T00:00:00.000+00:00"}}
    for change in changes:
        if can(lane, *change, *(["empty text"] if "" in change.values() else [])):
            assert lane.update(before["uid"], change).taken, change
            [name] = change
            before = {**before, **change, **shown.get(name, {})}
            assert reference.read(before["uid"]) == before, change


@rule("update", "null")
def test_null_clears(lane, reference):
    before = reference.api.user(first_name="Ada", last_name="King", email="a@example.com", number="+23480312")
    for name in ("first_name", "last_name", "email", "number"):
        if can(lane, name):
            assert lane.update(before["uid"], {name: None}).taken, name
            before = {**before, name: None}
            assert reference.read(before["uid"]) == before, name
    assert reference.api.get("users?email=a@example.com").json["data"] == []


@rule("update", "typed meta")
def test_a_number_is_the_same_on_both_databases_however_it_is_spelt(lane, reference):
    """cases/minus-zero.md, with the other numbers that jsonb spells in its own way."""
    numbers = {"minus": -0.0, "plus": 0.0, "large": 1e22, "small": 1e-7, "least": 5e-324, "most": 1.7e308, "half": -0.5}
    uid = fresh()
    assert lane.update(uid, {"meta": numbers}).taken
    shown = reference.read(uid)["meta"]
    assert shown == numbers and "-" not in str(shown["minus"])


@rule("update")
def test_an_unknown_uid_makes_a_user(lane, reference):
    uid = fresh()
    assert lane.update(uid, {"email": "a@example.com", "meta": {"plan": "pro"}}).taken
    user = reference.read(uid)
    assert (user["email"], user["meta"], user["uid_updateable"]) == ("a@example.com", {"plan": "pro"}, False)
    assert reference.walk(10) == [uid]


@rule("update")
def test_any_uid_reads_back_and_is_the_same_user(lane, reference):
    for uid in UIDS:
        assert lane.update(uid, {"meta": {"plan": "pro"}}).taken, uid
        assert lane.update(uid, {"meta": {"city": "Lagos"}}).taken, uid
        user = reference.read(uid)
        assert (user["uid"], user["meta"]) == (uid, {"plan": "pro", "city": "Lagos"}), uid
    assert reference.walk(30) == UIDS


@rule("update")
def test_nothing_to_change_changes_nothing(lane, reference, stored):
    uid = reference.api.user(first_name="Ada", meta={"plan": "pro"})["uid"]
    before = stored()
    whole = [{"meta": []}] if can(lane, "whole meta") else []
    for nothing in ({}, {"meta": {}}, *whole):
        assert lane.update(uid, nothing).taken, nothing
        assert stored() == before, nothing


@rule("update", "is_account")
def test_a_customer_becomes_an_account_and_a_customer_again(lane, reference):
    uid = reference.api.user()["uid"]
    for flag, count in ((True, 0), (False, None)):
        assert lane.update(uid, {"is_account": flag}).taken
        assert (reference.read(uid)["is_account"], reference.read(uid)["member_count"]) == (flag, count)


@rule("update", "device_token")
def test_the_last_five_devices_are_kept_and_a_token_has_one_owner(lane, reference):
    one, two, tokens = fresh(), fresh(), [fresh() for _ in range(6)]
    for token in (*tokens, tokens[1]):
        assert lane.update(one, {"device_token": token}).taken
    assert [device["token"] for device in reference.read(one)["devices"]] == [*tokens[2:], tokens[1]]
    assert lane.update(two, {"device_token": tokens[1], "device_platform": "ios"}).taken
    assert reference.read(two)["devices"] == [{"token": tokens[1], "platform": "ios"}]
    assert [device["token"] for device in reference.read(one)["devices"]] == tokens[2:]


@rule("update")
def test_a_user_who_waits_for_a_uid_is_found_by_email(lane, reference, make_list):
    reference.api.post(f"lists/{make_list('News')}/subscribers", {"email": "a@example.com"})
    [waiting], uid = reference.api.get("users").json["data"], fresh()
    assert lane.update(uid, {"email": "A@example.com", "meta": {"plan": "pro"}}).taken
    user = reference.read(uid)
    assert (user["id"], user["uid_updateable"], user["lists"]) == (waiting["id"], False, waiting["lists"])
    assert reference.walk(10) == [uid]


@rule("create", "update")
def test_who_is_written_is_found_by_the_email_there_is_now_in_any_capitals(lane, reference):
    uid = fresh()
    for write, email in ((lane.create, "Ada@Example.com"), (lane.update, "KING@example.com")):
        assert write(uid, {"email": email}).taken
        found = {
            one: reference.api.get(f"users?email={one}").json["data"] for one in ("ada@example.com", "king@example.com")
        }
        assert {one: [user["uid"] for user in users] for one, users in found.items()} == {
            one: [uid] if one == email.lower() else [] for one in found
        }
