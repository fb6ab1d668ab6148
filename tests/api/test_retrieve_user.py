"""GET /v1/users/{uid} (engage.md sections 3 and 4)."""

import orjson
import pytest

from app.domain.shape import shown
from app.schemas.users import UserSchema
from app.services import users
from tests.factories import fresh


def test_what_was_stored_is_shown(api, make_list):
    uid = "a.jinadu+1@somecorp.email"
    sent = {
        "first_name": "Akinyele", "last_name": "Jinadu", "number": "+1 (555) 555-12.34", "email": "A.Jinadu@SomeCorp.email",
        "meta": {"big": 1e300, "small": 1e-7, "negative": -2.5e-300, "int": 2**53 - 1, "float": 3.0, "zero": 0,
                 "empty": "", "no": False, "__proto__": "x", "a.b[0]$": "emoji \U0001f600", "é": "\u0639"},
    }  # fmt: skip
    api.put(f"users/{uid}", sent)
    shown = api.get(f"users/{uid}").json
    assert {field: shown[field] for field in sent} == sent
    assert isinstance(shown["meta"]["float"], float) and shown["meta"]["no"] is False


def test_what_was_read_can_be_sent_back(api, make_list):
    news, acme = make_list("News"), api.user()["uid"]
    user = api.user(lists=[news], accounts=[{"id": acme, "role": "owner"}], meta={"big": 1e300}, number="+15550001111")
    again = api.put(f"users/{user['uid']}", user)
    assert again.status_code == 200
    assert again.json == user


def test_the_reply_by_hand_is_the_reply_of_the_schema(api, make_list, workspace):
    uid = api.user(
        lists=[make_list("News")], accounts=[{"id": api.user()["uid"]}], device_token="t", meta={"a": 1.5, "b": "x"}
    )["uid"]
    api.post(f"users/{uid}/events", {"event": "e", "timestamp": "1969-12-31T23:59:59.001Z"})
    by_hand = shown(users.retrieve(workspace, uid))
    row = users.retrieve(workspace, uid)
    attributes = {
        **row._asdict(), "archived": row.archived_at is not None, "segments": [], "stats": by_hand["stats"],
        "lists": by_hand["lists"], "member_count": None,
    }  # fmt: skip
    dumped = UserSchema().dump(attributes)
    assert orjson.dumps(by_hand) == orjson.dumps({name: dumped[name] for name in by_hand})
    assert dumped.keys() == by_hand.keys()


def test_an_unknown_user_is_not_found(api):
    missing = api.get(f"users/{fresh()}")
    assert missing.status_code == 404
    assert missing.json["code"] == "user_not_found"


@pytest.mark.parametrize("path", ["%00", "a%2Fb", "%2e%2e", "%ff%fe", "a" * 3900, "a%20", "%0d%0aX:1", "%ed%a0%80"])
def test_a_uid_that_nobody_can_have_is_not_found(api, path):
    assert api.get(f"users/{path}").status_code == 404


def test_case_and_normal_form_decide(api):
    api.user("Ada1é")
    assert api.get("users/ada1é").status_code == 404
    assert api.get("users/Ada1e\u0301").status_code == 404


def test_the_public_key_is_refused_whether_the_user_exists_or_not(api):
    known, unknown = api.user()["uid"], fresh()
    replies = [api.get(f"users/{uid}", by="public") for uid in (known, unknown)]
    assert [reply.status_code for reply in replies] == [403, 403]


def test_a_user_of_another_workspace_is_not_found(api, other_api):
    theirs = other_api.user()
    assert api.get(f"users/{theirs['uid']}").status_code == 404
    assert api.get(f"users/{theirs['id']}").status_code == 404


def test_the_unversioned_route_is_the_same(api):
    user = api.user()
    assert api.get(f"/users/{user['uid']}").json == user
    assert api.get(f"/users/{user['uid']}", by=None).status_code == 401
