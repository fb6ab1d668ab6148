"""The routes of lists (engage.md section 5)."""

import re
from urllib.parse import urlsplit

import pytest

from tests.factories import fresh
from tests.places import STATES, place_in


@pytest.fixture
def news(api):
    """A list."""
    return api.post("lists", {"title": "News"}).json


def on(api, uid):
    """{list id: subscribed} of the user."""
    return {one["id"]: one["subscribed"] for one in api.get(f"users/{uid}").json["lists"]}


def count_of(api, list_id):
    return api.get(f"lists/{list_id}").json["subscriber_count"]


def test_a_list_is_made_and_read_with_either_key(api):
    sent = {
        "title": "Weekly",
        "description": "On Mondays",
        "redirect_url": "https://a.example/x?y=1",
        "double_optin": True,
    }
    made = api.post("lists", sent).json
    assert {
        **sent,
        "subscriber_count": 0,
        "broadcast_count": 0,
        "id": made["id"],
        "created_at": made["created_at"],
    } == made
    assert re.fullmatch("[0-9a-f]{24}", made["id"]) and made["created_at"].endswith("Z")
    assert api.get(f"lists/{made['id']}").json == api.get(f"lists/{made['id']}", by="public").json == made


def test_only_what_is_sent_changes(api, news):
    changed = api.put(f"lists/{news['id']}", {"description": "New", "subscriber_count": 9}).json
    assert changed == {**news, "description": "New"}
    assert api.put(f"lists/{news['id']}", {}).json == changed


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", ""), ("title", "t" * 65), ("title", None), ("description", "d" * 256), ("redirect_url", "javascript:alert(1)"),
     ("redirect_url", "//evil.example"), ("redirect_url", "https://a.example/\r\nX: 1"), ("redirect_url", "http://"),
     ("double_optin", "yes")],
)  # fmt: skip
def test_a_field_that_breaks_its_rule_is_named_and_nothing_is_stored(api, news, tables, field, value):
    before = tables()
    for refused in (api.post("lists", {"title": "t", field: value}), api.put(f"lists/{news['id']}", {field: value})):
        assert (refused.status_code, list(refused.json["details"])) == (400, [field])
    assert tables() == before


def test_lists_are_paged_without_the_archived_ones(api):
    ids = [api.post("lists", {"title": f"l{number}"}).json["id"] for number in range(5)]
    api.delete(f"lists/{ids[1]}")
    first = api.get("lists?limit=2", by="public").json
    assert [one["id"] for one in first["data"]] == [ids[0], ids[2]]
    second = api.get(f"lists?limit=2&next_cursor={first['next_cursor']}").json
    assert [one["id"] for one in second["data"]] == ids[3:] and "next_cursor" not in second
    assert api.get(f"lists?limit=2&previous_cursor={second['previous_cursor']}").json == first


def test_an_archived_list_is_readable_keeps_its_people_and_takes_no_new_ones(api, news, tables):
    path, old, new = f"lists/{news['id']}", api.user(lists=[news["id"]])["uid"], api.user()["uid"]
    assert [api.delete(path).json for _ in range(2)] == [{"status": "ok"}] * 2
    assert api.get(path).status_code == 200 and on(api, old) == {news["id"]: True}
    before = tables()
    assert api.post(f"{path}/subscribers", {"email": "new@example.com"}).status_code == 409
    assert api.put(f"{path}/subscribers/{new}", {"subscribed": True}).status_code == 409
    assert api.post(f"users/{new}/lists", {"lists": [news["id"]]}).status_code == 400
    assert tables() == before
    assert api.put(f"{path}/subscribers/{old}", {"subscribed": False}).status_code == 200
    assert on(api, old) == {news["id"]: False} and count_of(api, news["id"]) == 0


