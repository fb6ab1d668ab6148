"""The `rollcall` command: a thin layer over the services. Failures exit with status 1."""

from app.cli import audit, credentials, deletions, imports, keys, records, server, upkeep, workspaces
from app.cli.base import main

__all__ = ["audit", "credentials", "deletions", "imports", "keys", "main", "records", "server", "upkeep", "workspaces"]
