"""DELETE /v1/users/{uid} (engage.md section 4)."""

import pytest

from tests.factories import fresh


@pytest.mark.parametrize("body", [None, b"", b"[]", b"{}"])
def test_a_user_and_all_about_them_is_gone(api, make_list, workspace, count, body):
    acme = api.user()["uid"]
    uid = api.user(lists=[make_list("News")], accounts=[{"id": acme}], device_token=fresh())["uid"]
    api.post(f"users/{uid}/events", {"event": "e"})
    deleted = api.delete(f"users/{uid}", body, headers={"Content-Type": "application/json"})
    assert (deleted.status_code, deleted.json) == (200, {"status": "ok"})
    assert api.get(f"users/{uid}").status_code == 404
    left = {table: count(table, workspace) for table in ("users", "devices", "subscriptions", "memberships", "events")}
    assert left == {"users": 1, "devices": 0, "subscriptions": 0, "memberships": 0, "events": 0}
    assert api.get(f"users/{acme}").json["member_count"] == 0


def test_deleting_twice_is_not_found(api):
    uid = api.user()["uid"]
    assert [api.delete(f"users/{uid}").status_code for _ in range(2)] == [200, 404]


def test_the_same_uid_again_is_somebody_new(api):
    user = api.user(email="a@example.com", meta={"a": 1})
    api.delete(f"users/{user['uid']}")
    again = api.user(user["uid"])
    assert again["id"] != user["id"] and again["email"] is None and again["meta"] == {}


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("public", 403)])
def test_without_the_secret_nothing_is_deleted(api, tables, by, status):
    uid = api.user()["uid"]
    before = tables()
    assert api.delete(f"users/{uid}", by=by).status_code == status
    assert tables() == before


def test_a_user_of_another_workspace_is_not_found(api, other_api, tables):
    uid = other_api.user()["uid"]
    before = tables()
    assert api.delete(f"users/{uid}").status_code == 404
    assert tables() == before
