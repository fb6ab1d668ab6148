"""PATCH /v1/users/{uid}, ETag, If-Match and If-None-Match: our own addition (RFC 7396, RFC 9110)."""

import pytest

from tests.factories import fresh


def given(**headers):
    return {"headers": {name.replace("_", "-"): value for name, value in headers.items()}}


def patch(api, uid, body, **more):
    return api.call("PATCH", f"users/{uid}", body, **more)


def test_what_is_sent_is_merged_and_null_removes(api):
    user = api.user(first_name="Ada", last_name="Love", email="a@example.com", meta={"a": 1, "b": 2})
    patched = patch(
        api, user["uid"], {"first_name": None, "last_name": "Lovelace", "meta": {"a": None, "c": True, "no": None}}
    )
    assert patched.json == {**user, "first_name": None, "last_name": "Lovelace", "meta": {"b": 2, "c": True}}
    assert patch(api, user["uid"], {"meta": None}).json["meta"] == {}
    assert api.get(f"users/{user['uid']}").json == {**patched.json, "meta": {}}


def test_a_missing_user_is_created(api):
    uid = fresh()
    assert patch(api, uid, {"email": "a@example.com", "meta": {"a": 1, "b": None}}).json["meta"] == {"a": 1}


def test_a_stale_etag_changes_nothing(api, tables):
    uid = api.user(meta={"a": 1})["uid"]
    etag = api.get(f"users/{uid}").headers["ETag"]
    assert patch(api, uid, {"meta": {"a": 2}}, **given(If_Match=etag)).status_code == 200
    before = tables()
    refused = patch(api, uid, {"meta": {"a": 3}}, **given(If_Match=etag))
    assert (refused.status_code, refused.json["code"]) == (412, "precondition_failed")
    assert patch(api, fresh(), {}, **given(If_Match=etag)).status_code == 412
    assert tables() == before


def test_the_etag_of_a_reply_is_that_of_the_next_read_and_follows_every_change(api):
    uid, seen = api.user()["uid"], set()
    for body in (
        {"first_name": "a"},
        {"meta": {"a": 1}},
        {"meta": {"a": None, "b": 1}},
        {"device_token": fresh()},
        {"is_account": True},
    ):
        etag = patch(api, uid, body).headers["ETag"]
        assert api.get(f"users/{uid}").headers["ETag"] == etag
        seen.add(etag)
    assert len(seen) == 5


def test_if_none_match_creates_only(api, tables):
    uid = fresh()
    assert patch(api, uid, {"first_name": "a"}, **given(If_None_Match="*")).status_code == 200
    before = tables()
    assert patch(api, uid, {"first_name": "b"}, **given(If_None_Match="*")).status_code == 412
    assert tables() == before


@pytest.mark.parametrize(
    "body", [[], {"email": "nope"}, {"meta": {"a": {}}}, {"meta": {f"k{i}": 1 for i in range(301)}}]
)
def test_a_body_that_breaks_a_rule_is_refused(api, tables, body):
    uid = api.user(meta={"a": 1})["uid"]
    before = tables()
    assert patch(api, uid, body).status_code == 400
    assert tables() == before


def test_what_is_removed_makes_room(api):
    uid = api.user(meta={f"k{i}": i for i in range(300)})["uid"]
    assert patch(api, uid, {"meta": {"k0": None, "more": 1}}).status_code == 200
    assert patch(api, uid, {"meta": {"even": 1}}).status_code == 400


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("public", 403)])
def test_without_the_secret_nothing_changes(api, tables, by, status):
    uid = api.user()["uid"]
    before = tables()
    assert patch(api, uid, {"first_name": "x"}, by=by).status_code == status
    assert tables() == before


def test_a_user_of_another_workspace_is_not_touched(api, other_api):
    theirs = other_api.user(meta={"a": 1})
    patch(api, theirs["uid"], {"meta": {"a": None}})
    assert other_api.get(f"users/{theirs['uid']}").json == theirs
