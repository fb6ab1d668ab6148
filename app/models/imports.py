"""Progress of imports. Of a file only its hash is kept."""

from typing import NamedTuple

import peewee

from app.models.database import BaseModel, Statement, statement, unrepeated


class Import(BaseModel):
    """The import of a file into a workspace; the fields are those of Progress. Times are epoch milliseconds."""

    workspace_id = peewee.BigIntegerField()
    file_hash = peewee.TextField()
    position = peewee.BigIntegerField()
    line = peewee.BigIntegerField()
    stored = peewee.BigIntegerField()
    refused = peewee.BigIntegerField()
    error_bytes = peewee.BigIntegerField()
    began_at = peewee.BigIntegerField()
    ended_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "imports"
        primary_key = peewee.CompositeKey("workspace_id", "file_hash")


class Progress(NamedTuple):
    """How far an import has come.

    position: bytes of the file that are done. line: lines of it that are. stored, refused: records. error_bytes: how
    long the file of errors is. ended_at: epoch milliseconds; None before the end.
    """

    position: int = 0
    line: int = 0
    stored: int = 0
    refused: int = 0
    error_bytes: int = 0
    ended_at: int | None = None


_COLUMNS = ", ".join(Progress._fields)
_FIND = Statement(f"SELECT {_COLUMNS} FROM imports WHERE workspace_id = ? AND file_hash = ?")
_BEGIN = Statement(
    "INSERT INTO imports (workspace_id, file_hash, position, line, stored, refused, error_bytes, began_at) "
    "VALUES (?, ?, 0, 0, 0, 0, 0, ?) ON CONFLICT (workspace_id, file_hash) "
    "DO UPDATE SET position = 0, line = 0, stored = 0, refused = 0, error_bytes = 0, ended_at = NULL, "
    "began_at = excluded.began_at RETURNING position"
)
_MOVE = Statement(
    f"UPDATE imports SET {', '.join(f'{name} = ?' for name in Progress._fields)} "
    f"WHERE workspace_id = ? AND file_hash = ? AND position = ? "
    "AND ended_at IS NULL RETURNING position"
)


@statement
def find(workspace: int, file_hash: str) -> Progress | None:
    """Return how far the import of that file has come; None when it never began. Raises errors.StorageUnavailable."""
    rows = _FIND(workspace, file_hash)
    return Progress._make(rows[0]) if rows else None


@unrepeated
def begin(workspace: int, file_hash: str, now: int) -> None:
    """Note that the import of a file begins, at its first byte. Raises errors.StorageUnavailable."""
    _BEGIN(workspace, file_hash, now)


def move(workspace: int, file_hash: str, position: int, to: Progress) -> bool:
    """Note that an import which was at that position has come further; call in the transaction of what was stored.

    Returns whether it was there: else somebody imports the same file at the same time.
    """
    return bool(_MOVE(*to, workspace, file_hash, position))
