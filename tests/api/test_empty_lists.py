"""Every list of a request that may be empty, on both databases: one of them was `IN ()` on Postgres."""

import pytest

from tests.api.atomic.conftest import Atomic

# method, path, body, status; the paths of the Atomic API begin with "atomic:" and the role of the client.
REQUESTS = [
    ("POST", "users", {"id": "u1", "lists": [], "accounts": [], "meta": {}}, 200),
    ("PUT", "users/{uid}", {"lists": [], "accounts": [], "meta": []}, 200),
    ("PATCH", "users/{uid}", {"lists": [], "accounts": [], "meta": {}}, 200),
    ("POST", "users/{uid}/lists", {"lists": []}, 200),
    ("DELETE", "users/{uid}/lists", {"lists": []}, 200),
    ("POST", "users/{uid}/accounts", {"accounts": []}, 400),
    ("POST", "users/{uid}/events", {"event": "Paid", "properties": {}}, 200),
    ("POST", "batch", {"data": []}, 200),
    ("POST", "batch", {"data": [{"type": "update", "id": "{uid}", "lists": [], "accounts": [], "meta": {}}]}, 200),
    ("POST", "batch", {"data": [{"type": "event", "id": "{uid}", "event": "Paid", "properties": {}}]}, 200),
    ("GET", "users?lists[]=", None, 400),
    ("POST", "segments", {"name": "all", "rule": {"all": []}}, 200),
    ("POST", "segments", {"name": "any", "rule": {"any": []}}, 200),
    ("POST", "segments/preview", {"rule": {"all": []}}, 200),
    ("POST", "segments/preview", {"rule": {"any": []}}, 200),
    ("POST", "segments/preview", {"rule": {"attribute": "uid", "in": []}}, 400),
    ("POST", "segments/preview", {"rule": {"attribute": "email", "in": []}}, 400),
    ("POST", "segments/preview", {"rule": {"attribute": "meta.plan", "in": []}}, 400),
    ("POST", "atomic:events:users", {"users": []}, 200),
    ("PUT", "atomic:events:delete-users", {"data": []}, 200),
    ("PUT", "atomic:events:userPreferences", {"data": {}}, 200),
    ("PUT", "atomic:workbench:users/custom-profile-fields", [], 200),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), REQUESTS, ids=lambda value: str(value)[:40])
def test_an_empty_list_is_no_fault(api, tables, method, path, body, status):
    uid = api.user()["uid"]
    before = tables()
    if path.startswith("atomic:"):
        _, role, path = path.split(":")
        answer = Atomic(api.client, api.keys).call(method, path, body, by=role)
    else:
        answer = api.call(method, path.format(uid=uid), _named(body, uid))
    assert answer.status_code == status, answer.json
    if status >= 400:
        assert tables() == before


def _named(body, uid):
    if isinstance(body, dict):
        return {name: _named(value, uid) for name, value in body.items()}
    if isinstance(body, list):
        return [_named(one, uid) for one in body]
    return uid if body == "{uid}" else body
