"""`rollcall`: everything that is done from a shell. A thin front of the services; failures end with exit status 1."""

from app.cli import audit, credentials, deletions, imports, keys, records, server, upkeep, workspaces
from app.cli.base import main

__all__ = ["audit", "credentials", "deletions", "imports", "keys", "main", "records", "server", "upkeep", "workspaces"]
