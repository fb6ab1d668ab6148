"""`GET user` and `GET users` of the Atomic API."""

import pytest

from app.models.database import db
from app.services.atomic import customers
from tests.factories import fresh


def test_a_user_of_engage_is_a_customer(api, atomic):
    uid = fresh()
    made = api.user(uid, first_name="Ada", last_name="L", email="a@b.co", number="+1 555 0100", meta={"city": "Lagos"})
    assert atomic.customer(uid) == {
        "id": uid,
        "preferences": {"timezone": None, "notificationsEnabled": True, "notifications": {}},
        "preferencesUpdated": None,
        "created": made["created_at"].replace("+00:00", "Z"),
        "profile": {"name": "Ada L", "email": "a@b.co", "phone": "+1 555 0100", "city": "Lagos"},
        "segments": {},
    }


def test_attributes_that_are_no_fields_are_not_shown_and_others_become_text(api, atomic):
    uid = fresh()
    api.user(uid, meta={"plan": "pro", "country": 7, "region": True, "name": "N", "last_seen_at": "x"}, first_name="A")
    assert atomic.profile(uid) == {"name": "N", "country": "7", "region": "true", "last_seen_at": "x"}


@pytest.mark.parametrize("uid", ["nobody", "a/b", "", "%00", ".."])
def test_an_unknown_customer_is_404(atomic, refused, uid):
    refused(
        atomic.get(f"user?id={uid}"),
        400 if uid == "%00" else 404,
        "invalid_input" if uid == "%00" else "user_not_found",
    )


def test_no_id_is_bad_input(atomic, refused):
    assert refused(atomic.get("user"), 400, "invalid_input")["source"] == {"parameter": "id"}


def test_a_customer_of_another_environment_is_404(atomic, other_api, refused):
    refused(atomic.get(f"user?id={other_api.user()['uid']}"), 404, "user_not_found")


def test_a_walk_sees_everybody_once_in_the_order_of_coming(api, atomic):
    uids = [api.user()["uid"] for _ in range(5)]
    seen, path = [], "users?limit=2"
    while path:
        page = atomic.get(path)
        seen += [one["id"] for one in page.json["data"]["users"]]
        cursor = page.json["data"].get("cursor")
        path = page.headers["Link"].partition("<")[2].partition(">")[0] if cursor else None
        assert not cursor or path.endswith(f"?limit=2&cursor={cursor}")
    assert seen == uids


def test_the_page_of_everybody_has_neither_cursor_nor_link(api, atomic):
    api.user()
    page = atomic.get("users")
    assert list(page.json["data"]) == ["users"] and "Link" not in page.headers


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "cursor=zzz", "cursor=", "x=1"]
)
def test_a_query_that_is_wrong_is_refused(atomic, refused, query):
    assert refused(atomic.get(f"users?{query}"), 400, "invalid_input")["source"] == {
        "parameter": query.partition("=")[0]
    }


def test_a_segment_that_is_not_there_is_an_empty_list(api, atomic):
    api.user()
    for segment in ("nosuch", "62bbdd2e5bfea4dca4834045", ""):
        assert atomic.get(f"users?segmentId={segment}").json == {"data": {"users": []}}


def test_a_page_takes_the_same_number_of_queries_whatever_its_length(api, atomic, workspace, monkeypatch):
    run, seen = db.obj.execute_sql, []
    for _ in range(3):
        api.user()
    monkeypatch.setattr(db.obj, "execute_sql", lambda *args: seen.append(args[0]) or run(*args))
    assert len(customers.page(workspace, 3).rows) == 3
    assert len(seen) == 3
