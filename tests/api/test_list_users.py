"""GET /v1/users (engage.md section 4.4)."""

import pytest

from app.models.database import db
from app.services import users
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


# ---- our own additions --------------------------------------------------------------------------------------------


def found(api, query):
    page = api.get(f"users?{query}")
    assert page.status_code == 200, page.json
    return uids(page.json)


@pytest.fixture
def people(api, make_list):
    """Three users who differ in everything; the id of the list that one is on, and another has left."""
    news = make_list("News")
    api.user(
        "ada", number="+234 803", created_at="2020-01-01", meta={"plan": "pro", "age": 34, "vip": True}, lists=[news]
    )
    api.user(
        "ben", is_account=True, created_at="2021-01-01", meta={"plan": "free", "age": "34", "vip": 1}, lists=[news]
    )
    api.user("cyd", created_at="2022-01-01", meta={"plan": "pro", "age": 3.5, "vip": "true"})
    api.put(f"lists/{news}/subscribers/ben", {"subscribed": False})
    api.post("users/cyd/archive")
    return news


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("is_account=true", ["ben"]), ("is_account=false", ["ada", "cyd"]), ("archived=true", ["cyd"]),
        ("archived=false", ["ada", "ben"]), ("number=234-803", ["ada"]), ("number=99999", []),
        ("created_since=2021-01-01", ["ben", "cyd"]), ("created_until=2021-01-01", ["ada"]),
        ("created_since=2020-06-01&created_until=2021-06-01&is_account=true", ["ben"]),
        ("meta.plan=pro", ["ada", "cyd"]), ("meta.age=34", ["ada", "ben"]), ("meta.age=3.5", ["cyd"]), ("meta.vip=true", ["ada", "cyd"]),
        ("meta.vip=1", ["ben"]), ("meta.plan=pro&meta.age=34", ["ada"]), ("meta.none=x", []), ("meta.plan=", []),
        ("order=desc", ["cyd", "ben", "ada"]), ("order=desc&meta.plan=pro", ["cyd", "ada"]),
    ],
)  # fmt: skip
def test_filters(api, people, query, expected):
    assert found(api, query) == expected


@pytest.mark.parametrize("key", ['quo"te', "back\\slash", "a.b", "$[0]", "é", "%", "sp ace", "'; DROP TABLE users"])
def test_an_attribute_of_any_name_is_found(api, key):
    from urllib.parse import quote

    uid = api.user(meta={key: key})["uid"]
    api.user(meta={"other": key})
    assert found(api, f"meta.{quote(key)}={quote(key)}") == [uid]


def test_lists_are_those_who_are_on_any_of_them(api, people, make_list):
    assert found(api, f"lists[]={people}") == ["ada"]
    other = make_list("Other")
    api.post("users/cyd/lists", {"lists": [other]})
    assert found(api, f"lists[]={people}&lists[]={other}") == ["ada", "cyd"]
    assert found(api, f"lists[]={'f' * 24}") == []


def test_a_walk_against_the_order(api, five):
    first = api.get("users?order=desc&limit=2").json
    assert uids(first) == ["p4", "p3"] and "previous_cursor" not in first
    second = api.get(f"users?order=desc&limit=2&next_cursor={first['next_cursor']}").json
    assert uids(second) == ["p2", "p1"]
    assert api.get(f"users?order=desc&limit=2&previous_cursor={second['previous_cursor']}").json == first


def test_only_the_fields_asked_for_are_shown(api, five):
    page = api.get("users?limit=1&fields=uid,email,meta").json
    assert page["data"] == [{"uid": "p0", "email": None, "meta": {}}] and page["next_cursor"]


def test_the_next_page_is_linked(api, five):
    first = api.get("users?limit=2&order=asc")
    target = first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
    assert uids(api.get(target).json) == ["p2", "p3"]
    assert "Link" not in api.get("users?limit=30").headers


@pytest.mark.parametrize(
    ("query", "name", "hint"),
    [
        ("emial=a@b.co", "emial", "email"), ("is_acount=true", "is_acount", "is_account"), ("zzzzzz=1", "zzzzzz", ""),
        ("is_account=1", "is_account", ""), ("order=up", "order", ""), ("fields=uid,secret", "fields", ""), ("number=x", "number", ""),
        ("created_since=x", "created_since", ""), ("lists[]=zzz", "lists[]", ""), ("lists=zzz", "lists", "lists[]"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_the_nearest_name(api, query, name, hint):
    refused = api.get(f"users?{query}")
    assert refused.status_code == 400
    [(field, [message])] = refused.json["details"].items()
    assert field.startswith(name) and hint in message


@pytest.mark.parametrize(
    ("field", "value", "index"), [("email", "a@b.co", "email"), ("number", "+1555123456", "number")]
)
@pytest.mark.parametrize("engine", ["sqlite"])
def test_an_email_and_a_number_are_found_by_their_index(plans, field, value, index):
    users.page(1, 10, after="0" * 24, **{field: value})
    [plan] = plans
    found = [line for line in plan if line.startswith(("SEARCH users", "SEARCH behind"))]
    assert len(found) == 2 and all(f"users_by_{index} " in line for line in found), plan


@pytest.mark.parametrize("engine", ["postgres"])
def test_equality_of_an_attribute_uses_the_index(app, workspace):
    from app.models.keyset import of_workspace
    from app.models.users import finding as store

    db.execute_sql(
        "INSERT INTO users (workspace_id, id, uid, created_at, meta) SELECT %s, lpad(n::text, 24, '0'), n::text, 0, "
        "jsonb_build_object('plan', 'p' || n) FROM generate_series(1, 5000) AS n",
        (workspace,),
    )
    db.execute_sql("ANALYZE users")
    filters = [of_workspace(workspace), store.by_meta("plan", "p77")]
    text = store._PAGE._build(tuple(one.condition for one in filters), False, False).text
    values = [value for one in filters for value in one.values]
    plan = str(db.execute_sql(f"EXPLAIN {text}", (*values, 31)).fetchall())
    db.execute_sql("DELETE FROM users WHERE workspace_id = %s", (workspace,))
    assert "users_by_meta" in plan, plan
