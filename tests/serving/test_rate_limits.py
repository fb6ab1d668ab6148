"""The rate limits of the running service: one count for all workers, whatever becomes of them."""

import http.client
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.factories import Service, basic, wait_until

pytestmark = pytest.mark.ci  # each test sets limits or kills workers: none can share a service

CALLERS, REQUESTS, ALLOWED = 16, 400, 100


def call(service, secret=None, **headers):
    """Ask for a user on a connection of its own; return the status and the headers of the reply."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        authorization = basic(service.public, service.secret if secret is None else secret)
        connection.request("GET", "/v1/users?limit=1", headers={"Authorization": authorization, **named})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers
    finally:
        connection.close()


def call_at_once(service, times):
    with ThreadPoolExecutor(CALLERS) as callers:
        return Counter(status for status, _ in callers.map(lambda _: call(service), range(times)))


@pytest.mark.parametrize("command", [Service.command, ("-m", "gunicorn", "wsgi:app")], ids=["serve", "gunicorn"])
def test_workers_share_one_count(new_database, engine, command):
    service = Service(new_database(engine), ROLLCALL_RATE_KEY=f"{ALLOWED}/hour")
    service.command = command
    with service:
        assert call_at_once(service, REQUESTS) == {200: ALLOWED, 429: REQUESTS - ALLOWED}
        _, headers = call(service)
        assert '"key";r=0;t=' in headers["RateLimit"] and 3500 < int(headers["Retry-After"]) <= 3600
        assert service.call("GET", "/healthz", by=None)[0] == 200


def test_a_killed_worker_leaves_no_lock_and_loses_no_count(new_database):
    with Service(new_database("sqlite"), ROLLCALL_RATE_KEY=f"{ALLOWED}/hour") as service:
        assert call_at_once(service, ALLOWED // 2) == {200: ALLOWED // 2}
        killed = service.workers()
        for worker in killed:
            worker.kill()
        wait_until(lambda: service.status("/healthz") == 200 and not set(killed) & set(service.workers()))
        assert call_at_once(service, ALLOWED) == {200: ALLOWED // 2, 429: ALLOWED // 2}


def test_workers_that_are_killed_while_they_count_stop_nobody(new_database):
    with Service(new_database("sqlite")) as service:
        done, slowest, answered = threading.Event(), [0.0], []

        def keep_calling():
            while not done.is_set():
                started = time.monotonic()
                try:
                    call(service)
                except (OSError, http.client.HTTPException):
                    continue  # the worker that had it was killed
                slowest[0] = max(slowest[0], time.monotonic() - started)
                answered.append(1)

        callers = [threading.Thread(target=keep_calling) for _ in range(4)]
        for caller in callers:
            caller.start()
        for kill in range(5):
            wait_until(lambda wanted=200 * (kill + 1): len(answered) > wanted and len(service.workers()) == 2)
            service.workers()[0].kill()
        done.set()
        for caller in callers:
            caller.join()
        assert slowest[0] < 8 and call(service)[0] == 200


def test_the_window_ends(new_database):
    """Slow: it waits for the ends of two windows."""
    with Service(new_database("sqlite"), ROLLCALL_RATE_ADDRESS="5/3 seconds") as service:
        call_at_once(service, 5)  # the start asked too, so some of them are refused
        wait_for_the_end_of_the_window(service)
        assert call_at_once(service, 10) == {200: 5, 429: 5}
        wait_for_the_end_of_the_window(service)
        assert call_at_once(service, 5) == {200: 5}


def wait_for_the_end_of_the_window(service):
    """Wait as long as a refused caller is told to."""
    time.sleep(int(call(service)[1]["Retry-After"]) + 0.1)


def test_failed_logins_are_limited_by_the_address_that_a_trusted_proxy_names(new_database):
    limits = {"ROLLCALL_RATE_LOGIN": "20/hour", "ROLLCALL_TRUSTED_PROXIES": "127.0.0.1"}
    with Service(new_database("sqlite"), **limits) as service:
        guesser, other = {"X_Forwarded_For": "198.51.100.66"}, {"X_Forwarded_For": "198.51.100.1"}
        guesses = Counter(call(service, secret="wrong", **guesser)[0] for _ in range(30))
        assert guesses == {401: 20, 429: 10}
        assert call(service, **guesser)[0] == 429
        assert call(service, **other)[0] == 200


def test_a_stranger_cannot_say_to_have_another_address(new_database):
    limits = {"ROLLCALL_RATE_ADDRESS": "20/hour", "ROLLCALL_TRUSTED_PROXIES": "192.0.2.1"}
    with Service(new_database("sqlite"), **limits) as service:
        told = [call(service, X_Forwarded_For=f"198.51.100.{one}", X_Forwarded_Proto="https")[0] for one in range(30)]
        assert Counter(told) == {200: 20, 429: 10}
        assert "forwarded_ignored" in service.read_output()
