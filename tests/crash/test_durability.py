"""Acknowledged means on disk: what the connections are set to, and what the system is really asked to do."""

import re
import signal
import socket
import subprocess

import psutil
import psycopg
import pytest

from app.config import Settings
from app.models.database import db, forget_connection, open_database
from tests import needs
from tests.factories import Service, basic, fresh, wait_until

pytestmark = pytest.mark.ci

CREATES = 20
IN_FLIGHT = 50


def test_every_connection_of_the_app_commits_to_disk(app, engine):
    if engine == "sqlite":
        assert db.execute_sql("PRAGMA synchronous").fetchone()[0] == 2  # FULL
        assert db.execute_sql("PRAGMA journal_mode").fetchone()[0] == "wal"
    else:
        assert db.execute_sql("SHOW synchronous_commit").fetchone()[0] == "on"


@pytest.mark.xdist_group("own-postgres")
def test_a_database_that_would_not_wait_for_the_disk_is_made_to(own_postgres):
    url = own_postgres.new_database()
    own_postgres.execute(f"ALTER DATABASE {url.partition('?')[0].rpartition('/')[2]} SET synchronous_commit = off")
    with psycopg.connect(url) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone()[0] == "off"
    open_database(Settings(database_url=url))
    assert db.execute_sql("SHOW synchronous_commit").fetchone()[0] == "on"
    forget_connection()


@pytest.mark.xdist_group("own-postgres")
def test_a_postgres_without_fsync_is_named_in_the_log_at_the_start(own_postgres):
    url = own_postgres.new_database()
    try:
        _set_fsync(own_postgres, "off")
        with Service(url) as service:
            assert '"event":"not_durable"' in service.read_output()
    finally:
        _set_fsync(own_postgres, "on")
    with Service(url) as service:
        assert "not_durable" not in service.read_output()


def _set_fsync(postgres, value):
    postgres.execute(f"ALTER SYSTEM SET fsync = {value}")
    postgres.execute("SELECT pg_reload_conf()")


@pytest.fixture
def strace(tmp_path):
    """Count the calls that force data to disk of these processes while the block runs."""
    program = needs.program("strace")

    class Strace:
        def __init__(self, pids):
            self.output = tmp_path / "strace"
            command = [program, "-f", "-e", "trace=fsync,fdatasync", "-o", self.output]
            self.process = subprocess.Popen(
                [*command, *(word for pid in pids for word in ("-p", str(pid)))], stderr=subprocess.PIPE, text=True
            )
            for _ in pids:  # it attaches to one after the other
                said = self.process.stderr.readline()
                if "attached" not in said:
                    needs.missing(f"strace may not look at processes here: {said.strip()}")

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            self.process.send_signal(signal.SIGINT)
            self.process.communicate(timeout=10)

        def count(self):
            # A call during which another process makes one is told in two lines, of which the second has the result.
            return len(re.findall(r"f(?:data)?sync(?:\(| resumed>).*= 0", self.output.read_text()))

    return Strace


def test_every_acknowledged_write_was_forced_to_disk(new_database, engine, strace, postgres):
    with Service(new_database(engine), WEB_CONCURRENCY="1", ROLLCALL_THREADS="1") as service:
        for _ in range(2):  # the first write prepares the database, in a thread of its own
            assert service.call("POST", "users", {"id": fresh()})[0] == 200
        with strace(_writing_processes(service, engine)) as calls, service.connection() as connection:
            for _ in range(CREATES):
                assert service.send(connection, "POST", "users", {"id": fresh()})[0] == 200
        assert calls.count() >= CREATES
        print(f"{engine}: {CREATES} creates one after the other, {calls.count()} fsync or fdatasync")


def _writing_processes(service, engine):
    """Who writes for the service: its worker, or the server processes of its Postgres."""
    if engine == "sqlite":
        return [one.pid for one in psutil.Process(service.process.pid).children()]
    with psycopg.connect(service.environment["DATABASE_URL"]) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'rollcall' OR backend_type = 'walwriter'"
        return [pid for (pid,) in connection.execute(query)]


def test_a_stop_with_50_requests_in_flight_drops_none(new_database, engine):
    with Service(new_database(engine)) as service:
        clients = []
        for number in range(IN_FLIGHT):
            connection = socket.create_connection(("127.0.0.1", service.port), timeout=60)
            head = f"PUT /v1/users/flight{number} HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n"
            head += f"Authorization: {basic(service.public, service.secret)}\r\n\r\n"
            connection.sendall(head.encode() + b'{"first_na')
            clients.append(connection)
        service.wait_until_read()
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: service.status("/healthz") is None)  # it accepts no more
        for connection in clients:
            connection.sendall(b'me":"x"}')
        statuses = [connection.recv(65536)[:12] for connection in clients]
        for connection in clients:
            connection.close()
        assert statuses == [b"HTTP/1.1 200"] * IN_FLIGHT
        assert service.stop() == 0
        service.start()
        for number in range(IN_FLIGHT):
            assert service.call("GET", f"users/flight{number}")[1]["first_name"] == "x"
