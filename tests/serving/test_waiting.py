"""A worker whose group waits for Postgres: it goes on with everything else, and so does the group when it can."""

import contextlib
import threading
import time

import psycopg
import pytest

from tests.factories import Service, fresh, wait_until

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("waiting")]

LOCK_SECONDS = 60  # that a group waits for a lock
SECONDS = 20  # in which others are answered while a group waits, far below what it waits


@pytest.fixture(scope="module")
def service(new_database):
    """A service of one worker, so that all that is asked meets the group that waits."""
    settings = {"WEB_CONCURRENCY": "1", "LOG_LEVEL": "warning", "ROLLCALL_LOCK_TIMEOUT": str(LOCK_SECONDS * 1000)}
    with Service(new_database("postgres"), **settings) as running:
        yield running


@contextlib.contextmanager
def held(service, uid):
    """Keep everybody else from the user, meanwhile."""
    with psycopg.connect(service.environment["DATABASE_URL"]) as other:
        other.execute("SELECT 1 FROM users WHERE uid = %s FOR UPDATE", [uid])
        yield other


def update(service, uid, seen, body):
    def send():
        seen.append(service.call("PUT", f"users/{uid}", body))

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def is_waiting(service):
    with psycopg.connect(service.environment["DATABASE_URL"], autocommit=True) as other:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'rollcall'"
        return other.execute(query).fetchone()[0]


def test_the_worker_serves_others_while_a_write_waits_for_a_lock(service):
    uid, seen = fresh(), []
    service.call("PUT", f"users/{uid}", {"meta": {"n": 0}})
    with held(service, uid):
        thread = update(service, uid, seen, {"meta": {"n": 1}})
        wait_until(lambda: is_waiting(service))
        for _ in range(5):
            began = time.monotonic()
            assert service.status("/healthz") == 200
            assert service.call("GET", "lists")[0] == 200  # by its route, in a thread
            assert time.monotonic() - began < SECONDS
        assert not seen
    thread.join()
    assert [status for status, _ in seen] == [200]
    assert service.call("GET", f"users/{uid}")[1]["meta"] == {"n": 1}


def test_a_group_whose_connection_dies_while_it_waits_is_answered_and_the_next_one_served(service):
    uid, seen = fresh(), []
    service.call("PUT", f"users/{uid}", {"meta": {"n": 0}})
    with held(service, uid) as other:
        thread = update(service, uid, seen, {"meta": {"n": 1}})
        wait_until(lambda: is_waiting(service))
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND application_name = 'rollcall'"
        )
        thread.join(timeout=SECONDS)
        assert [status for status, _ in seen] == [503]  # nobody knows whether it was done
        assert service.call("GET", f"users/{uid}")[1]["meta"] == {"n": 0}
    assert service.call("PUT", f"users/{uid}", {"meta": {"n": 2}})[0] == 200
    assert service.call("GET", f"users/{uid}")[1]["meta"] == {"n": 2}


def test_a_write_of_more_than_a_socket_holds_comes_through_whole(service):
    """512 events of 100 keys, 32 clients at a time: what is sent waits for the socket too."""
    uid, statuses = fresh(), []
    body = {"event": "e", "properties": {f"k{number}": "x" * 500 for number in range(100)}}

    def send():
        with service.connection() as connection:
            statuses.extend(service.send(connection, "POST", f"users/{uid}/events", body)[0] for _ in range(16))

    threads = [threading.Thread(target=send) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 512
    with psycopg.connect(service.environment["DATABASE_URL"]) as connection:
        query = "SELECT count(*) FROM events, users WHERE user_id = users.id AND uid = %s AND properties->>'k99' = %s"
        assert connection.execute(query, [uid, "x" * 500]).fetchone()[0] == 512
