"""The tables themselves, seen past the service."""

import contextlib
import hashlib
import time

import apsw
import psycopg

_PATIENCE = 30  # seconds until whoever was deleted must be erased
# schema_migrations never changes; keys and workspaces are compared like all the rest.
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
}


class Stored:
    """A connection of its own to the database of a service. Use as a context manager."""

    def __init__(self, url):
        self.is_sqlite = url.startswith("sqlite:///")
        self.connection = (
            apsw.Connection(url.removeprefix("sqlite:///"), flags=apsw.SQLITE_OPEN_READONLY)
            if self.is_sqlite
            else psycopg.connect(url, autocommit=True)
        )
        self.tables = [name for (name,) in self._rows(_TABLES["sqlite" if self.is_sqlite else "postgres"])]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        with contextlib.suppress(apsw.Error, psycopg.Error):
            self.connection.close()

    def uids(self):
        """Return (workspace, uid) of every user there is."""
        return self._rows("SELECT workspace_id, uid FROM users")

    def fingerprint(self):
        """Return what tells any two states of all the tables apart, once the worker has nothing to erase."""
        deadline = time.monotonic() + _PATIENCE
        while self._rows("SELECT 1 FROM deletions WHERE state = 'pending' LIMIT 1"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return hashlib.sha256(repr([sorted(map(repr, self._content(name))) for name in self.tables]).encode()).digest()

    def _content(self, table):
        if self.is_sqlite:
            return self._rows(f"SELECT * FROM {table}")
        return self._rows(f"SELECT md5({table}::text) FROM {table}")

    def _rows(self, sql):
        return self.connection.execute(sql).fetchall()
