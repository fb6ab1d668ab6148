"""The routes of accounts (engage.md section 4.5)."""

import pytest

from tests.factories import fresh


@pytest.fixture
def acme(api):
    """The uid of an account."""
    return api.user(f"acme{fresh()}", is_account=True)["uid"]


def members(api, account):
    return api.get(f"users/{account}").json["member_count"]


def test_a_user_joins_accounts_and_is_shown_in_them(api, acme):
    user, zeta = api.user(), api.user()["uid"]
    joined = api.post(f"users/{user['uid']}/accounts", {"accounts": [{"id": zeta, "role": "owner"}, {"id": acme}]}).json
    assert joined == {**user, "accounts": [{"id": zeta, "role": "owner"}, {"id": acme, "role": None}]}
    assert (members(api, acme), members(api, zeta)) == (1, 1)  # and the customer has become an account


def test_joining_twice_keeps_one_entry_and_takes_a_role_that_is_given(api, acme):
    uid = api.user()["uid"]
    for role in ({}, {"role": "owner"}, {"role": None}):
        shown = api.post(f"users/{uid}/accounts", {"accounts": [{"id": acme, **role}]}).json["accounts"]
    assert shown == [{"id": acme, "role": "owner"}] and members(api, acme) == 1


@pytest.mark.parametrize(("bad", "status"), [("nobody", 404), ("itself", 400)])
def test_one_bad_entry_and_nothing_is_changed(api, acme, tables, bad, status):
    uid = api.user()["uid"]
    before = tables()
    wanted = [{"id": acme}, {"id": uid if bad == "itself" else fresh()}]
    assert api.post(f"users/{uid}/accounts", {"accounts": wanted}).status_code == status
    assert tables() == before


@pytest.mark.parametrize("body", [{}, {"accounts": []}, {"accounts": {}}, {"accounts": [None]}, {"accounts": [{"role": "x"}]},
                                  {"accounts": [{"id": "a", "role": {}}]}])  # fmt: skip
def test_a_body_that_breaks_a_rule_is_refused(api, body):
    assert api.post(f"users/{api.user()['uid']}/accounts", body).status_code == 400


def test_a_role_is_changed_and_an_account_is_left(api, acme):
    uid = api.user(accounts=[{"id": acme}])["uid"]
    path = f"users/{uid}/accounts/{acme}"
    assert api.put(path, {"role": "owner"}).json["accounts"] == [{"id": acme, "role": "owner"}]
    assert api.delete(path).json["accounts"] == [] and members(api, acme) == 0
    assert [api.delete(path).status_code, api.put(path, {"role": "x"}).status_code] == [404, 404]
    assert api.put(path, {}).status_code == 400


def test_convert_both_ways_keeps_the_members(api, acme):
    uid = api.user(accounts=[{"id": acme}])["uid"]
    customer = api.post(f"users/{acme}/convert", {"type": "customer"}).json
    assert (customer["is_account"], customer["member_count"]) == (False, None)
    assert api.get(f"users/{uid}").json["accounts"] == [{"id": acme, "role": None}]
    account = api.post(f"users/{acme}/convert", {"type": "account"}).json
    assert (account["is_account"], account["member_count"]) == (True, 1)


@pytest.mark.parametrize("body", [{}, {"type": "admin"}, {"type": ["account"]}, {"type": "ACCOUNT"}])
def test_convert_takes_customer_or_account(api, acme, body):
    assert api.post(f"users/{acme}/convert", body).status_code == 400


def test_members_are_paged_like_users(api, acme):
    uids = [api.user(accounts=[{"id": acme}])["uid"] for _ in range(5)]
    api.user()
    first = api.get(f"users/{acme}/members?limit=2").json
    assert [user["uid"] for user in first["data"]] == uids[:2] and first["data"][0] == api.get(f"users/{uids[0]}").json
    second = api.get(f"users/{acme}/members?limit=2&next_cursor={first['next_cursor']}").json
    third = api.get(f"users/{acme}/members?limit=2&next_cursor={second['next_cursor']}").json
    assert [user["uid"] for user in second["data"] + third["data"]] == uids[2:] and "next_cursor" not in third
    assert api.get(f"users/{acme}/members?limit=2&previous_cursor={third['previous_cursor']}").json == second
    assert api.get(f"users/{acme}/members?limit=31").status_code == 400
    assert api.get(f"users/{uids[0]}/members").json == {"data": []}


def test_an_account_that_is_deleted_is_nobodys(api, acme):
    uid = api.user(accounts=[{"id": acme}])["uid"]
    api.delete(f"users/{acme}")
    assert api.get(f"users/{uid}").json["accounts"] == []


def test_the_public_key_sees_only_what_it_sent(api, acme):
    user = api.user(email="a@example.com", accounts=[{"id": api.user()["uid"]}])
    hidden = api.user(accounts=[{"id": acme, "role": "hidden"}])["uid"]
    told = api.post(f"users/{hidden}/accounts", {"accounts": [{"id": acme}]}, by="public").json["accounts"]
    assert told == [{"id": acme, "role": None}]
    assert api.post("users", {"id": hidden, "accounts": [{"id": acme}]}, by="public").json["accounts"] == told
    who = {"id": user["id"], "uid": user["uid"]}
    path = f"users/{user['uid']}"
    assert api.post(f"{path}/accounts", {"accounts": [{"id": acme}]}, by="public").json == {
        **who, "accounts": [{"id": acme, "role": None}],
    }  # fmt: skip
    assert api.put(f"{path}/accounts/{acme}", {"role": "x"}, by="public").json["accounts"] == [
        {"id": acme, "role": "x"}
    ]
    assert api.delete(f"{path}/accounts/{acme}", by="public").json == who
    assert api.post(f"{path}/convert", {"type": "account"}, by="public").json == {**who, "is_account": True}


def test_unknown_users_and_accounts_are_not_found(api, acme):
    uid, nobody = api.user()["uid"], fresh()
    for method, path, body in (
        ("POST", f"{nobody}/accounts", {"accounts": [{"id": acme}]}), ("POST", f"{nobody}/convert", {"type": "account"}),
        ("PUT", f"{nobody}/accounts/{acme}", {"role": "x"}), ("PUT", f"{uid}/accounts/{nobody}", {"role": "x"}),
        ("DELETE", f"{nobody}/accounts/{acme}", None), ("DELETE", f"{uid}/accounts/{nobody}", None),
        ("GET", f"{nobody}/members", None), ("DELETE", f"{uid}/accounts/%00", None),
    ):  # fmt: skip
        assert api.call(method, f"users/{path}", body).status_code == 404


def test_accounts_of_another_workspace_are_not_found(api, other_api, acme, tables):
    theirs = other_api.user()["uid"]
    before = tables()
    assert other_api.post(f"users/{theirs}/accounts", {"accounts": [{"id": acme}]}).status_code == 404
    assert other_api.get(f"users/{acme}/members").status_code == 404
    assert tables() == before


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("public", 403)])
def test_members_need_the_secret(api, acme, by, status):
    assert api.get(f"users/{acme}/members", by=by).status_code == status
