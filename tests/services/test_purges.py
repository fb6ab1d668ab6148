"""When it is purged, and by whom."""

import random
import re
import secrets
import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import conninfo

from app import clock, errors
from app.config import Settings
from app.domain import ids
from app.models import locks, purging
from app.models.database import db, forget_connection, open_database
from app.services import purges, storage, users
from app.services.audit import SHELL
from tests.factories import fresh


@pytest.fixture
def at(monkeypatch):
    """Make it that time of a day in 2031; ids made then are newer than those of the tests that follow."""
    monkeypatch.setattr(ids, "_last", ids._last)

    def at(day, hour):
        moment = int(datetime(2031, 5, day, hour, 30, tzinfo=UTC).timestamp() * 1000)
        monkeypatch.setattr(clock, "now", lambda: moment)

    return at


@pytest.fixture
def alone(new_database, engine):
    """A database of this test alone: the last purge counts for all of it."""
    settings = Settings(database_url=new_database(engine))
    storage.open(settings)
    storage.prepare(settings)
    yield 1
    forget_connection()


def test_it_is_purged_once_a_day_and_only_after_an_erasure(alone, at):
    def erase():
        users.update(alone, "u", {}, full=True)
        users.delete(alone, "u", SHELL)

    done = []
    for day, hour, erases in [(1, 9, False), (1, 10, True), (1, 11, False), (2, 2, True), (2, 3, False), (2, 4, True),
                              (3, 2, False), (3, 4, False), (4, 4, False)]:  # fmt: skip
        at(day, hour)
        if erases:
            erase()
        done.append((day, hour, purges.purge_when_due(hour=3)))
    assert [(day, hour) for day, hour, purged in done if purged] == [(1, 10), (2, 3), (3, 4)]


def test_one_process_purges_at_a_time(alone, at):
    held, done = threading.Event(), threading.Event()

    def hold():
        with locks.claim(locks.WORKING) as is_ours:
            assert is_ours
            held.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    users.update(alone, "u", {}, full=True)
    users.delete(alone, "u", SHELL)
    at(1, 9)
    assert not purges.purge_when_due(hour=3)
    threading.Timer(0.5, done.set).start()
    began = time.monotonic()
    assert purges.purge() == [] and time.monotonic() - began > 0.4
    thread.join()
    assert not purges.purge_when_due(hour=3)


def test_it_goes_on_while_others_write(alone):
    stop, failures = threading.Event(), []

    def write():
        try:
            while not stop.is_set():
                users.update(alone, fresh(), {"first_name": "x"}, full=True)
        except errors.Failure as error:
            failures.append(error)
        finally:
            forget_connection()

    writers = [threading.Thread(target=write) for _ in range(3)]
    for one in writers:
        one.start()
    assert [purges.purge() for _ in range(3)] == [[], [], []]
    stop.set()
    for one in writers:
        one.join()
    assert not failures


def test_a_reader_who_does_not_end_is_reported(alone, engine, monkeypatch):
    monkeypatch.setattr(purging, "_PATIENCE", 1.0)
    ready, done = threading.Event(), threading.Event()

    def read():
        with db.connection_context():
            db.execute_sql("BEGIN" if engine == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ")
            db.execute_sql("SELECT count(*) FROM workspaces").fetchall()
            ready.set()
            done.wait(20)
            db.execute_sql("ROLLBACK")

    thread = threading.Thread(target=read)
    thread.start()
    ready.wait(10)
    users.update(alone, "u", {}, full=True)
    try:
        [said] = purges.purge()
        assert "again" in said
    finally:
        done.set()
        thread.join()


def test_the_owner_of_a_postgres_needs_the_rights_that_the_docs_name(new_database, root, postgres):
    url = new_database("postgres")
    name, role = conninfo.conninfo_to_dict(url)["dbname"], "owner" + secrets.token_hex(4)
    grants = re.search(r"```sql\n(.*?)```", (root / "docs/erasure.md").read_text(), re.S)[1]
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
        superuser.execute(f"ALTER DATABASE {name} OWNER TO {role}")
        settings = Settings(database_url=url.replace("//postgres:@", f"//{role}:x@"))
        open_database(settings)
        storage.prepare(settings)
        [said] = purges.purge()
        assert "docs/erasure.md" in said
        superuser.execute(grants.replace("rollcall", role))
        assert purges.purge() == []
        forget_connection()


def test_sqlite_needs_its_vacuum(tmp_path):
    """secure_delete leaves copies of rows that moved between pages; the purge does not."""
    path, chance, live, dead = tmp_path / "x.db", random.Random(5), {}, set()
    open_database(Settings(database_url=f"sqlite:///{path}"))
    db.execute_sql("CREATE TABLE t (id TEXT PRIMARY KEY, uid TEXT UNIQUE, meta TEXT) WITHOUT ROWID")
    with db.atomic():
        for number in range(12_000):
            if live and chance.random() < 0.45:
                id = next(iter(live)) if chance.random() < 0.5 else next(reversed(live))
                dead.add(live.pop(id))
                db.execute_sql("DELETE FROM t WHERE id = ?", (id,))
            else:
                id, mark = chance.randbytes(12).hex(), f"mark{chance.randbytes(8).hex()}"
                live[id] = mark
                size = chance.choice([0, 10, 200, 1000, 6000])
                db.execute_sql("INSERT INTO t VALUES (?, ?, ?)", (id, mark + "u", mark + "x" * size))
            if live and number % 7 == 0:
                id = next(iter(live))
                db.execute_sql("UPDATE t SET meta = ? WHERE id = ?", (live[id] + "z" * chance.randint(0, 3000), id))

    def readable(marks):
        content = b"".join(one.read_bytes() for one in tmp_path.iterdir())
        return set(marks) & {mark.decode() for mark in re.findall(rb"mark[0-9a-f]{16}", content)}

    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert readable(dead)
    purging.purge()
    assert not readable(dead) and len(readable(live.values())) == len(live)
    forget_connection()
