"""The worker beside gunicorn: it lives and dies with the service, and purges by itself.

Slow: one that died is replaced after five seconds, and each test starts a service, one of them three.
"""

import os
import signal
from pathlib import Path

import pytest

from tests.factories import Service, fresh, wait_until

pytestmark = pytest.mark.ci


def companions(pid):
    """The processes that work for the service of this process id."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"app.jobs" in words and str(pid).encode() in words:
            found.append(int(folder.name))
    return found


def test_a_worker_that_dies_is_replaced(new_database, engine):
    with Service(new_database(engine)) as service:
        wait_until(lambda: companions(service.process.pid))
        [first] = companions(service.process.pid)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: companions(service.process.pid) not in ([], [first]))
        assert service.call("GET", "/readyz", by=None)[0] == 200


def test_the_worker_ends_with_the_service_also_when_that_is_killed(new_database, engine):
    for with_signal in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with Service(new_database(engine)) as service:
            wait_until(lambda: companions(service.process.pid))
            pid = service.process.pid
            service.stop(with_signal)
            wait_until(lambda: not companions(pid))


def test_the_bytes_of_who_was_erased_are_purged_without_being_asked(new_database, engine):
    with Service(new_database(engine)) as service:
        uid = fresh()
        service.call("PUT", f"users/{uid}", {"first_name": "Ada"})
        service.call("DELETE", f"users/{uid}")
        wait_until(lambda: '"purged"' in service.read_output())
        assert service.rollcall("purge") == "purged\n"


def test_events_past_their_time_go_without_being_asked(new_database, engine):
    with Service(new_database(engine), ROLLCALL_EVENT_RETENTION_DAYS="30") as service:
        wait_until(lambda: '"swept"' in service.read_output())
        for timestamp in ("1999-12-31T00:00:00Z", None):
            assert service.call("POST", "users/ada/events", {"event": "Paid", "timestamp": timestamp})[0] == 200
        assert service.rollcall("sweep") == "0 months dropped, 1 events deleted\n"
        left = service.call("GET", "users/ada/events")[1]["data"]
        assert [one["timestamp"][:4] == "1999" for one in left] == [False]
        said = service.rollcall("sweep", status=1, ROLLCALL_EVENT_RETENTION_DAYS="0")
        assert "ROLLCALL_EVENT_RETENTION_DAYS" in said