def test_somebody_is_found_by_email_then_number_the_oldest_first_or_made(api, news):
    path = f"lists/{news['id']}/subscribers"
    ada, ben = api.user(email="A@example.com", number="+15550001111")["uid"], api.user(email="a@EXAMPLE.com")["uid"]
    assert api.post(path, {"email": "a@example.COM", "number": "+1 555 000 1111"}).json == {"uid": ada}
    assert api.post(path, {"email": "nobody@example.com", "number": "1-555-000-1111"}).json == {"uid": ada}
    made = api.post(path, {"email": "new@example.com", "first_name": "New", "meta": {"a": 1}}).json["uid"]
    user = api.get(f"users/{made}").json
    assert (user["id"], user["uid_updateable"], user["first_name"], user["meta"]) == (made, True, "New", {"a": 1})
    assert (on(api, ada), on(api, ben), on(api, made)) == ({news["id"]: True}, {}, {news["id"]: True})
    assert count_of(api, news["id"]) == 2


@pytest.mark.parametrize(
    "body", [{}, {"first_name": "x"}, {"email": None, "number": None}, {"email": "nope"}, {"number": "x"}]
)
def test_a_subscriber_needs_an_email_or_a_number(api, news, tables, body):
    before = tables()
    assert api.post(f"lists/{news['id']}/subscribers", body).status_code == 400
    assert tables() == before


def test_a_user_is_subscribed_unsubscribed_and_taken_off(api, news):
    uid, path = api.user()["uid"], f"lists/{news['id']}/subscribers"
    for sent, subscribed, count in (
        (True, True, 1),
        ("true", True, 1),
        ("false", False, 0),
        (False, False, 0),
        (True, True, 1),
    ):
        assert api.put(f"{path}/{uid}", {"subscribed": sent}).json == {"subscribed": subscribed}
        assert (on(api, uid), count_of(api, news["id"])) == ({news["id"]: subscribed}, count)
    for _ in range(2):
        assert api.delete(f"{path}/{uid}").json == {"status": "ok"}
        assert (on(api, uid), count_of(api, news["id"])) == ({}, 0)


@pytest.mark.parametrize("sent", [None, "yes", 1, {}, [True]])
def test_subscribed_is_true_or_false(api, news, sent):
    refused = api.put(f"lists/{news['id']}/subscribers/{api.user()['uid']}", {"subscribed": sent})
    assert (refused.status_code, list(refused.json["details"])) == (400, ["subscribed"])


def test_lists_of_a_user_are_joined_and_left_all_or_none(api, news, tables):
    uid, weekly = api.user()["uid"], api.post("lists", {"title": "Weekly"}).json["id"]
    both = [news["id"], weekly]
    assert len(api.post(f"users/{uid}/lists", {"lists": both}).json["lists"]) == 2
    assert (count_of(api, both[0]), count_of(api, both[1])) == (1, 1)
    assert api.delete(f"users/{uid}/lists", {"lists": [both[0], "f" * 24]}).json["lists"] == [
        {"id": weekly, "subscribed": True}
    ]
    assert count_of(api, both[0]) == 0
    before = tables()
    refused = api.post(f"users/{uid}/lists", {"lists": [both[0], "f" * 24]})
    assert (refused.status_code, list(refused.json["details"])) == (400, ["lists.1"])
    assert api.post(f"users/{uid}/lists", {}).status_code == 400
    assert tables() == before


def test_a_deleted_subscriber_is_not_counted(api, news):
    api.delete(f"users/{api.user(lists=[news['id']])['uid']}")
    assert count_of(api, news["id"]) == 0


@pytest.mark.parametrize("list_id", ["f" * 24, "zzz", "a%00", "A" * 24])
def test_an_unknown_list_is_not_found(api, list_id):
    uid = api.user()["uid"]
    for method, path, body in (
        ("GET", "", None), ("PUT", "", {"title": "t"}), ("DELETE", "", None), ("POST", "/subscribers", {"email": "a@b.co"}),
        ("PUT", f"/subscribers/{uid}", {"subscribed": True}), ("DELETE", f"/subscribers/{uid}", None),
    ):  # fmt: skip
        missing = api.call(method, f"lists/{list_id}{path}", body)
        assert (missing.status_code, missing.json["code"]) == (404, "list_not_found")


