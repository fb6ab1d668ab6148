"""`rollcall import` and kill -9: whatever it is cut off at, begun again it stores each record once.

Slow: each run is a process, and the file long enough to be killed in the middle of.
"""

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from app.config import Settings
from app.models.database import db, forget_connection, open_database
from tests.factories import ROOT

pytestmark = pytest.mark.ci

LINES = 30_000
BAD = 1_000  # every so many lines one is refused


@pytest.fixture(params=["ndjson", "csv"])
def records(request, tmp_path):
    """A file of records. Events of NDJSON have no id: nothing but how far the import has come keeps them from coming twice."""
    path = tmp_path / f"users.{request.param}"
    write = {
        "ndjson": lambda number, bad: (
            "{" if bad else json.dumps({"type": "event", "uid": f"u{number % 99}", "event": str(number)})
        ),
        "csv": lambda number, bad: "a/b," if bad else f"u{number},{number}",
    }[request.param]
    lines = [write(number, number % BAD == 7) for number in range(LINES)]
    path.write_text("\n".join(["id,name", *lines] if request.param == "csv" else lines))
    return path


@pytest.fixture
def start(new_database, engine):
    """Start `rollcall import`; returns the process. Its database is `start.url`."""
    url = new_database(engine)

    def start(*words):
        command = [sys.executable, "-m", "app", "import", *map(str, words)]
        environment = {"PATH": "/usr/bin:/bin", "DATABASE_URL": url}
        return subprocess.Popen(
            command, env=environment, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    start.url = url
    return start


def test_an_import_that_is_killed_again_and_again_stores_each_record_once(start, records, rounds):
    killed = 0
    while killed <= rounds:
        process = start(records)
        before = position(start.url)
        while process.poll() is None and position(start.url) == before:
            time.sleep(0.01)
        time.sleep(random.random() / 20)  # anywhere in the next portions
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "the file is too short for so many crashes"
    told, _ = start(records).communicate()
    assert told.startswith(f"{LINES - LINES // BAD} stored, {LINES // BAD} refused; see ")
    numbers = [n for n in range(LINES) if n % BAD != 7]
    if records.suffix == ".csv":
        stored = [json.loads(meta)["name"] for (meta,) in query(start.url, "SELECT CAST(meta AS TEXT) FROM users")]
    else:
        stored = [event for (event,) in query(start.url, "SELECT event FROM events")]
    assert sorted(stored) == sorted(map(str, numbers))
    lines = [int(row.partition(",")[0]) for row in errors_of(records)[1:]]
    assert lines == list(range(8 + (records.suffix == ".csv"), LINES, BAD))


def position(url):
    """How far the import has come in bytes; 0 where there is no database yet."""
    try:
        return (query(url, "SELECT max(position) FROM imports") or [(0,)])[0][0] or 0
    except Exception:  # noqa: BLE001 - whatever keeps us from looking is over soon
        return 0


def query(url, sql):
    open_database(Settings(database_url=url))
    try:
        return db.execute_sql(sql).fetchall()
    finally:
        forget_connection()


def errors_of(path):
    return path.with_name(f"{path.name}.errors.csv").read_text().splitlines()
