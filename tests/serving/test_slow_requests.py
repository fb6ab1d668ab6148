"""A request that takes long, or waits for a lock, keeps no other one waiting. The order shows it, not the time."""

import asyncio
import json
import threading
import time

import apsw
import pytest

from app.services import storage
from app.serving.routes import Routes
from app.serving.threads import Threads
from tests.factories import Service, fresh

READS = 100
LONG = [
    ("GET", "/v1/users", "meta.plan=nobody"), ("GET", "/v1/users", "segments[]=x"), ("GET", "/v1/segments/x", ""),
    ("POST", "/v1/segments/preview", ""), ("GET", "/v1/audit", ""), ("GET", "/openapi.json", ""), ("POST", "/v1/batch", ""),
    ("DELETE", "/v1/users/u1", ""), ("POST", "/v1/users/merge", ""), ("GET", "/v1/users/u1/events", "event=Paid"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "query"), LONG)
def test_a_long_request_runs_beside_the_event_loop(app, method, path, query):
    held, released = threading.Event(), threading.Event()

    def application(environ, start_response):
        if environ["PATH_INFO"] == path and environ["QUERY_STRING"] == query:
            held.set()
            assert released.wait(10)
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    async def main():
        routes, answers = Routes(application, None, Threads()), []
        routes.offer(_environ(method, path, query), answers.append)
        while not held.is_set():
            await asyncio.sleep(0.001)
        for _ in range(READS):
            for short in ("/v1/users/u2", "/healthz"):
                routes.offer(_environ("GET", short, ""), answers.append)
                await asyncio.sleep(0)
        before = len(answers)
        released.set()
        while len(answers) == before:
            await asyncio.sleep(0.001)
        return before, answers[-1]

    assert storage.is_prepared()
    assert asyncio.run(main()) == (2 * READS, ("200 OK", [], path.encode()))


def _environ(method, path, query):
    return {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}


@pytest.fixture(scope="module")
def service(new_database):
    """One worker on SQLite."""
    with Service(new_database("sqlite"), WEB_CONCURRENCY="1", LOG_LEVEL="warning") as running:
        yield running


@pytest.mark.ci  # starts the service
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "users/{}", {"first_name": "Ada"}),
        ("PUT", "users/{}", {"device_token": "t"}),
        ("POST", "users/{}/events", {"event": "Paid"}),
        ("POST", "batch", {"data": [{"type": "update", "id": "{}", "first_name": "Ada"}]}),
        ("DELETE", "users/known", None),
    ],
)
def test_a_write_that_waits_for_the_lock_holds_no_read(service, method, path, body):
    def write():
        uid = fresh()
        text = json.dumps(body).replace("{}", uid)
        seen.append(service.call(method, path.format(uid), json.loads(text))[0])

    service.call("PUT", "users/known", {"first_name": "Ada"})
    seen, threads = [], [threading.Thread(target=write) for _ in range(3 if body else 1)]
    other = apsw.Connection(service.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    other.set_busy_timeout(5_000)
    other.execute("BEGIN IMMEDIATE")
    try:
        for one in threads:
            one.start()
        with service.connection() as connection:
            for _ in range(READS):
                assert service.send(connection, "GET", "users/known")[0] == 200
                assert service.send(connection, "GET", "/healthz", by=None)[0] == 200
        assert not seen
    finally:
        other.close()
    for one in threads:
        one.join()
    assert seen == [200] * len(threads)


@pytest.mark.ci  # starts the service
def test_a_lock_that_is_never_given_up_ends_the_write_and_no_read(service):
    other = apsw.Connection(service.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    try:
        assert service.call("PUT", f"users/{fresh()}", {"first_name": "Ada"})[0] == 503
    finally:
        other.close()
    assert time.monotonic() - began < 10
    assert service.call("PUT", f"users/{fresh()}", {"first_name": "Ada"})[0] == 200
