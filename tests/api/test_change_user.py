"""Archive, and the deletion of an attribute and of a token (engage.md section 4)."""

import pytest

from tests.factories import fresh


def test_an_archived_user_stays_readable_and_listed(api):
    user = api.user()
    assert [api.post(f"users/{user['uid']}/archive").json for _ in range(2)] == [{"status": "ok"}] * 2
    assert api.get(f"users/{user['uid']}").json == {**user, "archived": True} == api.get("users").json["data"][0]


@pytest.mark.parametrize("name", ["plan", "a.b", 'quo"te', "back\\slash", "$x[0]", "é", "sp ace", "%"])
def test_an_attribute_is_removed_and_only_that_one(api, name):
    from urllib.parse import quote

    user = api.user(meta={name: 1, "other": 2, "a": 3})
    path = f"users/{user['uid']}/attributes/{quote(name)}"
    assert api.delete(path).json == {**user, "meta": {"other": 2, "a": 3}}
    assert api.delete(path).status_code == 200  # twice is safe


@pytest.mark.parametrize("token", ["ExponentPushToken[x]", "a/b:c", "with space"])
def test_a_token_is_forgotten_by_its_owner_alone(api, token):
    from urllib.parse import quote

    owner, other = api.user(device_token=token), api.user()
    assert api.delete(f"users/{other['uid']}/tokens/{quote(token, safe='')}").json == other
    assert api.delete(f"users/{owner['uid']}/tokens/{quote(token, safe='')}", by="public").json == {
        "id": owner["id"], "uid": owner["uid"],
    }  # fmt: skip
    assert api.get(f"users/{owner['uid']}").json["devices"] == []


def test_an_unknown_user_is_not_found(api):
    uid = fresh()
    paths = [
        ("POST", f"users/{uid}/archive"),
        ("DELETE", f"users/{uid}/attributes/a"),
        ("DELETE", f"users/{uid}/tokens/a"),
    ]
    assert [api.call(*one).status_code for one in paths] == [404, 404, 404]


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("public", 403)])
def test_without_the_secret_nothing_changes(api, tables, by, status):
    uid = api.user(meta={"a": 1})["uid"]
    before = tables()
    assert api.post(f"users/{uid}/archive", by=by).status_code == status
    assert api.delete(f"users/{uid}/attributes/a", by=by).status_code == status
    assert tables() == before


def test_a_user_of_another_workspace_is_not_found(api, other_api, tables):
    uid = other_api.user(meta={"a": 1}, device_token=fresh())["uid"]
    before = tables()
    paths = [
        ("POST", f"users/{uid}/archive"),
        ("DELETE", f"users/{uid}/attributes/a"),
        ("DELETE", f"users/{uid}/tokens/a"),
    ]
    assert [api.call(*one).status_code for one in paths] == [404, 404, 404]
    assert tables() == before
