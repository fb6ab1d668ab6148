"""Custom profile fields, defined by a workspace."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee

from app.domain import ids
from app.models.database import BaseModel


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


def of_workspace(workspace: int) -> list[FieldRow]:
    """Return the custom fields in the order of their creation."""
    query = ProfileField.select(ProfileField.name, ProfileField.label, ProfileField.type)
    rows: Any = query.where(ProfileField.workspace_id == workspace).order_by(ProfileField.position).tuples()
    return [FieldRow._make(values) for values in rows]


def put(workspace: int, fields: Sequence[FieldRow]) -> dict[str, str]:
    """Add fields, or give those that are there another label; return {name: the type they have now}.

    fields: each name once. Call in a transaction. The rows are locked in the order of names.
    """
    position = {field.name: ids.new() for field in fields}  # new ones stay in the order in which they were given
    for field in sorted(fields):
        ProfileField.insert(workspace_id=workspace, position=position[field.name], **field._asdict()).on_conflict(
            conflict_target=[ProfileField.workspace_id, ProfileField.name], update={ProfileField.label: field.label}
        ).execute()
    return {field.name: field.type for field in of_workspace(workspace) if field.name in position}
