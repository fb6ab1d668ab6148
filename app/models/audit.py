"""The audit log: append-only rows, enforced by database triggers (migration 0004)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee

from app.domain import ids
from app.models.database import BaseModel, Statement, write_many
from app.models.dialects import given
from app.models.keyset import Filter, Keyset


class AuditRecord(BaseModel):
    """Something that was done to a workspace, and by whom. `at` is the time in `id`, in epoch milliseconds."""

    workspace_id = peewee.BigIntegerField()
    id = peewee.TextField()
    action = peewee.TextField()
    actor = peewee.TextField()
    level = peewee.TextField()
    subject = peewee.TextField()
    other = peewee.TextField(null=True)
    at = peewee.BigIntegerField()
    request_id = peewee.TextField(null=True)

    class Meta:
        table_name = "audit"
        primary_key = peewee.CompositeKey("workspace_id", "id")


class AuditRow(NamedTuple):
    """A record as it is stored; docs/audit.md says what each part names."""

    id: str
    action: str
    actor: str
    level: str
    subject: str
    other: str | None
    at: int
    request_id: str | None


_COLUMNS = ", ".join(f"audit.{name}" for name in AuditRow._fields)
_ADD = Statement(
    lambda d: (
        "INSERT INTO audit (workspace_id, action, actor, level, other, request_id, id, at, subject) "
        f"{given(d, 6, {'id': 'text', 'at': 'bigint', 'subject': 'text'}, in_order=False)}"
    )
)


def add(
    workspace: int,
    action: str,
    actor: str,
    level: str,
    subjects: Sequence[str],
    other: str | None,
    request_id: str | None,
) -> None:
    """Add a record of each subject, at least one, with the time of now. Call in a transaction."""
    made = ids.several(len(subjects))
    columns: list[Sequence[Any]] = [made, [ids.made_at(id) for id in made], subjects]
    write_many(_ADD, (workspace, action, actor, level, other, request_id), columns)


_PAGE = Keyset("audit", lambda d: _COLUMNS)
_BOUNDS = {
    # Times as ids: a range of the key, which needs no index of its own and meets no row outside.
    "since": "{row}.id >= ?",
    "until": "{row}.id < ?",
}


def page(count: int, filters: Sequence[Filter], cursor: str | None, descending: bool) -> tuple[list[AuditRow], bool]:
    """Return records as Keyset says. filters: `of_workspace` and any that `by` makes."""
    rows, behind = _PAGE(count, filters, cursor, descending)
    return [AuditRow._make(values) for values in rows], behind


def by(name: str, value: str | int) -> Filter:
    """Return the filter of that name.

    action, subject: text. since (included), until (not included): epoch milliseconds.
    """
    if isinstance(value, int):
        return Filter(_BOUNDS[name], (ids.first_at(value),))
    return Filter(f"{{row}}.{name} = ?", (value,))
