"""Transactions: what is retried, what is not, and what a broken connection does."""

import asyncio
import contextlib
import gc
import threading
import weakref

import psycopg
import pytest
import uvloop

from app import errors, waiting
from app.config import Settings
from app.domain.consent import SUBSCRIBED
from app.domain.writes import Place
from app.models import users
from app.models.database import db, forget_connection, statement, transaction
from app.models.stores import PostgresStore
from app.services import users as service
from tests.factories import fresh

# SQLite has no connection that can be lost, and its one writer cannot be locked by another.
on_postgres = pytest.mark.parametrize("engine", ["postgres"])


@pytest.fixture
def kill(settings):
    """Close every connection of this process to Postgres from the server's side."""

    def kill():
        with psycopg.connect(settings.database_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "  # milliseconds that it waits for the end
                "WHERE application_name = 'rollcall' AND datname = current_database()"
            )

    return kill


@on_postgres
def test_a_connection_that_died_is_replaced_without_a_failed_request(api, kill):
    user = api.user()
    for _ in range(3):
        kill()
        assert api.get(f"users/{user['uid']}").json["id"] == user["id"]
        kill()
        assert api.put(f"users/{user['uid']}", {"first_name": "x"}).status_code == 200
        kill()
        assert api.post(f"users/{user['uid']}/events", {"event": "e"}).status_code == 200
    assert len(api.get(f"users/{user['uid']}/events").json["data"]) == 3
    kill()
    assert api.delete(f"users/{user['uid']}").status_code == 200


@on_postgres
def test_a_connection_that_died_after_a_conflict_is_replaced(app, workspace, kill, monkeypatch):
    atomic, tries = PostgresStore.atomic, []

    @contextlib.contextmanager
    def conflicting(store):
        with atomic(store):
            yield
            if len(tries) == 1:
                db.execute_sql("DO $$BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END$$")

    @transaction
    def read():
        tries.append(1)
        if len(tries) == 2:
            kill()
        return users.find(workspace, "nobody")

    monkeypatch.setattr(PostgresStore, "atomic", conflicting)
    assert read() is None and len(tries) == 3


@on_postgres
def test_whoever_connects_keeps_nobody_else_from_it(app, monkeypatch):
    connect, may_go_on = PostgresStore._connect, threading.Event()

    def slowly(store):
        assert threading.current_thread() is not slow or may_go_on.wait(10)
        return connect(store)

    def ask():
        seen.append((threading.current_thread(), db.execute_sql("SELECT 1").fetchone()))
        forget_connection()

    monkeypatch.setattr(PostgresStore, "_connect", slowly)
    seen, slow, other = [], threading.Thread(target=ask), threading.Thread(target=ask)
    slow.start()
    other.start()
    other.join(5)
    assert seen == [(other, (1,))]
    may_go_on.set()
    slow.join(5)
    assert seen[1:] == [(slow, (1,))]


@on_postgres
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_what_fills_the_socket_is_waited_for_on_the_event_loop(app, monkeypatch, loop):
    until, waits = waiting.until, []

    async def ask():
        future = asyncio.get_running_loop().create_future()
        waiting.run(lambda: db.execute_sql("SELECT length(%s)", ("x" * 5_000_000,)).fetchone(), future.set_result)
        return await future

    def spy(file, events, seconds):
        waits.append((events, until(file, events, seconds)))
        return waits[-1][1]

    monkeypatch.setattr(waiting, "until", spy)
    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(ask()) == (5_000_000,)
    both = waiting.READABLE | waiting.WRITABLE
    assert (both, waiting.WRITABLE) in waits and waits[-1] == (waiting.READABLE, waiting.READABLE)
    forget_connection()


@on_postgres
def test_a_connection_lost_before_the_commit_is_tried_again(app, workspace, kill):
    calls = []

    @transaction
    def write():
        calls.append(1)
        users.upsert(workspace, f"{len(calls):024d}", "retried", {}, 0, guard_email=False)
        if len(calls) == 1:
            kill()
            db.execute_sql("SELECT 1")

    write()
    assert len(calls) == 2 and users.find(workspace, "retried").id == f"{2:024d}"


@on_postgres
def test_a_connection_lost_during_the_commit_is_not_tried_again(app, workspace, kill, monkeypatch):
    calls = []
    commit = type(db.obj).commit

    def lost(self):
        kill()
        return commit(self)

    @transaction
    def write():
        calls.append(1)
        users.upsert(workspace, f"{1:024d}", "unknown", {}, 0, guard_email=False)

    monkeypatch.setattr(type(db.obj), "commit", lost)
    with pytest.raises(errors.StorageUnavailable):
        write()
    monkeypatch.undo()
    assert len(calls) == 1
    assert users.find(workspace, "unknown") is None  # and the connection is a good one again


@on_postgres
def test_two_who_lock_each_other_are_tried_again(app, settings, workspace):
    for uid in ("one", "two"):
        users.upsert(workspace, fresh().rjust(24, "0")[:24], uid, {}, 0, guard_email=False)
    both, failures = threading.Barrier(2, timeout=10), []

    def swap(first, second):
        met = False

        @transaction
        def write():
            nonlocal met
            users.lock(workspace, first)
            if not met:
                met = True
                both.wait()
            users.lock(workspace, second)

        try:
            write()
        except errors.Failure as error:
            failures.append(error)
        finally:
            forget_connection()

    threads = [threading.Thread(target=swap, args=names) for names in (("one", "two"), ("two", "one"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_what_fails_undoes_everything(app, workspace, tables):
    before = tables()

    @transaction
    def write():
        users.upsert(workspace, f"{1:024d}", "gone", {}, 0, guard_email=False)
        raise errors.UidTaken()

    with pytest.raises(errors.UidTaken):
        write()
    assert tables() == before


def test_inside_another_transaction_only_its_own_part_is_undone(app, workspace):
    @transaction
    def outer():
        service.update(workspace, "kept", {"first_name": "x", "lists": []}, full=True)
        with pytest.raises(errors.InvalidInput):
            service.update(workspace, "undone", {"lists": [Place("f" * 24, SUBSCRIBED)]}, full=True)

    outer()
    assert users.find(workspace, "kept") and not users.find(workspace, "undone")


def test_a_wrong_statement_is_our_fault_and_not_the_databases(app):
    @statement
    def wrong():
        db.execute_sql("SELECT missing FROM nowhere")

    with pytest.raises(Exception, match="nowhere") as raised:
        wrong()
    assert not isinstance(raised.value, errors.StorageUnavailable)
    forget_connection()


def test_a_file_that_is_no_database_is_unavailable(tmp_path):
    from app.models import schema
    from app.models.database import open_database

    (tmp_path / "x.db").write_bytes(b"this is no database" * 500)
    open_database(Settings(database_url=f"sqlite:///{tmp_path}/x.db"))
    with pytest.raises(errors.StorageUnavailable):
        schema.pending()
    forget_connection()


def test_what_a_transaction_was_given_is_gone_when_it_ends(app):
    class Given:
        """Something that can be watched."""

    @transaction
    def run(given):
        return users.find(1, "nobody")

    given = Given()
    watched = weakref.ref(given)
    gc.disable()  # it need not wait for that
    try:
        run(given)
        del given
        assert watched() is None
    finally:
        gc.enable()
