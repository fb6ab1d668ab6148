"""PUT /v1/users/{uid} (engage.md section 4.2)."""

import pytest

from app.services import users
from tests.factories import fresh


def test_only_what_is_sent_changes(api):
    user = api.user(first_name="Ada", last_name="Love", email="a@example.com", meta={"a": 1})
    changed = api.put(f"users/{user['uid']}", {"last_name": "Lovelace", "meta": {"b": True}}).json
    assert changed == {**user, "last_name": "Lovelace", "meta": {"a": 1, "b": True}}


def test_null_clears_a_field(api):
    user = api.user(first_name="Ada", email="a@example.com", number="+15550001111")
    changed = api.put(f"users/{user['uid']}", {"first_name": None, "email": None, "number": None}).json
    assert (changed["first_name"], changed["email"], changed["number"]) == (None, None, None)
    assert api.get("users?email=a@example.com").json["data"] == []


def test_a_missing_user_is_created(api):
    made = api.put(f"users/{fresh()}@example.com", {})
    assert made.status_code == 200 and made.json["uid_updateable"] is False


@pytest.mark.parametrize("body", [{}, {"meta": {}}, {"meta": []}, {"unknown": 1}])
def test_nothing_to_change_changes_nothing(api, tables, body):
    user = api.user(meta={"a": 1})
    before = tables()
    assert api.put(f"users/{user['uid']}", body).json == user
    assert tables() == before


def test_the_public_key_sees_only_what_it_sent(api, make_list):
    news, weekly, acme = make_list("News"), make_list("Weekly"), api.user()["uid"]
    user = api.user(email="a@example.com", lists=[weekly], device_token="t", meta={"plan": "pro"})
    sent = {
        "meta": {"x": 1},
        "lists": [news],
        "accounts": [{"id": acme}],
        "device_token": "t2",
        "devices": [],
        "stats": {},
    }
    told = api.put(f"users/{user['uid']}", sent, by="public").json
    assert told == {
        "id": user["id"], "uid": user["uid"], "meta": {"x": 1}, "lists": [{"id": news, "subscribed": True}],
        "accounts": [{"id": acme, "role": None}],
    }  # fmt: skip


def test_the_documented_reply_is_restored_by_the_setting(app, api):
    app.config["PUBLIC_REPLIES"] = "full"
    user = api.user(email="a@example.com")
    assert api.put(f"users/{user['uid']}", {"first_name": "x"}, by="public").json["email"] == "a@example.com"


@pytest.mark.parametrize("email", ["evil@example.net", None, "A@example.com"])
def test_the_public_key_cannot_change_an_email(api, tables, email):
    user = api.user(email="a@example.com")
    before = tables()
    refused = api.put(f"users/{user['uid']}", {"first_name": "x", "email": email, "meta": {"a": 1}}, by="public")
    assert (refused.status_code, refused.json["code"]) == (403, "email_change")
    assert tables() == before


def test_the_public_key_may_set_an_email_where_there_is_none_and_repeat_it(api):
    uid = api.user()["uid"]
    for _ in range(2):
        assert api.put(f"users/{uid}", {"email": "a@example.com"}, by="public").status_code == 200
    assert api.get(f"users/{uid}").json["email"] == "a@example.com"
    assert api.put(f"users/{api.user()['uid']}", {"email": None}, by="public").status_code == 200


def test_the_secret_may_change_an_email(api):
    user = api.user(email="a@example.com")
    assert api.put(f"users/{user['uid']}", {"email": "b@example.com"}).json["email"] == "b@example.com"


def test_is_account_converts_both_ways_and_keeps_the_members(api):
    acme = api.user(is_account=True)
    api.user(accounts=[{"id": acme["uid"]}])
    assert api.put(f"users/{acme['uid']}", {"is_account": False}).json["member_count"] is None
    assert api.put(f"users/{acme['uid']}", {"is_account": True}).json["member_count"] == 1


def test_joining_an_account_again_keeps_one_entry_and_takes_the_new_role(api):
    acme, uid = api.user()["uid"], api.user()["uid"]
    for role in ({}, {"role": "owner"}, {}):
        shown = api.put(f"users/{uid}", {"accounts": [{"id": acme, **role}]}).json["accounts"]
    assert shown == [{"id": acme, "role": "owner"}]
    assert api.get(f"users/{acme}").json["member_count"] == 1


