"""Clients that send slowly, or badly, keep nobody waiting but themselves."""

import contextlib
import json
import socket
import threading
import time

import pytest

from tests.factories import basic

SLOW_CLIENTS = 100


@contextlib.contextmanager
def half_sent(service, data):
    """So many connections on which only this much of a request arrives."""
    with contextlib.ExitStack() as stack:
        for _ in range(SLOW_CLIENTS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            client.sendall(data)
        time.sleep(0.3)
        yield


@pytest.mark.parametrize("part", ["headers", "body", "chunk"])
def test_a_hundred_half_sent_requests_do_not_delay_another_client(service, part):
    head = f"POST /v1/users HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(service.public, service.secret)}\r\n"
    data = {
        "headers": head,
        "body": f'{head}Content-Length: 1000\r\n\r\n{{"id":"slow',
        "chunk": f'{head}Transfer-Encoding: chunked\r\n\r\n40\r\n{{"id":"slow',
    }[part].encode()
    service.call("PUT", "users/quick", {})
    with half_sent(service, data):
        for _ in range(10):
            started = time.monotonic()
            assert service.call("GET", "users/quick")[0] == 200
            assert service.call("PUT", "users/quick", {"meta": {"n": 1}})[0] == 200
            assert time.monotonic() - started < 1


def exchange(service, data):
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        client.sendall(data)
        client.settimeout(5)
        received = b""
        with contextlib.suppress(TimeoutError):
            while part := client.recv(65536):
                received += part
        return received


def request(service, method, path, body=b"", *headers):
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: x",
        f"Authorization: {basic(service.public, service.secret)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_chunked_bodies_pipelining_and_head(service):
    body = b'5\r\n{"id"\r\n9\r\n:"piped1"\r\n1\r\n}\r\n0\r\n\r\n'
    created = request(service, "POST", "/v1/users", body, "Transfer-Encoding: chunked")
    read = request(service, "GET", "/v1/users/piped1")
    head = request(service, "HEAD", "/v1/users/piped1", b"", "Connection: close")
    answers = exchange(service, created + read + head)
    assert answers.count(b"HTTP/1.1 200 OK") == 3 and answers.count(b'"uid":"piped1"') == 2
    assert answers.endswith(b"\r\n\r\n")


def test_a_client_that_waits_for_100_continue_gets_it(service):
    head = request(
        service, "PUT", "/v1/users/waiting", b"", "Expect: 100-continue", "Content-Length: 2", "Connection: close"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        client.sendall(head)
        assert client.recv(1024).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(b"{}")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("headers", [("Content-Length: 1000000000000",), ("Content-Length: 70000",)])
def test_a_long_body_is_refused(service, headers):
    started = time.monotonic()
    sent = b"{}" if "1000000000000" in headers[0] else b"a" * 70_000
    answer = exchange(service, request(service, "POST", "/v1/users", sent, *headers, "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 413") and b"body_too_large" in answer
    assert time.monotonic() - started < 4


def test_a_long_chunked_body_is_refused_and_the_answer_can_be_read(service):
    chunks = b"".join(b"%x\r\n%b\r\n" % (8000, b"a" * 8000) for _ in range(250)) + b"0\r\n\r\n"
    answer = exchange(
        service, request(service, "POST", "/v1/users", chunks, "Transfer-Encoding: chunked", "Connection: close")
    )
    assert answer.startswith(b"HTTP/1.1 413")


def test_broken_chunks_store_nothing(service):
    body = b'zz\r\n{"id":"broken1"}\r\n0\r\n\r\n'
    assert exchange(service, request(service, "POST", "/v1/users", body, "Transfer-Encoding: chunked")).startswith(
        b"HTTP/1.1 400"
    )
    assert service.call("GET", "users/broken1")[0] == 404


def test_an_absolute_uri_is_its_path(service):
    service.call("PUT", "users/absolute", {})
    answer = exchange(
        service, request(service, "GET", "http://evil.example/v1/users/absolute", b"", "Connection: close")
    )
    assert answer.startswith(b"HTTP/1.1 200") and b"evil.example" not in answer


def test_log_lines_are_json_and_name_nobody(service):
    service.call("PUT", "users/verysecretuid", {"email": "verysecret@example.com"})
    service.call("POST", "users/verysecretuid/events", {"event": "verysecretevent"})
    service.call("GET", "users?email=verysecret@example.com")
    deadline = time.monotonic() + 5
    while '"route":"/v1/users/<uid:uid>/events"' not in service.read_output():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    output = service.read_output()
    assert "verysecret" not in output and service.secret not in output
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    written = [line for line in lines if line.get("route") == "/v1/users/<uid:uid>" and line["method"] == "PUT"]
    assert written and all(line["request_id"] and line["status"] and line["workspace"] for line in written)


def test_requests_at_the_same_time_are_answered_each_with_its_own(service):
    wrong = []

    def ask(name):
        with service.connection() as connection:
            for _ in range(30):
                status, reply = service.send(connection, "PUT", f"users/{name}", {"first_name": name})
                if status != 200 or reply["first_name"] != name:
                    wrong.append(reply)

    threads = [threading.Thread(target=ask, args=(f"same{number}",)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
