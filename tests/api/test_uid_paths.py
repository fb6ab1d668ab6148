"""What nobody can be called: the rule of uids on every route that has one in its path."""

import pytest

from app.domain import uids
from app.models.database import db
from app.services import workspaces
from tests.factories import fresh

WRITES = [
    ("PUT", "users/{}", {"first_name": "Ann"}), ("PATCH", "users/{}", {"first_name": "Ann"}), ("POST", "users/{}/events", {"event": "Paid"}),
    ("POST", "users/{}/convert", {"type": "account"}), ("POST", "users/{}/archive", None), ("POST", "users/{}/lists", {"lists": []}),
    ("POST", "users/{}/accounts", {"accounts": [{"id": "acme"}]}), ("PUT", "users/{}/accounts/acme", {"role": "x"}),
]  # fmt: skip
READS = [
    ("GET", "users/{}"), ("GET", "users/{}/events"), ("GET", "users/{}/members"), ("DELETE", "users/{}"),
    ("DELETE", "users/{}/attributes/plan"), ("DELETE", "users/{}/tokens/t"), ("DELETE", "users/{}/accounts/acme"),
]  # fmt: skip
BAD = [
    "patients%2F17",
    "patients%2f17",
    "a%2F",
    "%2Fa",
    "..%2Fetc",
    "a%2Fevents",
    "a%2Flists",
    "a%2Farchive",
    "%C3%A9%2F1",
]
INVISIBLE = ["\u200b", "\ufeff", "\u00ad", "\u2060", "\u200e", "\u3164", "\u2800", "\ufe0f", "\U000e0041"]


@pytest.mark.parametrize("prefix", ["/v1/", "/"])
@pytest.mark.parametrize("bad", BAD)
def test_a_uid_with_a_slash_is_refused_with_the_rule(api, tables, prefix, bad):
    """cases/uid-with-slash.md"""
    before = tables()
    for method, path, body in WRITES:
        refused = api.call(method, prefix + path.format(bad), body)
        assert (refused.status_code, refused.json["code"]) == (400, "invalid_input"), path
        assert refused.json["error"] == f"uid: {uids.RULE}"
    for method, path in READS:
        refused = api.call(method, prefix + path.format(bad))
        assert (refused.status_code, refused.json["code"]) == (404, "user_not_found"), path
        assert uids.RULE[1:] in refused.json["error"]
    assert tables() == before


def test_an_account_and_a_subscriber_with_a_slash_are_refused_with_the_rule(api):
    uid, made = api.user()["uid"], api.post("lists", {"title": "News"}).json["id"]
    for method, status, code in (("PUT", 400, "invalid_input"), ("DELETE", 404, "account_not_found")):
        refused = api.call(method, f"users/{uid}/accounts/a%2Fb", {"role": "x"} if method == "PUT" else None)
        assert (refused.status_code, refused.json["code"]) == (status, code) and "slash" in refused.json["error"]
    for method, status in (("PUT", 400), ("GET", 404), ("DELETE", 404)):
        body = {"subscribed": True} if method == "PUT" else None
        refused = api.call(method, f"lists/{made}/subscribers/a%2Fb", body)
        assert refused.status_code == status and "slash" in refused.json["error"]


def test_an_attribute_a_token_and_the_name_of_an_event_may_have_a_slash(api):
    """cases/uid-with-slash.md: look also at"""
    uid = api.user(meta={"a/b": 1, "/": 2, "%2F": 3, "c": 4}, device_token="t/1/")["uid"]
    for name in ("a%2Fb", "%2F", "%252F"):
        assert api.delete(f"users/{uid}/attributes/{name}").status_code == 200
    assert api.get(f"users/{uid}").json["meta"] == {"c": 4}
    assert api.delete(f"users/{uid}/attributes/a/b").json["code"] == "not_found"
    assert api.delete(f"users/{uid}/tokens/t%2F1%2f").json["devices"] == []
    assert api.post(f"users/{uid}/events", {"event": "in/out"}).status_code == 200
    assert [one["event"] for one in api.get(f"users/{uid}/events?event=in%2Fout").json["data"]] == ["in/out"]


def test_an_escaped_slash_leads_to_no_other_route(api):
    for path in (
        "/v1%2Fusers",
        "/%2Fv1/users",
        "/v1/users%2F",
        "/docs%2F",
        "/docs/..%2F..%2Fetc%2Fpasswd",
        "/v1/lists%2Fx",
    ):
        assert api.get(path).status_code == 404, path
    uid = api.user()["uid"]
    assert api.post(f"users/{uid}%2Fevents", {"event": "Paid"}).status_code == 405
    assert api.get(f"users/{uid}/events").json["data"] == []


@pytest.mark.parametrize("mark", INVISIBLE)
def test_a_uid_with_an_invisible_character_at_an_end_is_refused(api, tables, mark):
    before = tables()
    for uid in (f"a{mark}", f"{mark}a", mark, f"a {mark}"):
        assert api.put(f"users/{uid}", {"first_name": "Ann"}).json["error"] == f"uid: {uids.RULE}"
        refused = api.post(
            "batch", {"data": [{"type": "update", "id": uid}, {"type": "event", "id": uid, "event": "e"}]}
        )
        assert [one["error"] for one in refused.json["errors"]] == [f"id: {uids.RULE}"] * 2
        assert api.get(f"users/{uid}").status_code == 404
    assert tables() == before
    uid = f"{fresh()}{mark}b"
    assert api.put(f"users/{uid}", {"first_name": "Ann"}).json["uid"] == uid


def test_a_user_whose_uid_an_earlier_rule_let_in_can_be_read_merged_and_erased(api):
    stored = [f"{fresh()}\u200b" for _ in range(2)]
    for uid in stored:
        id = api.user(first_name="Ann")["id"]
        db.execute_sql(f"UPDATE users SET uid = '{uid}' WHERE id = '{id}' AND workspace_id = {_workspace(api)}")
        assert api.get(f"users/{uid}").json["uid"] == uid
    merged = api.post("users/merge", {"source": stored[0], "destination": fresh()})
    assert merged.status_code == 200 and api.get(f"users/{stored[0]}").status_code == 404
    assert api.delete(f"users/{stored[1]}").status_code == 200


def _workspace(api):
    return workspaces.find(api.keys.workspace)
