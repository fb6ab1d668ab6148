"""Why a database cannot serve: each cause by a real failure, told once a second and without a secret."""

import apsw
import psycopg
import pytest

from app import errors, logs
from app.config import Settings
from app.models import database
from app.models.database import forget_connection, open_database
from app.models.workspaces import try_write
from tests.factories import free_port


@pytest.fixture
def told(monkeypatch):
    """The warnings that are logged."""
    lines = []
    monkeypatch.setattr(logs, "warning", lambda name, **fields: lines.append({"name": name, **fields}))
    monkeypatch.setattr(database, "_told", {})
    return lines


def fail(url, **settings):
    """Open the database and fail to write to it."""
    open_database(Settings(database_url=url, **settings))
    try:
        with pytest.raises(errors.StorageUnavailable) as raised:
            try_write()
        return raised.value
    finally:
        forget_connection()


@pytest.fixture
def server(postgres):
    """Run a statement on the server of the tests."""

    def run(sql):
        with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
            connection.execute(sql)

    return run


def test_a_postgres_that_cannot_serve_says_why(told, postgres, server, migrated_database):
    url = migrated_database("postgres")
    name = url.partition("?")[0].rpartition("/")[2]
    server("DROP ROLE IF EXISTS crowd")
    server("CREATE ROLE crowd LOGIN CONNECTION LIMIT 0")
    found = {}
    for cause, where in {
        "no_such_database": postgres.format("nowhere"),
        "wrong_password": url.replace("//postgres:@", "//nobody-there@"),
        "unreachable": f"postgresql://u:sekret@127.0.0.1:{free_port()}/x",
        "host_unknown": "postgresql://u:sekret@no-such-host.invalid/x",
        "too_many_connections": url.replace("//postgres:@", "//crowd@"),
    }.items():
        error = fail(where, lock_timeout=100)
        found[cause] = told.pop()
        assert str(error) == errors.StorageUnavailable.message
        assert database.why(error) == found[cause]["hint"]
    server(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    fail(url)
    found["read_only"] = told.pop()
    assert {cause: line["cause"] for cause, line in found.items()} == {cause: cause for cause in found}
    assert "sekret" not in repr(found) and "nobody-there" not in repr(found)


def test_an_sqlite_that_cannot_serve_says_why(told, migrated_database, tmp_path):
    url = migrated_database("sqlite")
    other = apsw.Connection(url.removeprefix("sqlite:///"))
    other.execute("BEGIN IMMEDIATE")
    fail(url, lock_timeout=100)
    other.close()
    (tmp_path / "x.db").write_bytes(b"this is no database" * 500)
    fail(f"sqlite:///{tmp_path}/x.db")
    fail("sqlite:////dev/full")
    assert [line["cause"] for line in told][:2] == ["locked", "damaged"] and len(told) == 3


def test_the_same_cause_is_told_once_a_second(told):
    url = f"postgresql://u@127.0.0.1:{free_port()}/x"
    for _ in range(5):
        fail(url)
    assert [line["cause"] for line in told] == ["unreachable"]
