"""Waiting for others who write to an SQLite file."""

import threading
import time
from pathlib import Path

import apsw
import pytest

from app import errors
from app.config import Settings
from app.models.database import db, forget_connection, open_database, transaction
from app.models.stores import sqlite


@pytest.fixture
def database(new_database):
    """A file with a table, whose writers wait 300 ms."""
    open_database(Settings(database_url=new_database("sqlite"), lock_timeout=300))
    db.execute_sql("CREATE TABLE numbers (n)")
    yield
    forget_connection()


@transaction
def write(hold=0.0):
    db.execute_sql("INSERT INTO numbers VALUES (1)")
    time.sleep(hold)


def in_thread(hold):
    started = threading.Event()

    @transaction
    def work():
        db.execute_sql("INSERT INTO numbers VALUES (1)")
        started.set()
        time.sleep(hold)

    def run():
        work()
        forget_connection()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    return thread


def test_a_writer_asks_often_until_the_lock_is_free(database, monkeypatch):
    pauses, sleep = [], time.sleep
    monkeypatch.setattr(sqlite.time, "sleep", lambda seconds: (pauses.append(seconds), sleep(seconds)))
    thread = in_thread(0.15)
    write()
    thread.join()
    waits = [one for one in pauses if one not in (0.0, 0.15)]  # those of the threads
    assert len(waits) > 20 and max(waits) <= 0.005
    assert db.execute_sql("SELECT count(*) FROM numbers").fetchone()[0] == 2


def test_a_writer_gives_up_in_time(database):
    thread = in_thread(1.0)
    started = time.monotonic()
    with pytest.raises(errors.StorageUnavailable):
        write()
    assert 0.28 < time.monotonic() - started < 0.9
    thread.join()
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
