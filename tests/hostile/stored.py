"""The tables themselves, seen past the service."""

import contextlib
import hashlib

import apsw
import psycopg

from tests.factories import wait_until

# schema_migrations never changes; keys and workspaces are compared like all the rest. The worker keeps job_runs.
_TABLES = {
    "sqlite": (
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'job_runs' "
        "ORDER BY name"
    ),
    "postgres": (
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'job_runs' ORDER BY tablename"
    ),
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
        self._seen = None, b""  # the last version and its fingerprint

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
        wait_until(lambda: not self._rows("SELECT 1 FROM deletions WHERE state = 'pending' LIMIT 1"))
        version = self._version()
        if version is None or version != self._seen[0]:
            self._seen = version, hashlib.sha256(repr(self._content()).encode()).digest()
        return self._seen[1]

    def _version(self):
        """What is another one after anything was committed; None while something is being written.

        SQLite counts commits of others (sqlite.org/pragma.html#pragma_data_version); Postgres numbers transactions that
        write, and its snapshot tells the next number and those under way (functions-info.html).
        """
        if self.is_sqlite:
            return self._rows("PRAGMA data_version")
        [(version,)] = self._rows("SELECT pg_current_snapshot()::text")
        first, following, under_way = version.split(":")
        return version if first == following and not under_way else None

    def _content(self):
        if self.is_sqlite:
            return [sorted(map(repr, self._rows(f"SELECT * FROM {table}"))) for table in self.tables]
        hashes = "(SELECT string_agg(hash, '' ORDER BY hash) FROM (SELECT md5({0}::text) AS hash FROM {0}) AS rows)"
        return self._rows(f"SELECT {', '.join(map(hashes.format, self.tables))}")

    def _rows(self, sql):
        return self.connection.execute(sql).fetchall()
