"""How requests are told apart on a connection: none is lost, and a head that will not do is refused with its status."""

import contextlib
import json
import re
import socket

import pytest

from tests.factories import basic, fresh

pytestmark = pytest.mark.ci  # starts the service
PIPELINED = 2_000  # of 200 bytes and more: ten times what the parser keeps


def exchange(service, data):
    """Send it all, and return all that is answered until the service closes or says nothing more."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        client.sendall(data)
        client.settimeout(3)
        received = b""
        with contextlib.suppress(TimeoutError):
            while part := client.recv(65536):
                received += part
        return received


def head(service, line, *headers):
    return "\r\n".join([line, f"Authorization: {basic(service.public, service.secret)}", *headers, "", ""]).encode()


def statuses(answer):
    return [int(one) for one in re.findall(rb"HTTP/1\.1 ([0-9]{3})", answer)]


@pytest.mark.parametrize("path", ["users/{}", "lists"])
def test_pipelined_requests_beyond_what_the_parser_keeps_are_answered_in_turn(service, path):
    uids = [service.call("PUT", f"users/{fresh()}", {})[1]["uid"] for _ in range(7)]
    asked = [f"GET /v1/{path.format(uids[number % 7])} HTTP/1.1" for number in range(PIPELINED)]
    padding = f"X-Padding: {'x' * 100}"
    heads = [head(service, line, "Host: x", padding, f"X-Request-Id: r{number}") for number, line in enumerate(asked)]
    heads.append(head(service, "GET /healthz HTTP/1.1", "Host: x", "Connection: close"))
    answer = exchange(service, b"".join(heads))
    assert statuses(answer) == [200] * (PIPELINED + 1)
    ids = re.findall(rb"x-request-id: r([0-9]+)\r", answer, re.IGNORECASE)
    assert list(map(int, ids)) == list(range(PIPELINED))


def test_pipelined_bodies_beyond_what_the_parser_keeps_are_stored_in_turn(service):
    uid, body = fresh(), {"meta": {"text": "x" * 4000}}
    sent = [json.dumps(body | {"first_name": str(number)}).encode() for number in range(150)]
    heads = [head(service, f"PUT /v1/users/{uid} HTTP/1.1", "Host: x", f"Content-Length: {len(one)}") for one in sent]
    answer = exchange(service, b"".join(a + b for a, b in zip(heads, sent, strict=True)))
    names = re.findall(rb'"first_name":"([0-9]+)"', answer)
    assert list(map(int, names)) == list(range(150))


@pytest.mark.parametrize("path", ["/v1/users", "/healthz", "/v1/lists"])
def test_a_request_of_http_1_1_without_a_host_is_400(service, path):
    assert statuses(exchange(service, head(service, f"GET {path} HTTP/1.1"))) == [400]
    assert statuses(exchange(service, head(service, f"GET {path} HTTP/1.1", "Host: x", "Connection: close"))) == [200]
    one_0 = exchange(service, head(service, f"GET {path} HTTP/1.0"))
    assert re.match(rb"HTTP/1\.[01] 200", one_0)


@pytest.mark.parametrize(
    "coding", ["foo", "foo, chunked", "gzip", "gzip, chunked", "identity", "chunked\r\nTransfer-Encoding: gzip"]
)
def test_a_body_in_an_unknown_coding_is_501_and_stores_nothing(service, coding):
    uid = fresh()
    body = b'b\r\n{"meta":{}}\r\n0\r\n\r\n'
    sent = head(service, f"PUT /v1/users/{uid} HTTP/1.1", "Host: x", f"Transfer-Encoding: {coding}") + body
    assert statuses(exchange(service, sent)) in ([501], [400])[: 1 if "\r" not in coding else 2]
    assert service.call("GET", f"users/{uid}")[0] == 404


def test_a_path_with_two_slashes_is_no_route(service):
    for path in ("//v1/users", "/v1//users", "//healthz"):
        assert statuses(exchange(service, head(service, f"GET {path} HTTP/1.1", "Host: x", "Connection: close"))) == [
            404
        ]
