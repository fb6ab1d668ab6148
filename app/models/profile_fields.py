"""Custom profile fields, defined by a workspace."""

from collections.abc import Sequence
from typing import NamedTuple

import peewee

from app.domain import ids
from app.models.database import BaseModel, Call, Statement, run_all


class ProfileField(BaseModel):
    """A custom field. `position` is an id: the order of creation."""

    workspace_id = peewee.BigIntegerField()
    name = peewee.TextField()
    label = peewee.TextField()
    type = peewee.TextField()
    position = peewee.TextField()

    class Meta:
        table_name = "profile_fields"
        primary_key = peewee.CompositeKey("workspace_id", "name")


class FieldRow(NamedTuple):
    """A custom field as it is stored."""

    name: str
    label: str
    type: str


_ALL = Statement("SELECT name, label, type FROM profile_fields WHERE workspace_id = ? ORDER BY position")
_PUT = Statement(
    "INSERT INTO profile_fields (workspace_id, name, label, type, position) "
    "VALUES (?, ?, ?, ?, ?) ON CONFLICT (workspace_id, name) DO UPDATE SET "
    "label = excluded.label RETURNING name, type"
)


def of_workspace(workspace: int) -> list[FieldRow]:
    """Return the custom fields in the order of their creation."""
    return [FieldRow._make(values) for values in _ALL(workspace)]


def put(workspace: int, fields: Sequence[FieldRow]) -> dict[str, str]:
    """Add fields, or give those that are there another label; return {name: the type they have now}.

    fields: each name once. Call in a transaction. The rows are locked in the order of names.
    """
    position = {field.name: ids.new() for field in fields}  # new ones stay in the order in which they were given
    calls = [Call(_PUT, (workspace, *field, position[field.name])) for field in sorted(fields)]
    return dict(rows[0] for rows in run_all(calls))
