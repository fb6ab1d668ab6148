"""Clients that send slowly, or badly, keep nobody waiting but themselves."""

import asyncio
import contextlib
import json
import socket
import threading
import time

import pytest

from app.serving.bridge import Bridge
from app.serving.connections import HEAD_SECONDS
from tests.factories import Service, basic, wait_until

pytestmark = pytest.mark.ci

SLOW_CLIENTS = 100
PROMPTLY = 5  # seconds, far below what the service grants the slow ones


@contextlib.contextmanager
def half_sent(service, data):
    """So many connections on which only this much of a request arrives."""
    with contextlib.ExitStack() as stack:
        for _ in range(SLOW_CLIENTS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            client.sendall(data)
        service.wait_until_read()
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
            assert time.monotonic() - started < PROMPTLY


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
    before = len(service.read_output())
    service.call("PUT", "users/verysecretuid", {"email": "verysecret@example.com"})
    service.call("POST", "users/verysecretuid/events", {"event": "verysecretevent"})
    service.call("GET", "users?email=verysecret@example.com")
    wait_until(lambda: '"route":"/v1/users/<uid:uid>/events"' in service.read_output()[before:])
    output = service.read_output()[before:]
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


# ---- deadlines and bounds -----------------------------------------------------------------------------------------

FILES = 128  # that the service may open in these tests
MANY = 300  # connections, more than those


@pytest.fixture(scope="module")
def small_service(new_database):
    """The service with one worker that may open few files."""
    running = Service(new_database("sqlite"), WEB_CONCURRENCY="1")
    limit = f"resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))"
    serve = "os.execv(sys.executable, [sys.executable, '-m', 'app', 'serve'])"
    running.command = ("-c", f"import os, resource, sys; {limit}; {serve}")
    with running:
        yield running


@pytest.mark.parametrize("sent", [b"", b"GET /v1/users HTTP/1.1\r\nHost: x\r\n", "body"], ids=["idle", "head", "body"])
def test_more_connections_than_files_do_not_stop_the_service(small_service, sent):
    if sent == "body":
        sent = request(small_service, "PUT", "/v1/users/u1", b'{"first', "Content-Length: 1000")
    with contextlib.ExitStack() as stack:
        for number in range(MANY):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", small_service.port), timeout=10))
            with contextlib.suppress(OSError):  # the service may have closed it
                client.sendall(sent)
            if number % 50 == 0:
                started = time.monotonic()
                assert small_service.call("PUT", "users/quick", {})[0] == 200
                assert time.monotonic() - started < PROMPTLY
    assert "Too many open files" not in small_service.read_output()


def test_clients_that_come_back_are_kept_when_connections_are_short(small_service):
    with small_service.connection() as connection:
        assert small_service.send(connection, "GET", "/healthz")[0] == 200
        first = connection.sock
        with contextlib.ExitStack() as stack:
            for _ in range(MANY):
                stack.enter_context(socket.create_connection(("127.0.0.1", small_service.port), timeout=10))
            assert small_service.send(connection, "GET", "/healthz")[0] == 200 and connection.sock is first


def test_the_head_of_a_first_request_has_a_deadline(service):
    """Slow: the deadline is ten seconds."""
    heads = (b"", b"GET /v1/us", b"GET / HTTP/1.1\r\nHost: x\r\n")
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=30)) for _ in heads
        ]
        started = time.monotonic()
        for client, head in zip(clients, heads, strict=True):
            client.sendall(head)
        time.sleep(HEAD_SECONDS / 2)  # the middle of the time that is told
        clients[1].sendall(b"ers")  # a byte now and then gains no time
        assert [client.recv(100) for client in clients] == [b"", b"", b""]
        assert HEAD_SECONDS - 1 < time.monotonic() - started < HEAD_SECONDS + 10


def test_a_body_has_a_deadline():
    sent, came = [], iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive():
        message = next(came, None)
        await asyncio.sleep(0 if message else 60)
        return message

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [(b"content-length", b"9")]}
    asyncio.run(Bridge(lambda *args: pytest.fail("it is called"), body_seconds=0.05)(scope, receive, send))
    assert sent[0]["status"] == 408


def test_a_websocket_is_answered_as_any_request(service):
    upgrade = (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {'x' * 22}==",
    )
    for path, status in (("/v1/users?limit=1", 200), ("/v1/nosuch", 404)):
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
            client.sendall(request(service, "GET", path, b"", *upgrade))
            answer = client.recv(65536)
            assert answer.startswith(f"HTTP/1.1 {status} ".encode()) and b"\r\n\r\n{" in answer


@pytest.mark.parametrize(
    "data",
    [b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"nonsense\r\n\r\n", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n"],
    ids=["ours", "no HTTP", "too long"],
)  # fmt: skip
def test_every_answer_names_the_server_without_version_and_is_safe_to_show(service, data):
    head = exchange(service, data).partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in head)
    assert headers["server"] == "rollcall" and headers["date"].endswith("gmt")
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert len(head) == len(headers)
