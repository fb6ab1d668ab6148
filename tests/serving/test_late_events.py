"""Events that go on coming while their user is erased, on the running service (engage.md section 4.3)."""

import threading
import time

import pytest

from app.models.database import db, forget_connection
from app.services import audit, erasures, events, users
from tests.factories import fresh

WRITERS = 8
EVENT = {"event": "Paid"}
SENDERS = {
    "hot path": lambda uid: ("POST", f"users/{uid}/events", EVENT),
    "route": lambda uid: ("POST", f"users/{uid}/events", EVENT | {"id": fresh()}),
    "batch": lambda uid: ("POST", "batch", {"data": [{"type": "event", "id": uid, **EVENT}] * 3}),
    "mixed batch": lambda uid: ("POST", "batch", {"data": [
        {"type": "event", "id": uid, **EVENT}, {"type": "update", "id": fresh(), "first_name": "Ada"}]}),
}  # fmt: skip


@pytest.mark.ci  # starts the service
@pytest.mark.parametrize("lane", SENDERS)
def test_no_event_makes_the_erased_anew_while_eight_writers_go_on(service, lane):
    for _ in range(5):
        uid, stopping, failures = fresh(), threading.Event(), []

        def write(uid=uid, stopping=stopping, failures=failures):
            with service.connection() as connection:
                while not stopping.is_set():
                    status, reply = service.send(connection, *SENDERS[lane](uid))
                    if status != 200:
                        failures.append(reply)

        service.call("PUT", f"users/{uid}", {"first_name": "Ada"})
        writers = [threading.Thread(target=write) for _ in range(WRITERS)]
        for one in writers:
            one.start()
        time.sleep(0.2)
        assert service.call("DELETE", f"users/{uid}")[0] == 200
        found = service.call("GET", f"users/{uid}")[0]
        time.sleep(0.3)
        stopping.set()
        for one in writers:
            one.join()
        assert (found, service.call("GET", f"users/{uid}")[0], failures) == (404, 404, [])


@pytest.mark.parametrize("engine", ["postgres"])
def test_an_event_that_waits_for_the_erasure_began_before_it_and_is_late(workspace, monkeypatch):
    """The statement saw the user; the lock it waits for is the one of the erasure."""
    uid, outcomes = fresh(), []
    users.update(workspace, uid, {"first_name": "Ada"}, full=True)
    note, threads = erasures.note_uids, []

    def record():
        outcomes.append(events.record(workspace, uid, "Paid"))
        forget_connection()

    def note_while_an_event_waits(*args):
        threads.append(threading.Thread(target=record))
        threads[0].start()
        while not db.execute_sql("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall():
            time.sleep(0.01)
        note(*args)

    monkeypatch.setattr(erasures, "note_uids", note_while_an_event_waits)
    users.delete(workspace, uid, audit.SHELL)
    threads[0].join()
    assert outcomes == [events.ERASED]
    assert db.execute_sql(f"SELECT count(*) FROM users WHERE workspace_id = {workspace}").fetchone() == (0,)
