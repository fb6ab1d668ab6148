"""GET /v1/users (engage.md section 4.4)."""

import pytest

from tests.factories import fresh


@pytest.fixture
def five(api):
    """The uids of five users in the order in which they came."""
    return [api.user(f"p{number}")["uid"] for number in range(5)]


def uids(page):
    return [user["uid"] for user in page["data"]]


def test_a_walk_forward_and_back_sees_each_once(api, five):
    first = api.get("users?limit=2").json
    assert uids(first) == ["p0", "p1"] and "previous_cursor" not in first
    second = api.get(f"users?limit=2&next_cursor={first['next_cursor']}").json
    assert uids(second) == ["p2", "p3"]
    third = api.get(f"users?limit=2&next_cursor={second['next_cursor']}").json
    assert uids(third) == ["p4"] and "next_cursor" not in third
    back = api.get(f"users?limit=2&previous_cursor={third['previous_cursor']}").json
    assert back == second
    assert api.get(f"users?limit=2&previous_cursor={back['previous_cursor']}").json == first


def test_cursors_are_the_first_and_last_id(api, five):
    page = api.get(f"users?limit=2&next_cursor={'0' * 24}").json
    assert page["next_cursor"] == page["data"][-1]["id"]
    middle = api.get(f"users?limit=2&next_cursor={page['next_cursor']}").json
    assert middle["previous_cursor"] == middle["data"][0]["id"]


def test_a_page_shows_whole_users(api, five):
    user = api.user("p2", email="a@example.com", device_token=fresh(), meta={"big": 1e300})
    assert api.get("users").json["data"][2] == user


def test_a_page_has_10_rows_unless_asked(api):
    for _ in range(11):
        api.user()
    assert len(api.get("users").json["data"]) == 10
    assert len(api.get("users?limit=30").json["data"]) == 11


def test_an_empty_page_has_no_cursors(api, five):
    assert api.get(f"users?next_cursor={'f' * 24}").json == {"data": []}


def test_a_cursor_survives_its_user(api, five):
    first = api.get("users?limit=2").json
    api.delete("users/p1")
    assert uids(api.get(f"users?limit=2&next_cursor={first['next_cursor']}").json) == ["p2", "p3"]
    assert uids(api.get(f"users?limit=2&previous_cursor={first['next_cursor']}").json) == ["p0"]


def test_email_is_found_whatever_its_capitals_and_paged(api, five):
    for name in ("a", "b", "c"):
        api.user(name, email="Shared@Example.com")
    first = api.get("users?email=shared@example.COM&limit=2").json
    assert uids(first) == ["a", "b"]
    second = api.get(f"users?email=shared@example.com&limit=2&next_cursor={first['next_cursor']}").json
    assert uids(second) == ["c"] and "next_cursor" not in second and "previous_cursor" in second
    assert api.get("users?email=%25@example.com").json == {"data": []}


def test_the_deprecated_parameters_answer_with_has_more(api, five):
    ids = [user["id"] for user in api.get("users").json["data"]]
    after = api.get(f"users?limit=2&after_id={ids[0]}").json
    assert uids(after) == ["p1", "p2"] and after.keys() == {"data", "has_more"} and after["has_more"] is True
    assert api.get(f"users?limit=2&after_id={ids[2]}").json["has_more"] is False
    before = api.get(f"users?limit=2&before_id={ids[2]}").json
    assert uids(before) == ["p0", "p1"] and before["has_more"] is False


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=31", "limit=-1", "limit=abc", "limit=", "limit=1.5", "limit=%2B1", "limit=1_0", "limit=%D9%A1",
        "limit=1&limit=2", "next_cursor=zzz", "next_cursor=", "next_cursor=" + "A" * 24, "previous_cursor=%00",
        "next_cursor=" + "a" * 24 + "%0A", f"next_cursor={'0' * 24}&previous_cursor={'f' * 24}",
        f"after_id={'0' * 24}&before_id={'f' * 24}", "after_id=zzz", "email=%00",
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named(api, query):
    refused = api.get(f"users?{query}")
    assert refused.status_code == 400
    assert set(refused.json["details"]) <= {part.partition("=")[0] for part in query.split("&")}


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("public", 403)])
def test_without_the_secret_nobody_is_shown(api, five, by, status):
    refused = api.get("users", by=by)
    assert refused.status_code == status and "data" not in refused.json


def test_users_of_another_workspace_are_not_shown(api, other_api, five):
    assert other_api.get("users").json == {"data": []}
