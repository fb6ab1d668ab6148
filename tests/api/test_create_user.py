"""POST /v1/users (engage.md section 4.1)."""

import dataclasses

import pytest
from marshmallow import ValidationError

from app.domain import uids
from app.schemas.users import CreateUserSchema
from tests.factories import fresh

WHOLE_USER = [
    "id", "uid", "uid_updateable", "first_name", "last_name", "number", "email", "devices", "accounts", "is_account",
    "member_count", "archived", "lists", "segments", "meta", "created_at", "last_interaction", "stats",
]  # fmt: skip


def test_a_user_is_created_and_shown_whole(api):
    uid = fresh()
    made = api.post("users", {"id": uid, "first_name": "Ada", "meta": {"plan": "pro", "age": 34}, "number": 2348012345})
    assert made.status_code == 200
    assert list(made.json) == WHOLE_USER
    assert made.json["uid"] == uid and made.json["meta"] == {"plan": "pro", "age": 34}
    assert made.json["number"] == "2348012345"
    assert api.get(f"users/{uid}").json == made.json


def test_the_public_key_is_enough_and_sees_the_user_it_made_whole(api):
    made = api.post("users", {"id": fresh(), "email": "a@example.com"}, by="public")
    assert made.status_code == 200
    assert list(made.json) == WHOLE_USER


def test_an_id_that_exists_is_updated(api):
    user = api.user(first_name="Ada", meta={"a": 1})
    again = api.post("users", {"id": user["uid"], "last_name": "Love", "meta": {"b": 2}}).json
    assert (again["id"], again["first_name"], again["last_name"]) == (user["id"], "Ada", "Love")
    assert again["meta"] == {"a": 1, "b": 2}


def test_the_public_key_learns_nothing_of_a_user_that_was_there(api):
    user = api.user(email="a@example.com", number="+15550001111", meta={"plan": "pro"})
    again = api.post("users", {"id": user["uid"], "first_name": "x", "meta": {"visits": 1}}, by="public")
    assert again.json == {"id": user["id"], "uid": user["uid"], "first_name": "x", "meta": {"visits": 1}}


def test_lists_are_subscribed_without_a_confirmation(api, make_list):
    news = make_list("News")
    made = api.post("users", {"id": fresh(), "lists": [news]}).json
    assert made["lists"] == [{"id": news, "subscribed": True}]


def test_an_unknown_list_is_named_and_nothing_is_stored(api, make_list, tables):
    news, before = make_list("News"), tables()
    refused = api.post("users", {"id": fresh(), "lists": [news, "f" * 24]})
    assert refused.status_code == 400
    assert list(refused.json["details"]) == ["lists.1"]
    assert tables()["users"] == before["users"] and tables()["subscriptions"] == before["subscriptions"]


def test_a_list_of_another_workspace_is_unknown(api, other_api, make_list, app):
    foreign = make_list("Theirs", other_api)
    assert api.post("users", {"id": fresh(), "lists": [foreign]}).status_code == 400


def test_accounts_are_joined_in_the_order_given(api):
    acme, zeta = api.user(is_account=True)["uid"], api.user()["uid"]
    made = api.post("users", {"id": fresh(), "accounts": [{"id": zeta, "role": "owner"}, {"id": acme}]}).json
    assert made["accounts"] == [{"id": zeta, "role": "owner"}, {"id": acme, "role": None}]
    assert api.get(f"users/{zeta}").json["is_account"] is True
    assert api.get(f"users/{zeta}").json["member_count"] == 1


