"""Waiting for others who write to an SQLite file."""

import contextlib
import threading
import time
from pathlib import Path

import apsw
import pytest

from app import errors
from app.config import Settings
from app.models.database import db, forget_connection, open_database, transaction
from app.models.stores import sqlite

PATIENCE = 30  # seconds in which a thread must have come so far, on a machine under any load


@pytest.fixture
def database(new_database):
    """A file with a table, whose writers wait 300 ms."""
    open_database(Settings(database_url=new_database("sqlite"), lock_timeout=300))
    db.execute_sql("CREATE TABLE numbers (n)")
    yield
    forget_connection()


@transaction
def write():
    db.execute_sql("INSERT INTO numbers VALUES (1)")


@contextlib.contextmanager
def locked():
    """Have another thread write, and commit no sooner than the event that is yielded is set, or the block has ended."""
    holds, is_over = threading.Event(), threading.Event()

    @transaction
    def work():
        write()
        holds.set()
        is_over.wait(PATIENCE)

    def run():
        work()
        forget_connection()

    thread = threading.Thread(target=run)
    thread.start()
    assert holds.wait(PATIENCE)
    try:
        yield is_over
    finally:
        is_over.set()
        thread.join()


def test_a_writer_asks_often_until_the_lock_is_free(database, monkeypatch):
    pauses, sleep = [], time.sleep

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) > 20:
            is_over.set()
        sleep(seconds)

    with locked() as is_over:
        monkeypatch.setattr(sqlite.time, "sleep", pause)
        write()
    assert len(pauses) > 20 and max(pauses) <= 0.005
    assert db.execute_sql("SELECT count(*) FROM numbers").fetchone()[0] == 2


def test_a_writer_gives_up_in_time(database):
    with locked():
        started = time.monotonic()
        with pytest.raises(errors.StorageUnavailable):
            write()
        assert 0.28 < time.monotonic() - started < PATIENCE
    assert db.execute_sql("SELECT count(*) FROM numbers").fetchone()[0] == 1


def test_no_writer_waits_for_a_long_log_to_be_copied(database):
    for _ in range(150):
        with db.atomic():
            db.execute_sql("INSERT INTO numbers VALUES (zeroblob(40000))")  # ten pages
    longest = Path(f"{db.database}-wal").stat().st_size  # it is written again from its start when it was copied
    assert longest < 450 * 4096


def test_whoever_opens_a_file_waits_for_another_who_makes_it(tmp_path):
    path = tmp_path / "new.db"
    other = apsw.Connection(str(path))
    other.set_busy_timeout(5000)  # as all have: it must not fail because we look
    other.execute("CREATE TABLE numbers (n)")
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    timer.start()
    open_database(Settings(database_url=f"sqlite:///{path}"))
    assert db.execute_sql("PRAGMA journal_mode").fetchone()[0] == "wal"
    timer.join()
    other.close()
    forget_connection()
