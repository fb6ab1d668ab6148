"""Progress of imports. Of a file only its hash is kept."""

from typing import NamedTuple

import peewee

from app.models.database import BaseModel, statement, unrepeated


class Import(BaseModel):
    """The import of a file into a workspace; the fields are those of Progress. Times are epoch milliseconds."""

    workspace_id = peewee.BigIntegerField()
    file_hash = peewee.TextField()
    position = peewee.BigIntegerField()
    line = peewee.BigIntegerField()
    stored = peewee.BigIntegerField()
    refused = peewee.BigIntegerField()
    duplicate = peewee.BigIntegerField(default=0)
    dropped = peewee.BigIntegerField(default=0)
    error_bytes = peewee.BigIntegerField()
    began_at = peewee.BigIntegerField()
    ended_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "imports"
        primary_key = peewee.CompositeKey("workspace_id", "file_hash")


class Progress(NamedTuple):
    """How far an import has come.

    position: bytes of the file that are done. line: lines of it that are. stored, refused: records. duplicate: events
    whose id was there; dropped: events of archived or erased users. error_bytes: how long the file of errors is.
    ended_at: epoch milliseconds; None before the end.
    """

    position: int = 0
    line: int = 0
    stored: int = 0
    refused: int = 0
    error_bytes: int = 0
    ended_at: int | None = None
    duplicate: int = 0
    dropped: int = 0


_COLUMNS = [getattr(Import, name) for name in Progress._fields]
_KEY = [Import.workspace_id, Import.file_hash]


@statement
def find(workspace: int, file_hash: str) -> Progress | None:
    """Return how far the import of that file has come; None when it never began. Raises errors.StorageUnavailable."""
    query = Import.select(*_COLUMNS).where((Import.workspace_id == workspace) & (Import.file_hash == file_hash))
    found = query.tuples().first()
    return Progress._make(found) if found else None


@unrepeated
def begin(workspace: int, file_hash: str, now: int) -> None:
    """Note that the import of a file begins, at its first byte. Raises errors.StorageUnavailable."""
    start = {**Progress()._asdict(), "began_at": now}
    note = Import.insert(workspace_id=workspace, file_hash=file_hash, **start)
    note.on_conflict(conflict_target=_KEY, update={getattr(Import, name): one for name, one in start.items()}).execute()


def move(workspace: int, file_hash: str, position: int, to: Progress) -> bool:
    """Note that an import which was at that position has come further; call in the transaction of what was stored.

    Returns True if it was there: else another process imports the same file at the same time.
    """
    is_there = (Import.position == position) & Import.ended_at.is_null()
    is_ours = (Import.workspace_id == workspace) & (Import.file_hash == file_hash)
    return bool(Import.update(**to._asdict()).where(is_ours & is_there).execute())
