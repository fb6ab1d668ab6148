"""What the log says of people at its most talkative level: nothing."""

import socket

import pytest

from tests.factories import Service

SECRETS = ("verysecret", "8005551234", "sk_")


pytestmark = pytest.mark.ci


@pytest.fixture
def talkative(engine, new_database):
    """The service at debug level."""
    with Service(new_database(engine), LOG_LEVEL="debug") as running:
        yield running


def test_the_debug_log_names_nobody(talkative):
    fields = {"email": "verysecret@example.com", "number": "+18005551234", "first_name": "verysecret"}
    path = "users/verysecret"
    for method, path, body, expected in (
        ("PUT", path, fields, 200),
        ("PUT", path, {"device_token": "verysecret", "meta": {"verysecret": "verysecret"}}, 200),
        ("PUT", path, {"email": "verysecret"}, 400),
        ("PUT", path, {"verysecret": {}}, 200),
        ("PUT", path, {"lists": ["verysecret"]}, 400),
        ("GET", "users?email=verysecret@example.com", None, 200),
        ("GET", "users?verysecret=1", None, 400),
        ("GET", "users/verysecretly/verysecret", None, 404),
        ("POST", f"{path}/events", {"event": "verysecret", "properties": {"verysecret": 1}}, 200),
        ("POST", "users/merge", {"source": "verysecret", "destination": "verysecret2"}, 200),
        ("POST", "batch", {"data": [{"type": "update", "id": "verysecret", "email": "verysecret"}]}, 200),
        ("DELETE", "users/verysecret2", None, 200),
    ):
        assert talkative.call(method, path, body)[0] == expected, (method, path)
    with socket.create_connection(("127.0.0.1", talkative.port), timeout=5) as client:
        client.sendall(b"GET /v1/users/verysecret HTTP/9.9\r\nX-verysecret\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 4")
    talkative.stop()
    output = talkative.read_output()
    assert output.count('"event":"request"') > 10
    assert not [line for line in output.splitlines() if any(secret in line for secret in SECRETS)]
