"""Upgrades: from the schema of every released version, with data, on both databases, also when it is interrupted.

A folder of tests/fixtures is a database of that version as SQL, and what its API answered about it.
"""

import json
import multiprocessing
import os
import shutil
import signal

import apsw
import psycopg
import pytest

from app.config import Settings
from app.models import schema
from app.models.database import db, forget_connection, open_database
from app.services import storage
from tests.factories import ROOT, Service
from tests.models.test_schema import STARTERS, _start

pytestmark = pytest.mark.ci

VERSIONS = sorted((ROOT / "tests/fixtures").glob("schema-*"))
PUBLIC, SECRET = "pk_upgrade_0123456789", "sk_upgrade_0123456789abcdef"


@pytest.fixture(params=VERSIONS, ids=lambda folder: folder.name)
def version(request):
    """The folder of a released version."""
    return request.param


@pytest.fixture
def old_database(version, engine, new_database):
    """A database as that version left it; its URL."""
    url, text = new_database(engine), (version / f"{engine}.sql").read_text()
    if engine == "sqlite":
        connection = apsw.Connection(url.removeprefix("sqlite:///"))
        connection.execute(text)
        connection.close()
    else:
        with psycopg.connect(url) as connection:
            connection.execute(text)
    open_database(Settings(database_url=url))
    yield url
    forget_connection()


def has_all_of(reply, old):
    """Whether the reply says all that the old one said; it may say more."""
    if isinstance(old, dict):
        return all(name in reply and has_all_of(reply[name], value) for name, value in old.items())
    if isinstance(old, list):
        return len(reply) == len(old) and all(has_all_of(*pair) for pair in zip(reply, old, strict=True))
    return reply == old


def test_everything_is_answered_as_before_the_upgrade(version, engine, old_database):
    expected = json.loads((version / f"{engine}.json").read_text())
    with Service(old_database) as service:
        service.public, service.secret = PUBLIC, SECRET
        for path, old in expected.items():
            status, reply = service.call("GET", path)
            assert status == 200 and has_all_of(reply, old), path
        assert service.call("PUT", "users/u1", {"first_name": "Eve"})[1]["first_name"] == "Eve"
        assert service.call("DELETE", "users/u1")[0] == 200


def test_replies_kept_by_an_older_version_go_with_the_first_who_is_erased(engine, old_database):
    open_database(Settings(database_url=old_database))
    storage.migrate()
    assert "Ada" in repr(db.execute_sql("SELECT * FROM replies").fetchall())
    with Service(old_database) as service:
        service.public, service.secret = PUBLIC, SECRET
        assert service.call("DELETE", "users/u1")[0] == 200
    assert "Ada" not in repr(db.execute_sql("SELECT * FROM replies").fetchall())


@pytest.mark.ci  # eight processes start
def test_eight_processes_at_once_upgrade_once(old_database):
    """Slow: eight processes import the app and the tests."""
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    starters = [spawn.Process(target=_start, args=(old_database, results)) for _ in range(STARTERS)]
    for one in starters:
        one.start()
    assert [results.get(timeout=120) for _ in starters] == [None] * STARTERS
    for one in starters:
        one.join()
    assert [one.exitcode for one in starters] == [0] * STARTERS
    open_database(Settings(database_url=old_database))
    assert schema.pending() == []
    applied = [name for (name,) in db.execute_sql("SELECT name FROM schema_migrations").fetchall()]
    assert len(applied) == len(set(applied)) and len(applied) > 1


@pytest.mark.parametrize("engine", ["postgres"])  # SQLite has no partitions
def test_the_events_are_the_same_in_their_months(old_database):
    """A month with many events, others with few, some in the future, on the edges, and before the epoch."""
    with psycopg.connect(old_database) as connection:
        connection.execute(
            "INSERT INTO events (workspace_id, user_id, timestamp, id, event, value, properties) "
            "SELECT workspace_id, id, at, 'e' || at, 'Paid', '1', '{\"a\": 1}' FROM (SELECT workspace_id, id FROM users "
            "LIMIT 1) AS one, unnest(array[-2208988800000, -1, 0, 1580515199999, 1582977600000, 4102444800000, "
            "7258118399999] || array(SELECT generate_series(1580515200000::bigint, 1582977599999, 200000))) AS at"
        )
        before = connection.execute("SELECT * FROM events ORDER BY workspace_id, user_id, timestamp, id").fetchall()
    assert storage.migrate()
    after = db.execute_sql("SELECT * FROM events ORDER BY workspace_id, user_id, timestamp, id").fetchall()
    assert after == before and len(after) > 12_000
    february = [row for row in before if 1580515200000 <= row[2] < 1583020800000]
    assert db.execute_sql("SELECT count(*) FROM events_2020_02").fetchone()[0] == len(february) > 12_000
    assert db.get_primary_keys("events") == ["workspace_id", "user_id", "timestamp", "id"]
    db.execute_sql("DELETE FROM users")
    assert db.execute_sql("SELECT count(*) FROM events").fetchone()[0] == 0


def _migrate_and_die(url, survived):
    """Migrate, and be killed by kill -9 after so many statements."""
    store, left = open_database(Settings(database_url=url)), [survived]
    execute = type(store).execute_sql

    def count(self, *args, **more):
        result = execute(self, *args, **more)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    type(store).execute_sql = count
    storage.migrate()


def test_an_upgrade_killed_after_any_statement_runs_to_its_end_the_next_time(
    version, engine, old_database, new_database
):
    fork, killed = multiprocessing.get_context("fork"), 0
    forget_connection()
    while True:
        process = fork.Process(target=_migrate_and_die, args=(old_database, killed + 1))
        process.start()
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        killed += 1
    assert killed > len(list(schema._DIRECTORY.glob("[0-9]*.py")))
    open_database(Settings(database_url=old_database))
    assert schema.pending() == [] and len(db.execute_sql("SELECT * FROM users").fetchall()) > 3
    upgraded = _shape()
    forget_connection()
    open_database(Settings(database_url=new_database(engine)))
    storage.migrate()
    assert upgraded == _shape()


def _shape():
    """The columns and indexes of all tables."""
    return {
        table: (
            [one.name for one in db.get_columns(table)],
            sorted((one.name, one.columns, one.unique) for one in db.get_indexes(table)),
        )
        for table in db.get_tables()
    }


def test_a_migration_that_fails_half_way_leaves_nothing_and_runs_again(old_database, tmp_path, monkeypatch):
    storage.migrate()
    folder = shutil.copytree(schema._DIRECTORY, tmp_path / "migrations")
    monkeypatch.setattr(schema, "_DIRECTORY", folder)
    broken = "def up(migrator, db):\n    db.execute_sql('CREATE TABLE half (a TEXT)')\n    db.execute_sql('WRONG')\n"
    (folder / "9999_broken.py").write_text(broken)
    with pytest.raises(Exception, match="syntax error"):
        storage.migrate()
    forget_connection()
    assert schema.pending() == ["9999_broken"] and "half" not in db.get_tables()
    (folder / "9999_broken.py").write_text(broken.replace("WRONG", "CREATE TABLE whole (a TEXT)"))
    assert storage.migrate() == ["9999_broken"]
    assert {"half", "whole"} <= set(db.get_tables())