def test_an_unknown_user_is_not_found(api, news, tables):
    path, before = f"lists/{news['id']}/subscribers/{fresh()}", tables()
    assert [api.put(path, {"subscribed": True}).status_code, api.delete(path).status_code] == [404, 404]
    assert tables() == before


def test_a_list_of_another_workspace_is_not_found(other_api, news, tables):
    before = tables()
    path = f"lists/{news['id']}"
    calls = [
        other_api.get(path),
        other_api.get(path, by="public"),
        other_api.put(path, {"title": "x"}),
        other_api.delete(path),
    ]
    assert [one.status_code for one in calls] == [404] * 4 and other_api.get("lists").json == {"data": []}
    assert tables() == before


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("public", 403)])
def test_writing_needs_the_secret(api, news, tables, by, status):
    uid = api.user()["uid"]
    before = tables()
    for method, path, body in (
        ("POST", "lists", {"title": "t"}), ("PUT", f"lists/{news['id']}", {"title": "t"}), ("DELETE", f"lists/{news['id']}", None),
        ("POST", f"lists/{news['id']}/subscribers", {"email": "a@b.co"}), ("POST", f"users/{uid}/lists", {"lists": []}),
        ("PUT", f"lists/{news['id']}/subscribers/{uid}", {"subscribed": True}), ("DELETE", f"users/{uid}/lists", {"lists": []}),
    ):  # fmt: skip
        assert api.call(method, path, body, by=by).status_code == status
    assert tables() == before


def test_who_is_on_a_list_is_listed_by_state(api):
    news = api.post("lists", {"title": "News", "double_optin": True}).json["id"]
    states = (*STATES, *STATES)
    uids = [place_in(api, status, double_optin=True, news=news)[0] for status in states]
    placed = [(uid, status) for uid, status in zip(uids, states, strict=True) if status]
    for wanted in (None, "subscribed", "pending", "unsubscribed"):
        expected = [one for one in placed if wanted in (None, one[1])]
        query, found, cursor = f"limit=1&status={wanted}" if wanted else "limit=1", [], ""
        while cursor is not None:
            page = api.get(f"lists/{news}/subscribers?{query}{cursor}").json
            found += page["data"]
            cursor = f"&next_cursor={page['next_cursor']}" if "next_cursor" in page else None
        assert [(one["uid"], one["status"]) for one in found] == expected
        assert all(("confirmation_url" in one) == (one["status"] == "pending") for one in found)
        back = api.get(f"lists/{news}/subscribers?{query}&previous_cursor={page['previous_cursor']}").json
        assert [one["uid"] for one in back["data"]] == [expected[-2][0]]
    pending = api.get(f"lists/{news}/subscribers?status=pending").json["data"]
    link = urlsplit(pending[0]["confirmation_url"]).path
    assert api.call("POST", link, by=None).json == {"status": "ok"}
    assert len(api.get(f"lists/{news}/subscribers?status=pending").json["data"]) == 1


@pytest.mark.parametrize("query", ["status=left", "status=", "limit=31", "next_cursor=x", "state=pending"])
def test_a_query_for_subscribers_that_is_wrong_is_refused(api, news, query):
    assert api.get(f"lists/{news['id']}/subscribers?{query}").status_code == 400


def test_the_subscribers_of_a_list_are_found_by_index(api, news, plans):
    for query in ("limit=2", "limit=2&status=pending", f"status=pending&next_cursor={'0' * 24}"):
        plans.clear()
        api.get(f"lists/{news['id']}/subscribers?{query}")
        assert not [line for plan in plans for line in plan if line.startswith("SCAN") or "TEMP B-TREE" in line], plans
