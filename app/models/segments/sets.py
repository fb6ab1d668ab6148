"""All segments of a workspace, compiled once for each version of the rules."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from app.domain import rules
from app.models.database import Statement, db
from app.models.keyset import Filter
from app.models.segments import tables
from app.models.segments.compiling import Scope, compile
from app.models.segments.conditions import TRUE, Condition, bind

_MAX_PARAMETERS = 20_000  # of a statement; SQLite takes 32,766, Postgres 65,535
_MAX_SETS = 256  # workspaces whose rules a process keeps compiled

Memberships = dict[str, list[dict[str, Any]]]


class _Portion(NamedTuple):
    """Segments that one statement decides: all of a workspace, unless their rules are huge."""

    ids: tuple[str, ...]
    values: tuple[Any, ...]
    statement: Statement


class RuleSet(NamedTuple):
    """The compiled rules of a workspace: segment id -> condition, that of everybody first."""

    conditions: dict[str, Condition]
    portions: tuple[_Portion, ...]


def rule_set(workspace: int, version: str | None) -> RuleSet:
    """Return the rules of the workspace. version: what `tables.version` answers, or a row of a user has as `rules`."""
    return _compiled(workspace, version, db.dialect.name) if version else _EVERYBODY


@functools.lru_cache(maxsize=_MAX_SETS)
def _compiled(workspace: int, version: str, dialect: str) -> RuleSet:
    """What is read now may be newer than the version asked for: then nobody reads that version again."""
    known = {one.id: one.rule for one in tables.everything(workspace)}
    return compile_all(known)


def compile_all(known: dict[str, dict[str, Any]]) -> RuleSet:
    """Return the compiled set of these rules, by the ids of their segments."""
    scope = Scope(db.dialect, known)
    conditions = {id: compile(scope, rule) for id, rule in known.items()}
    return RuleSet(conditions, tuple(_portions(conditions)))


def _portions(conditions: dict[str, Condition]) -> Iterator[_Portion]:
    waiting: dict[str, Condition] = {}
    for id, one in conditions.items():
        if id == rules.EVERYBODY:
            continue
        if waiting and sum(len(each.values) for each in waiting.values()) + len(one.values) > _MAX_PARAMETERS:
            yield _portion(waiting)
            waiting = {}
        waiting[id] = one
    yield _portion(waiting)


def _portion(conditions: dict[str, Condition]) -> _Portion:
    columns = "".join(f", {one.sql.replace('{row}', 'users')}" for one in conditions.values())
    values = tuple(value for one in conditions.values() for value in one.values)
    return _Portion(tuple(conditions), values, Statement(lambda d: _decision(d, columns)))


def _decision(d: Any, columns: str) -> str:
    suppressed = d.json_rows.format(
        "'id', suppression.segment_id",
        "suppression.segment_id",
        "segment_suppressions AS suppression "
        "WHERE suppression.workspace_id = users.workspace_id AND suppression.user_id = users.id",
    )
    return (
        f"SELECT users.id, {suppressed}{columns} FROM users "
        f"WHERE users.workspace_id = ? AND users.id {d.in_array} AND users.hidden_at IS NULL"
    )


_EVERYBODY = RuleSet({rules.EVERYBODY: TRUE}, ())


def decide(workspace: int, version: str, user_ids: Sequence[str], now: int) -> Memberships:
    """Return {user id: segments} as the user object shows them, of the users who are there, in one statement.

    The segment of everybody is told only of those who are suppressed in it. now: epoch milliseconds.
    """
    found: Memberships = {}
    for portion in rule_set(workspace, version).portions:
        rows = portion.statement(*bind(portion.values, now), workspace, db.obj.array(user_ids))
        for user_id, suppressed, *answers in rows:
            hidden = {one["id"] for one in orjson.loads(suppressed)} if suppressed != "[]" else ()
            if user_id not in found:
                found[user_id] = [{"id": rules.EVERYBODY, "suppressed": True}] if rules.EVERYBODY in hidden else []
            found[user_id] += [
                {"id": id, "suppressed": id in hidden}
                for id, answer in zip(portion.ids, answers, strict=True)
                if answer
            ]
    return found


def members_of(workspace: int, segment_id: str, now: int) -> Filter | None:
    """Return the filter of the users in the segment, None where there is no such segment."""
    one = rule_set(workspace, tables.version(workspace)).conditions.get(segment_id)
    return as_filter(one, now) if one else None


def filter_of(workspace: int, rule: dict[str, Any], now: int) -> Filter:
    """Return the filter of the users for whom a rule holds that need not be stored."""
    known = {one.id: one.rule for one in tables.everything(workspace)}
    return as_filter(compile(Scope(db.dialect, known), rule), now)


def as_filter(condition: Condition, now: int) -> Filter:
    """Return a condition as the pages of users take it."""
    return Filter(condition.sql, bind(condition.values, now))
