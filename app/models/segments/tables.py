"""The tables of segments."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
import peewee

from app.domain import ids, rules
from app.models.database import BaseModel, Statement
from app.models.keyset import Filter, Keyset


class Segment(BaseModel):
    """A saved question about users. `rule` is the JSON of it, as it was sent."""

    workspace_id = peewee.BigIntegerField()
    id = peewee.TextField()
    name = peewee.TextField()
    description = peewee.TextField(null=True)
    rule = peewee.TextField()
    created_at = peewee.BigIntegerField()
    updated_at = peewee.BigIntegerField()

    class Meta:
        table_name = "segments"
        primary_key = peewee.CompositeKey("workspace_id", "id")


class SegmentSet(BaseModel):
    """All rules of a workspace that has segments of its own; `version` is another one after every change of them."""

    workspace_id = peewee.BigIntegerField(primary_key=True)
    version = peewee.TextField()

    class Meta:
        table_name = "segment_sets"


class SegmentSuppression(BaseModel):
    """A user who is suppressed in a segment, in it or not."""

    workspace_id = peewee.BigIntegerField()
    user_id = peewee.TextField()
    segment_id = peewee.TextField()
    suppressed_at = peewee.BigIntegerField()

    class Meta:
        table_name = "segment_suppressions"
        primary_key = peewee.CompositeKey("workspace_id", "user_id", "segment_id")


class SegmentRow(NamedTuple):
    """A segment as it is stored; times are epoch milliseconds."""

    id: str
    name: str
    description: str | None
    rule: dict[str, Any]
    created_at: int
    updated_at: int


_COLUMNS = ", ".join(f"segments.{name}" for name in SegmentRow._fields)


def _row(values: tuple[Any, ...]) -> SegmentRow:
    return SegmentRow._make(values)._replace(rule=orjson.loads(values[3]))


def create(workspace: int, fields: dict[str, Any], now: int) -> SegmentRow:
    """Make a segment of these fields: name, rule and maybe description. Call `change_set` first."""
    made = SegmentRow(ids.new(), fields["name"], fields.get("description"), fields["rule"], now, now)
    _insert(workspace, made)
    return made


def create_everybody(workspace: int, now: int) -> None:
    """Make the segment of everybody, which a workspace has from the start."""
    _insert(workspace, SegmentRow(rules.EVERYBODY, "all", None, {"all": []}, now, now))


def _insert(workspace: int, made: SegmentRow) -> None:
    Segment.insert(workspace_id=workspace, **made._replace(rule=_dump(made.rule))._asdict()).execute()


def _dump(rule: dict[str, Any]) -> Any:
    return orjson.dumps(rule).decode()


def _select(workspace: int) -> "peewee.ModelSelect[Segment]":
    query = Segment.select(*[getattr(Segment, name) for name in SegmentRow._fields])
    return query.where(Segment.workspace_id == workspace).order_by(Segment.id)


def find(workspace: int, id: str) -> SegmentRow | None:
    """Return the segment of that id."""
    found: Any = _select(workspace).where(Segment.id == id).tuples().first()
    return _row(found) if found else None


def everything(workspace: int) -> list[SegmentRow]:
    """Return all segments of the workspace in the order of their ids, that of everybody first."""
    rows: Any = _select(workspace).tuples()
    return [_row(values) for values in rows]


_PAGE = Keyset("segments", lambda d: _COLUMNS)


def page(count: int, filters: Sequence[Filter], cursor: str | None, descending: bool) -> tuple[list[SegmentRow], bool]:
    """Return segments as Keyset says. filters: `of_workspace`."""
    rows, behind = _PAGE(count, filters, cursor, descending)
    return [_row(values) for values in rows], behind


def update(workspace: int, id: str, fields: dict[str, Any], now: int) -> None:
    """Change the fields of a segment. Call `change_set` first."""
    changes = {name: _dump(value) if name == "rule" else value for name, value in fields.items()}
    query = Segment.update(updated_at=now, **changes)
    query.where((Segment.workspace_id == workspace) & (Segment.id == id)).execute()


def delete(workspace: int, id: str) -> None:
    """Delete a segment, and what is known of users in it. Call `change_set` first."""
    Segment.delete().where((Segment.workspace_id == workspace) & (Segment.id == id)).execute()


_VERSION = Statement("SELECT version FROM segment_sets WHERE workspace_id = ?")


def change_set(workspace: int) -> None:
    """Give the rules of the workspace a new version, and keep others from changing them until the transaction ends."""
    version = ids.new()
    change = SegmentSet.insert(workspace_id=workspace, version=version)
    change.on_conflict(conflict_target=[SegmentSet.workspace_id], update={SegmentSet.version: version}).execute()


def version(workspace: int) -> str | None:
    """Return the version of the workspace's rules, None while it has no segment of its own."""
    rows = _VERSION(workspace)
    return rows[0][0] if rows else None


def suppress(workspace: int, user_id: str, segment_id: str, now: int) -> None:
    """Suppress the user in the segment; who is so already stays so since then."""
    mark = SegmentSuppression.insert(workspace_id=workspace, user_id=user_id, segment_id=segment_id, suppressed_at=now)
    mark.on_conflict_ignore().execute()


def release(workspace: int, user_id: str, segment_id: str) -> None:
    """Suppress the user in the segment no longer."""
    SegmentSuppression.delete().where(_mark(workspace, user_id, segment_id)).execute()


def is_suppressed(workspace: int, user_id: str, segment_id: str) -> bool:
    """Return True if the user is suppressed in the segment."""
    return SegmentSuppression.get_or_none(_mark(workspace, user_id, segment_id)) is not None


def _mark(workspace: int, user_id: str, segment_id: str) -> peewee.Expression:
    """The condition for one suppression."""
    one = SegmentSuppression
    return (one.workspace_id == workspace) & (one.user_id == user_id) & (one.segment_id == segment_id)
