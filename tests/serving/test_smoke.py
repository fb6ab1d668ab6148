"""A request of each kind over HTTP, on both databases: what `make test` asks of the running service."""

import json

import pytest

from tests.factories import fresh

UID, OTHER = fresh(), fresh()
REQUESTS = [
    ("GET", "/healthz", None, "ok"),
    ("GET", "/readyz", None, "ok"),
    ("GET", "/openapi.json", None, "openapi"),
    ("GET", "/docs/", None, "swagger"),
    ("PUT", f"users/{UID}", {"first_name": "Ada", "meta": {"plan": "pro"}}, UID),
    ("POST", "users", {"id": OTHER, "email": f"{OTHER}@example.com"}, OTHER),
    ("PATCH", f"users/{UID}", {"last_name": "Lovelace"}, "Lovelace"),
    ("GET", f"users/{UID}", None, "Lovelace"),
    ("GET", f"users?email={OTHER}@example.com", None, OTHER),
    ("POST", f"users/{UID}/events", {"event": "Paid", "value": 5}, "ok"),
    ("GET", f"users/{UID}/events", None, "Paid"),
    ("POST", f"users/{UID}/accounts", {"accounts": [{"id": OTHER}]}, OTHER),
    ("GET", f"users/{OTHER}/members", None, UID),
    ("POST", "lists", {"title": "News"}, "News"),
    ("POST", "batch", {"data": [{"type": "update", "id": UID, "number": "+2348012345678"}]}, '"accepted": 1'),
    ("POST", "users/merge", {"source": OTHER, "destination": UID}, "queued"),
    ("DELETE", f"users/{UID}", None, "ok"),
]


@pytest.mark.parametrize("wish", ["keep-alive", "close"])
def test_a_request_of_each_kind_is_answered(service, wish):
    with service.connection() as connection:
        for method, path, body, said in REQUESTS:
            status, reply = service.send(connection, method, path, body, Connection=wish)
            assert status == 200 and said in (reply if isinstance(reply, str) else json.dumps(reply)), (method, path)
        assert service.send(connection, "GET", f"users/{UID}")[0] == 404
        assert service.send(connection, "POST", "users", {"id": ""})[0] == 400
        assert service.send(connection, "GET", "users", by=None)[0] == 401


def test_a_client_of_the_atomic_api_is_given_a_token_and_reads_users(service):
    made = json.loads(service.rollcall("credentials", "create", "events", "--workspace", service.workspace, "--json"))
    pair = f"client_id={made['client_id']}&client_secret={made['client_secret']}"
    status, reply = service.call("POST", f"/oauth2/token?grant_type=client_credentials&{pair}", by=None)
    assert status == 200
    with service.connection() as connection:
        bearer = {"Authorization": f"Bearer {reply['access_token']}"}
        assert service.send(connection, "GET", f"{service.environment_id}/users", by=None, **bearer)[0] == 200
