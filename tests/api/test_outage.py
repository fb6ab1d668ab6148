"""A database that cannot serve: 503, a reason that shows nothing of the inside, and service as soon as it can."""

import contextlib

import apsw
import psycopg
import pytest

from app.config import Settings
from tests.factories import fresh


@pytest.fixture
def settings(engine, database_urls):
    """As for other tests, with little patience."""
    return Settings(database_url=database_urls[engine], log_level="critical", lock_timeout=100)


@pytest.fixture
def outage(settings, postgres):
    """While the block runs, SQLite is locked by somebody else, and the database of Postgres takes no connections."""

    @contextlib.contextmanager
    def sqlite():
        other = apsw.Connection(settings.sqlite_path)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()

    @contextlib.contextmanager
    def away():
        name = settings.database_url.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            yield
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    return sqlite if settings.is_sqlite else away


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "users/known", {"first_name": "x"}),
        ("PUT", "users/known", {"device_token": "x"}),
        ("POST", "users/known/events", {"event": "e"}),
        ("POST", "users/known/events", {"event": "e", "id": "once"}),
        ("POST", "batch", {"data": [{"type": "update", "id": "known"}]}),
        ("DELETE", "users/known", None),
    ],
)
def test_a_write_while_the_database_is_away_is_503_and_told_when_to_come_back(api, outage, method, path, body):
    api.user("known")
    with outage():
        failed = api.call(method, path, body)
        assert (failed.status_code, failed.json["code"]) == (503, "storage_unavailable")
        assert failed.headers["Retry-After"] == "1"
        assert failed.json["error"] == "The database is not available just now; please try again."
        assert api.get("/readyz", by=None).status_code == 503
        assert api.get("/healthz", by=None).status_code == 200
    assert api.call(method, path, body).status_code == 200
    assert api.get("/readyz", by=None).status_code == 200


def test_reading_fails_only_where_the_database_is_gone(api, outage, engine):
    uid = api.user(fresh())["uid"]
    with outage():
        assert api.get(f"users/{uid}").status_code == {"sqlite": 200, "postgres": 503}[engine]
    assert api.get(f"users/{uid}").status_code == 200
