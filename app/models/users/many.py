"""Many users written at once: a statement for all that set the same fields, not one for each user."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.models.database import Statement, db, run_many
from app.models.dialects import Dialect, given
from app.models.users import upserts

_TYPES = {"meta": "jsonb", "is_account": "boolean", "uid_updateable": "boolean"} | dict.fromkeys(
    ("archived_at", "created_at", "app_last_active"), "bigint"
)


class Change(NamedTuple):
    """What becomes of one user. id: what the user gets if there is none of that uid; fields: as `upserts.upsert`."""

    id: str
    uid: str
    fields: Mapping[str, Any]


def upsert_all(workspace: int, changes: Sequence[Change], now: int) -> list[str | None]:
    """Make the users or change the fields given, as `upsert` would one after the other; call in a transaction.

    changes: of each uid any number, which are done in order; meta is merged in the database, and each has at most
    MAX_META_KEYS keys of it. There is a statement for each set of fields: so give the same ones where you can.
    now: epoch milliseconds, for users who are new.
    Returns the id of each change's user; None where nothing was done, because there would be too many meta keys.
    The users are locked in the order of their uids: of two calls that meet one waits, and they cannot block each other.
    """
    groups = _groups(changes)
    if len(groups) > 1:
        make_all(workspace, {one.uid: one.id for one in reversed(changes)}, now)
    found: list[str | None] = [None] * len(changes)
    for (_, fields), positions in groups.items():
        stored = _upsert_group(workspace, fields, [changes[position] for position in positions], now)
        for position in positions:
            found[position] = stored.get(changes[position].uid)
    return found


def make_all(workspace: int, ids: Mapping[str, str], now: int) -> None:
    """Lock the users of these uids until the transaction ends; make bare ones where there are none.

    ids: uid -> what a new user gets. On SQLite the transaction has locked everything, and nobody is made.
    """
    if db.dialect.name == "postgres":
        run_many(_MAKE, (workspace, now), [(id, uid) for uid, id in ids.items()])


# A conflict locks the row, also where the WHERE lets nothing be done to it.
_MAKE = Statement(
    lambda d: (
        "INSERT INTO users (workspace_id, created_at, id, uid) "
        f"{given(d, 2, {'id': 'text', 'uid': 'text'})} "
        "ON CONFLICT (workspace_id, uid) DO UPDATE SET uid = excluded.uid WHERE FALSE RETURNING id"
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


def _upsert_group(workspace: int, fields: tuple[str, ...], changes: Sequence[Change], now: int) -> dict[str, str]:
    defaults = () if "created_at" in fields else (now,)
    rows = [
        (one.id, one.uid, *[value for field in fields for value in upserts.values(field, one.fields[field])])
        for one in changes
    ]
    return dict(run_many(_upsert_statement(fields), (workspace, *defaults), rows))


@functools.cache
def _upsert_statement(fields: tuple[str, ...]) -> Statement:
    def build(d: Dialect) -> str:
        written = upserts.columns_of(fields)
        defaults = [] if "created_at" in fields else ["created_at"]
        columns = {name: _TYPES.get(name, "text") for name in ("id", "uid", *written)}
        return (
            f"INSERT INTO users ({', '.join(['workspace_id', *defaults, *columns])}) "
            f"{given(d, 1 + len(defaults), columns)} {upserts.on_conflict(d, fields)} RETURNING uid, id"
        )

    return Statement(build)