def test_at_most_300_keys_after_the_merge(api, tables):
    uid = api.user(meta={f"k{i}": i for i in range(300)})["uid"]
    before = tables()
    refused = api.put(f"users/{uid}", {"first_name": "x", "meta": {"more": 1}})
    assert (refused.status_code, list(refused.json["details"])) == (400, ["meta"])
    assert tables() == before
    assert api.put(f"users/{uid}", {"meta": {"k7": "new"}}).status_code == 200


def test_the_last_five_devices_are_kept_newest_last(api):
    uid, tokens = fresh(), [fresh() for _ in range(6)]
    for token in [*tokens, tokens[2]]:
        shown = api.put(f"users/{uid}", {"device_token": token, "device_platform": "ios"}).json["devices"]
    assert shown == [{"token": tokens[i], "platform": "ios"} for i in (1, 3, 4, 5, 2)]


def test_a_device_token_moves_to_the_user_who_sends_it_but_not_across_workspaces(api, other_api):
    token = "ExponentPushToken[" + fresh() + "]"
    first, theirs = api.user(device_token=token)["uid"], other_api.user(device_token=token)["uid"]
    second = api.user(device_token=token)
    assert second["devices"] == [{"token": token, "platform": None}]
    assert api.get(f"users/{first}").json["devices"] == []
    assert other_api.get(f"users/{theirs}").json["devices"] == [{"token": token, "platform": None}]


def test_an_archived_list_keeps_its_subscribers_and_takes_no_new_ones(api, make_list, archive_list):
    news = make_list("News")
    old, new = api.user(lists=[news]), api.user()
    archive_list(news)
    assert api.put(f"users/{old['uid']}", old).json["lists"] == [{"id": news, "subscribed": True}]
    refused = api.put(f"users/{new['uid']}", {"first_name": "x", "lists": [news]})
    assert refused.status_code == 400
    assert api.get(f"users/{new['uid']}").json == new


def test_a_user_without_a_uid_of_its_own_gets_one_for_good(api, workspace):
    guest = users.make_without_uid(workspace, {"email": "guest@example.com"})
    assert api.get(f"users/{guest.id}").json["uid_updateable"] is True
    uid = fresh()
    named = api.put(f"users/{guest.uid}", {"uid": uid, "first_name": "Gia"}, by="secret").json
    assert (named["id"], named["uid"], named["uid_updateable"], named["first_name"]) == (guest.id, uid, False, "Gia")
    assert api.get(f"users/{guest.uid}").status_code == 404
    assert api.put(f"users/{uid}", {"uid": fresh()}).status_code == 400


def test_a_uid_that_is_null_says_nothing_but_in_a_patch(api, tables):
    uid = api.user(first_name="Ada")["uid"]
    for answer in (
        api.put(f"users/{uid}", {"uid": None, "first_name": "Eve"}), api.post("users", {"id": uid, "uid": None}),
        api.put(f"users/{uid}", {"uid": None}, by="public"),
    ):  # fmt: skip
        assert (answer.status_code, answer.json["uid"]) == (200, uid)
    items = [{"type": "update", "uid": None, "id": uid}, {"type": "create", "id": uid, "uid": None}]
    assert api.post("batch", {"data": items}).json["accepted"] == 2
    before = tables()
    assert api.call("PATCH", f"users/{uid}", {"uid": None}).status_code == 400 and tables() == before


def test_an_account_that_is_no_object_is_told_so(api, tables):
    before = tables()
    said = {"accounts.0": ['Must be an object such as {"id": "acme"}.']}
    for refused in (
        api.put("users/u1", {"accounts": ["acme"]}), api.post("users/u1/accounts", {"accounts": ["acme"]}),
        api.post("batch", {"data": [{"type": "update", "id": "u1", "accounts": ["acme"]}]}),
    ):  # fmt: skip
        assert (refused.json.get("details") or refused.json["errors"][0]["details"]) == said
    assert tables() == before


