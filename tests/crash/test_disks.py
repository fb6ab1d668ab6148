"""A disk that is full, or cannot be written, gives 503; when there is room again, service goes on without a restart."""

import os
import resource
import subprocess

import psutil
import pytest

from tests import needs
from tests.factories import Service, fresh, wait_until

pytestmark = pytest.mark.ci

DISK = 8 * 1024 * 1024  # bytes of the small disk; an empty database with its WAL takes less than one
ROOM = 64 * 1024  # bytes that are left on it
RECOVERY_SECONDS = 15  # five, on a machine that has nothing else to do
BIG = {f"k{number}": "x" * 4000 for number in range(12)}  # 48 KB of meta


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own; only root may mount one."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", tmp_path], capture_output=True)
    if done.returncode:
        needs.missing(f"mounting is not allowed here: {done.stderr.decode().strip()}")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


WORKERS = 2  # of a Service


def _remount(disk, how):
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def _fill(disk):
    """Take all the room of the disk but ROOM."""
    state = os.statvfs(disk)
    (disk / "filler").write_bytes(b"x" * (state.f_bavail * state.f_frsize - ROOM))


def _write_until_503(service):
    """Make users until one is refused; return the uids that were acknowledged."""
    acknowledged = []
    with service.connection() as connection:
        for _ in range(500):
            uid = fresh()
            status, reply = service.send(connection, "PUT", f"users/{uid}", {"meta": BIG})
            if status != 200:
                assert (status, reply["code"]) == (503, "storage_unavailable")
                return acknowledged
            acknowledged.append(uid)
    raise AssertionError("the disk never filled")


def _recovers(service):
    wait_until(lambda: service.call("PUT", f"users/{fresh()}", {"meta": BIG})[0] == 200, RECOVERY_SECONDS)
    assert service.status("/readyz") == 200


def _check(service, acknowledged):
    """All that was acknowledged is there; every kind of write still works or is refused as it must be."""
    for uid in acknowledged:
        assert service.call("GET", f"users/{uid}")[1]["meta"] == BIG


def _is_refused_everywhere(service, known):
    """Every write is 503, in one statement and in a transaction; none is 500, and the process lives."""
    batch = {"data": [{"type": "update", "id": fresh(), "meta": BIG}] * 20}
    for method, path, body in (
        ("PUT", f"users/{known}", {"meta": BIG | {"more": "y" * 4000}}),
        ("PUT", f"users/{fresh()}", {"meta": BIG, "device_token": "t"}),
        ("POST", f"users/{known}/events", {"event": "e", "properties": BIG}),
        ("POST", f"users/{known}/events", {"event": "e", "id": "once", "properties": BIG}),
        ("POST", "batch", batch),
    ):
        for _ in range(6):  # both workers have room left in different places
            status = service.call(method, path, body)[0]
            assert status in (200, 503)
            if status == 503:
                break
        else:
            raise AssertionError(f"{method} {path} went on being taken")
    assert service.status("/healthz") == 200


def test_a_full_disk_is_503_and_room_on_it_is_found_again(small_disk):
    with Service(f"sqlite:///{small_disk}/rollcall.db") as service:
        service.call("PUT", "users/first", {"first_name": "x"})
        _fill(small_disk)
        acknowledged = _write_until_503(service)
        _is_refused_everywhere(service, "first")
        assert service.call("GET", "users/first")[0] == 200  # reading needs no room
        _check(service, acknowledged)
        (small_disk / "filler").unlink()
        _recovers(service)
        _check(service, acknowledged)
        assert '"event":"fault"' not in service.read_output()


def test_a_limit_on_the_size_of_files_is_503_and_ends_when_it_is_lifted(new_database):
    with Service(new_database("sqlite"), LOG_LEVEL="warning") as service:
        wait_until(lambda: len(service.workers()) == WORKERS)
        workers = service.workers()
        path = service.environment["DATABASE_URL"].removeprefix("sqlite:///")
        service.call("PUT", "users/first", {"first_name": "x"})
        _, hard = resource.prlimit(workers[0].pid, resource.RLIMIT_FSIZE)
        for one in workers:
            resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (os.path.getsize(f"{path}-wal") + ROOM, hard))
        acknowledged = _write_until_503(service)
        assert service.call("GET", "users/first")[0] == 200
        for one in workers:
            resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (hard, hard))
        _recovers(service)
        _check(service, acknowledged)
        assert '"event":"fault"' not in service.read_output()


def test_a_file_system_that_cannot_be_written_is_503_until_it_can(small_disk):
    service = Service(f"sqlite:///{small_disk}/rollcall.db")
    with service:
        service.call("PUT", "users/first", {"first_name": "x"})
        service.stop()
        _remount(small_disk, "ro")
        try:
            service.ready = "/healthz"
            service.start()
            assert service.status("/readyz") == 503
            assert service.call("PUT", "users/second", {})[0] == 503
        finally:
            _remount(small_disk, "rw")
        _recovers(service)
        assert service.call("GET", "users/first")[1]["first_name"] == "x"


@pytest.mark.xdist_group("own-postgres")
def test_a_postgres_that_takes_no_writes_is_503_until_it_does(own_postgres):
    with Service(own_postgres.new_database()) as service:
        service.call("PUT", "users/first", {"first_name": "x"})
        _set_read_only(own_postgres, "on")
        wait_until(
            lambda: service.call("PUT", "users/first", {"last_name": fresh()})[0] != 200
        )  # sessions hear of it by and by
        assert service.call("PUT", f"users/{fresh()}", {"device_token": "t"})[0] == 503
        assert service.status("/readyz") == 503
        assert service.call("GET", "users/first")[0] == 200
        _set_read_only(own_postgres, "off")
        _recovers(service)
        assert '"event":"fault"' not in service.read_output()


def _set_read_only(postgres, value):
    for sql in (f"ALTER SYSTEM SET default_transaction_read_only = {value}", "SELECT pg_reload_conf()"):
        postgres.execute(f"SET default_transaction_read_only = off; {sql}" if "SELECT" in sql else sql)


def test_a_log_that_cannot_be_written_disturbs_no_request(new_database):
    with Service(new_database("postgres")) as service:  # with Postgres a worker writes no file but the log
        wait_until(
            lambda: service.read_output().count("Booting worker") == WORKERS
        )  # the first answers before the last is there
        for one in psutil.Process(service.process.pid).children():
            resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        before = service.read_output()
        for _ in range(5):
            assert service.call("PUT", f"users/{fresh()}", {})[0] == 200
            assert service.call("GET", f"users/{fresh()}")[0] == 404
        assert service.read_output() == before
        assert service.stop() == 0
