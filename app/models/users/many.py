"""Many users written at once: new ones in bulk, known ones with a statement for all that set the same fields."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.models.database import Statement, db, insert_new, write_many
from app.models.dialects import Dialect, given
from app.models.users import upserts
from app.models.users.rows import MAX_META_KEYS, dump

_TYPES = {"meta": "jsonb", "is_account": "boolean", "uid_updateable": "boolean"} | dict.fromkeys(
    ("archived_at", "created_at", "app_last_active", "last_interaction"), "bigint"
)
# What a new user has where nothing is said; of the other fields NULL.
_DEFAULTS = {"meta": {}, "is_account": False, "uid_updateable": False}
_FEW = 20  # users whom a statement of their own is quicker for than the round trips of a bulk insert


class Change(NamedTuple):
    """What becomes of one user. id: what the user gets if there is none of that uid; fields: as `upserts.upsert`."""

    id: str
    uid: str
    fields: Mapping[str, Any]


def upsert_all(workspace: int, changes: Sequence[Change], now: int) -> set[int]:
    """Make the users or change the fields given, as `upsert` would one after the other; call in a transaction.

    changes: of each uid any number, which are done in order; meta is merged in the database, and each has at most
    MAX_META_KEYS keys of it. New users are made together; for known ones there is a statement for each set of fields,
    so give the same ones where you can. now: epoch milliseconds, for users who are new.
    Returns the positions of the changes that were not done, because there would be too many meta keys.
    The users are locked in the order of their uids: of two calls that meet one waits, and they cannot block each other.
    """
    if len(changes) > _FEW and _insert_all(workspace, changes, now):
        return set()
    groups = _groups(changes)
    if len(groups) > 1:
        make_all(workspace, {one.uid: one.id for one in reversed(changes)}, now)
    refused: set[int] = set()
    for (_, fields), positions in groups.items():
        refused |= _upsert_group(workspace, fields, positions, changes, now)
    return refused


def make_all(workspace: int, ids: Mapping[str, str], now: int) -> None:
    """Lock the users of these uids until the transaction ends; make bare ones where there are none.

    ids: uid -> what a new user gets. On SQLite the transaction has locked everything, and nobody is made.
    """
    if db.dialect.name == "postgres":
        write_many(_MAKE, (workspace, now), [list(ids.values()), list(ids)])


# A conflict locks the row, also where the WHERE lets nothing be done to it.
_MAKE = Statement(
    lambda d: (
        "INSERT INTO users (workspace_id, created_at, id, uid) "
        f"{given(d, 2, {'id': 'text', 'uid': 'text'})} "
        "ON CONFLICT (workspace_id, uid) DO UPDATE SET uid = excluded.uid WHERE FALSE"
    )
)


def _insert_all(workspace: int, changes: Sequence[Change], now: int) -> bool:
    """Make the users if all of them are new, whatever fields they have; else return False.

    Then some may be made, with their fields: to do all the changes again changes nothing about those.
    """
    if len({one.uid for one in changes}) < len(changes) or _is_any_known(workspace, changes):
        return False
    ordered = sorted(changes, key=lambda one: one.uid)
    fields = upserts.fields_in(dict.fromkeys(name for one in ordered for name in one.fields) | {"created_at": now})
    columns = {"workspace_id": [workspace] * len(ordered)} | _columns(fields, ordered, _DEFAULTS | {"created_at": now})
    return insert_new("users", columns)


def _is_any_known(workspace: int, changes: Sequence[Change]) -> bool:
    """Ask Postgres, where a bulk insert that fails costs more than the question; SQLite finds out by trying."""
    if db.dialect.name == "sqlite":
        return False
    return bool(_ANY_KNOWN(workspace, db.array([one.uid for one in changes])))


_ANY_KNOWN = Statement(
    lambda d: (
        f"SELECT 1 FROM users WHERE workspace_id = {d.parameter} AND uid {d.in_array.replace('?', d.parameter)} LIMIT 1"
    )
)


def _groups(changes: Sequence[Change]) -> dict[tuple[int, tuple[str, ...]], list[int]]:
    """The positions of the changes that one statement can do: the same fields, and each uid once."""
    seen: dict[str, int] = {}
    groups: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for position, change in enumerate(changes):
        turn = seen[change.uid] = seen.get(change.uid, -1) + 1
        groups.setdefault((turn, upserts.fields_in(change.fields)), []).append(position)
    return dict(sorted(groups.items(), key=lambda item: item[0][0]))


def _upsert_group(
    workspace: int, fields: tuple[str, ...], positions: Sequence[int], changes: Sequence[Change], now: int
) -> set[int]:
    """Do a group, and return the positions of those that a rule forbids, looked for only when some are missing."""
    chosen = [changes[position] for position in positions]
    fixed = (workspace,) if "created_at" in fields else (workspace, now)
    written = write_many(_upsert_statement(fields), fixed, list(_columns(fields, chosen).values()))
    if written == len(chosen):
        return set()
    return {position for position, one in zip(positions, chosen, strict=True) if _has_too_many_keys(workspace, one)}


def _columns(
    fields: Sequence[str], changes: Sequence[Change], defaults: Mapping[str, Any] = _DEFAULTS
) -> dict[str, list[Any]]:
    """The changes as columns of the table. defaults: what stands for a field that a change does not have."""
    columns = {"id": [one.id for one in changes], "uid": [one.uid for one in changes]}
    for field in fields:
        default = defaults.get(field)
        columns |= upserts.columns_with(field, [one.fields.get(field, default) for one in changes])
    return columns


@functools.cache
def _upsert_statement(fields: tuple[str, ...]) -> Statement:
    def build(d: Dialect) -> str:
        written = upserts.columns_of(fields)
        defaults = [] if "created_at" in fields else ["created_at"]
        columns = {name: _TYPES.get(name, "text") for name in ("id", "uid", *written)}
        return (
            f"INSERT INTO users ({', '.join(['workspace_id', *defaults, *columns])}) "
            f"{given(d, 1 + len(defaults), columns)} {upserts.on_conflict(d, fields)}"
        )

    return Statement(build)


def _has_too_many_keys(workspace: int, change: Change) -> bool:
    """Whether the change, which may have been done, would leave too much meta: then it was not done.

    What was done leaves no more than is allowed, and doing it again would add nothing.
    """
    rows = _KEYS(dump(change.fields.get("meta", {})), workspace, change.uid)
    return bool(rows) and rows[0][0] > MAX_META_KEYS


_KEYS = Statement(
    lambda d: (
        f"SELECT {d.json_key_count.format(d.json_merge.format('meta', d.json_parameter))} FROM users "
        f"WHERE workspace_id = {d.parameter} AND uid = {d.parameter}"
    )
)