@pytest.mark.parametrize("account", ["nobody", "itself"])
def test_an_account_that_cannot_be_is_refused_and_nothing_is_stored(api, tables, account):
    uid, good, before = fresh(), api.user()["uid"], tables()
    wanted = [{"id": good}, {"id": uid if account == "itself" else account}]
    refused = api.post("users", {"id": uid, "accounts": wanted})
    assert refused.status_code == 400
    assert list(refused.json["details"]) == ["accounts.1.id"]
    assert tables() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "not-plain"), ("id", ""), ("id", None), ("id", 1.5), ("first_name", "a" * 256), ("last_name", 5),
        ("email", "nope"), ("email", "a@b.co\r\nBcc: x@y.z"), ("number", "call me"), ("number", "1234"),
        ("created_at", "2026-02-30"), ("created_at", "9999-12-31T23:59:59-14:00"), ("is_account", "maybe"),
        ("device_platform", "symbian"), ("device_platform", "ios"), ("lists", "abc"), ("accounts", [None]),
        ("meta", {"a": None}), ("meta", {"a": {}}), ("meta", {"k" * 129: 1}), ("meta", {"a": "z" * 4097}),
        ("tz", "../etc"), ("app_version", "1" * 65), ("app_last_active", "yesterday"),
    ],
)  # fmt: skip
def test_a_field_that_breaks_its_rule_is_named_and_nothing_is_stored(api, tables, field, value):
    before = tables()
    refused = api.post("users", {"id": fresh(), field: value})
    assert refused.status_code == 400
    assert refused.json["code"] == "invalid_input"
    assert any(name.split(".")[0] == field for name in refused.json["details"])
    assert tables() == before


def test_an_id_that_is_not_plain_is_told_the_way_out(api):
    refused = api.post("users", {"id": "a@example.com"})
    assert refused.status_code == 400
    assert "PUT" in refused.json["error"] and "ROLLCALL_CREATE_ID" in refused.json["error"]


def test_any_uid_is_taken_where_the_setting_says_so(api, monkeypatch):
    items = [{"type": "create", "id": uid, "first_name": "Ada"} for uid in (fresh(), f"{fresh()}@example.com")]
    refused = api.post("batch", {"data": items}).json
    assert (refused["accepted"], [one["index"] for one in refused["errors"]]) == (1, [1])
    with pytest.raises(ValidationError, match="letters and digits"):
        CreateUserSchema().load({"id": "a-b"})
    monkeypatch.setattr(uids, "_any_may_be_created", True)
    assert api.post("users", {"id": f"{fresh()}@example.com"}).status_code == 200
    assert api.post("batch", {"data": items}).json["accepted"] == 2
    assert CreateUserSchema().load({"id": "a-b"}) == {"id": "a-b"}


def test_create_id_sets_it(settings, use_app):
    try:
        use_app(dataclasses.replace(settings, create_id="any"))
        assert uids.may_be_created("a-b")
    finally:
        use_app(settings)
    assert not uids.may_be_created("a-b")


def test_an_integer_id_is_its_digits(api):
    assert api.post("users", {"id": 190001}).json["uid"] == "190001"


def test_keys_that_are_not_ours_to_set_are_ignored(api):
    sent = {"id": fresh(), "stats": {"opened": 9}, "segments": [{"id": "f" * 24}], "devices": [1], "source": "x",
            "uid_updateable": True, "member_count": 7, "last_interaction": "2020-01-01", "archived": True}  # fmt: skip
    made = api.post("users", sent).json
    assert (made["stats"]["opened"], made["segments"], made["devices"], made["uid_updateable"]) == (0, [], [], False)
    assert (made["member_count"], made["last_interaction"], made["archived"]) == (None, None, False)


def test_created_at_is_what_the_caller_says(api):
    made = api.post("users", {"id": fresh(), "created_at": "2020-09-29T14:50:29.907+05:30"}).json
    assert made["created_at"] == "2020-09-29T09:20:29.907+00:00"


def test_strangers_are_refused_before_the_body_is_read(api, tables):
    before = tables()
    refused = api.post("users", b"[" * 20000, by=None)
    assert refused.status_code == 401
    assert refused.json["error"] == "Wrong authentication credentials."
    assert refused.headers["WWW-Authenticate"] == 'Basic realm="Rollcall"'
    assert tables() == before


def test_creating_twice_makes_one_user(api, workspace, count):
    body = {"id": fresh(), "device_token": "token1"}
    first, second = api.post("users", body).json, api.post("users", body).json
    assert first == second
    assert count("users", workspace) == 1
