"""A Postgres, a backend or a network that falls silent: each wait has its deadline, and costs its own requests only."""

import os
import signal
import threading
import time

import psycopg
import pytest

from app.config import Settings
from app.models.database import forget_connection
from app.services import storage, workspaces
from tests.crash.test_cut_connections import Batch, Group, Route, Statement
from tests.factories import Api, Service, fresh
from tests.serving.postgres_proxy import PostgresProxy

STATEMENT = 1.0  # seconds: ROLLCALL_STATEMENT_TIMEOUT
DEADLINE = STATEMENT + 2.0  # seconds in which a request must be answered
OTHERS = 20  # requests beside the one that waits


@pytest.mark.parametrize("kind", [Group, Route, Statement, Batch])
def test_a_network_that_falls_silent_is_503_in_time_and_served_when_it_speaks(
    kind, migrated_database, use_app, tmp_path
):
    with PostgresProxy(migrated_database("postgres")) as proxy:
        settings = Settings(database_url=proxy.url, log_level="critical", statement_timeout=int(STATEMENT * 1000))
        app = use_app(settings)
        storage.prepare(settings)
        lane = kind(app, Api(app.test_client(), workspaces.create("silent")), tmp_path)
        assert lane([fresh()])
        proxy.silence()
        began = time.monotonic()
        assert not lane([fresh()])
        assert time.monotonic() - began < DEADLINE
        proxy.speak()
        uid = fresh()
        assert lane([uid]) == {uid}
        forget_connection()


@pytest.fixture
def service(new_database):
    """One worker with little patience."""
    limits = {"WEB_CONCURRENCY": "1", "ROLLCALL_STATEMENT_TIMEOUT": str(int(STATEMENT * 1000)), "LOG_LEVEL": "warning"}
    with Service(new_database("postgres"), **limits) as running:
        yield running


def backends(service):
    """The process ids of the backends that serve the service."""
    with psycopg.connect(service.environment["DATABASE_URL"]) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'rollcall' AND datname = current_database()"
        )
        return [pid for (pid,) in found.fetchall()]


@pytest.mark.ci  # starts the service
def test_a_backend_that_is_stopped_costs_its_own_requests_only(service):
    def write():
        began = time.monotonic()
        status = service.call("PUT", f"users/{fresh()}", {"first_name": "Ada"})[0]
        seen.append((status, time.monotonic() - began))

    seen = []
    write()
    stopped = backends(service)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        threads = [threading.Thread(target=write) for _ in range(OTHERS)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert {status for status, _ in seen[1:]} <= {200, 503} and max(took for _, took in seen) < DEADLINE
        seen.clear()
        for _ in range(OTHERS):
            write()
        assert {status for status, _ in seen} == {200}
        assert service.status("/readyz") == 200
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.ci  # starts the service
def test_readyz_says_which_worker_asks_in_vain(own_postgres):
    limits = {"ROLLCALL_STATEMENT_TIMEOUT": "1000", "LOG_LEVEL": "warning", "WEB_CONCURRENCY": "2"}
    with Service(own_postgres.new_database(), **limits) as service:
        assert service.call("PUT", "users/u1", {"first_name": "Ada"})[0] == 200
        own_postgres.freeze()
        try:
            deadline, told = time.monotonic() + 20, ""
            while "has had no answer from the database for" not in told:
                assert time.monotonic() < deadline, told
                began = time.monotonic()
                status, reply = service.call("PUT", "users/u1", {"first_name": "Ada"})
                assert status == 503 and time.monotonic() - began < DEADLINE + 1, reply
                status, reply = service.call("GET", "/readyz", by=None)
                assert status == 503
                told = reply["error"]
        finally:
            own_postgres.thaw()
        deadline = time.monotonic() + 20
        while service.status("/readyz") != 200:
            assert time.monotonic() < deadline
        assert service.call("PUT", "users/u1", {"first_name": "Ada"})[0] == 200


@pytest.mark.ci  # starts the service
def test_with_fewer_connections_than_threads_nobody_starves(own_postgres):
    url, role = own_postgres.new_database(), "few"
    name = url.partition("?")[0].rpartition("/")[2]
    own_postgres.execute(f"DROP ROLE IF EXISTS {role}")
    own_postgres.execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 5")
    own_postgres.execute(f"ALTER DATABASE {name} OWNER TO {role}")
    url = url.replace("//postgres:@", f"//{role}@")
    with Service(url, WEB_CONCURRENCY="2", ROLLCALL_THREADS="8", LOG_LEVEL="warning") as service:
        end, seen = time.monotonic() + 6, {"hot": [], "routes": []}

        def load(kind):
            with service.connection() as connection:
                while time.monotonic() < end:
                    how = ("GET", "lists") if kind == "routes" else ("PUT", f"users/{fresh()}", {"first_name": "Ada"})
                    seen[kind].append(service.send(connection, *how)[0])

        threads = [threading.Thread(target=load, args=(kind,)) for kind in ("hot", "routes") for _ in range(12)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    counts = {kind: (found.count(200), len(found)) for kind, found in seen.items()}
    assert all(good == all_of_them > 100 for good, all_of_them in counts.values()), counts