def test_a_uid_that_is_taken_is_a_conflict(api, workspace, tables):
    guest, taken = users.make_without_uid(workspace, {"email": "guest@example.com"}), api.user()["uid"]
    before = tables()
    refused = api.put(f"users/{guest.uid}", {"uid": taken, "first_name": "x"})
    assert (refused.status_code, refused.json["code"]) == (409, "uid_taken")
    assert tables() == before


@pytest.mark.parametrize("by", ["secret", "public"])
def test_another_uid_on_any_other_user_is_refused(api, tables, by):
    known = api.user()["uid"]
    before = tables()
    for uid in (known, fresh()):
        refused = api.put(f"users/{uid}", {"uid": fresh(), "first_name": "x"}, by=by)
        assert (refused.status_code, list(refused.json["details"])) == (400, ["uid"])
    assert tables() == before


@pytest.mark.parametrize("found_by", [{"email": "Guest@Example.com"}, {"number": "+234 803-123"}])
def test_the_secret_claims_the_one_updateable_user_of_that_email_or_number(api, workspace, found_by):
    guest = users.make_without_uid(workspace, {"email": "guest@example.com", "number": "234803123"})
    uid = fresh()
    claimed = api.put(f"users/{uid}", {**found_by, "first_name": "Gia"}).json
    assert (claimed["id"], claimed["uid"], claimed["uid_updateable"]) == (guest.id, uid, False)


def test_nobody_is_claimed_with_the_public_key_or_when_two_would_fit_or_the_uid_is_there(api, workspace):
    guests = [users.make_without_uid(workspace, {"email": f"{name}@example.com"}) for name in ("one", "two", "two")]
    ids = {guest.id for guest in guests}
    assert api.put(f"users/{fresh()}", {"email": "one@example.com"}, by="public").json["id"] not in ids
    assert api.put(f"users/{fresh()}", {"email": "two@example.com"}).json["id"] not in ids
    assert api.put(f"users/{api.user()['uid']}", {"email": "one@example.com"}).json["id"] not in ids


def test_a_user_with_a_uid_is_not_claimed(api):
    user = api.user(email="a@example.com", first_name="Ada")
    other = api.put(f"users/{fresh()}", {"email": "a@example.com"}).json
    assert other["id"] != user["id"] and other["first_name"] is None


def test_a_body_neither_archives_nor_brings_back(api, archive_user):
    """Case stale-put-unarchives: the object that was read before an archive says nothing about it."""
    user = api.user()
    archive_user(user["uid"])
    by_public = api.put(f"users/{user['uid']}", {"archived": False}, by="public")
    assert (by_public.status_code, by_public.json.keys()) == (200, {"id", "uid"})
    sent = {**user, "first_name": "Ann"}
    items = {"data": [{"type": kind, "id": user["uid"], "archived": False} for kind in ("create", "update")]}
    for write in (
        lambda: api.put(f"users/{user['uid']}", sent),
        lambda: api.post("users", {"id": user["uid"], "archived": False}),
        lambda: api.post("batch", items),
    ):
        assert write().status_code == 200
        assert api.get(f"users/{user['uid']}").json["archived"] is True
    other = api.user()["uid"]
    assert api.put(f"users/{other}", {"archived": True, "first_name": "x"}).json["archived"] is False
    assert api.call("PATCH", f"users/{user['uid']}", {"archived": False}).json["archived"] is False


@pytest.mark.parametrize("path", ["%00", "%2e%2e", "a" * 256, "%20a", "a%C2%85b"])
def test_a_uid_that_nobody_can_have_is_refused(api, tables, path):
    before = tables()
    refused = api.put(f"users/{path}", {"first_name": "x"})
    assert (refused.status_code, list(refused.json["details"])) == (400, ["uid"])
    assert tables() == before


def test_strangers_are_refused(api, tables):
    uid = api.user()["uid"]
    before = tables()
    assert api.put(f"users/{uid}", {"first_name": "x"}, by=None).status_code == 401
    assert tables() == before


def test_a_user_of_another_workspace_is_not_touched(api, other_api):
    theirs = other_api.user(first_name="Theirs", email="a@example.com")
    ours = api.put(f"users/{theirs['uid']}", {"first_name": "Ours"}).json
    assert ours["id"] != theirs["id"] and ours["email"] is None
    assert other_api.get(f"users/{theirs['uid']}").json == theirs
