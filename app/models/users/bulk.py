"""Bulk upsert: one statement writes many users, whatever fields each sets and attributes each removes."""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter, itemgetter, le
from typing import Any, NamedTuple

from app.domain import shape
from app.models.database import Call, Statement, db, insert_new, run_all, write_many
from app.models.dialects import BYTE_BY_BYTE, Dialect
from app.models.erasures.erased_uids import may_have_events
from app.models.stores import Rows
from app.models.users import sparse_rows, upserts
from app.models.users.finding import find_profiles
from app.models.users.rows import DEFAULTS, MAX_META_KEYS, fits

_FEW = 20  # users whom a statement of their own is quicker for than the round trips of a bulk insert


class Change(NamedTuple):
    """What becomes of one user. id: what the user gets if there is none of that uid.

    fields: as `upserts.upsert`; but None in meta removes the entry.
    """

    id: str
    uid: str
    fields: Mapping[str, Any]


class Prepared(NamedTuple):
    """What `upsert_all` makes of the changes before it needs a connection.

    changes: makes them, where there would be too much meta. fitting: those that may be done, those of a uid as one;
    None if there are none. users: how many the changes are of. now: UTC, milliseconds since 1970.
    """

    workspace: int
    changes: Callable[[], Sequence[Change]]
    fitting: "_Fitting | None"
    users: int
    now: int


def upsert_all(workspace: int, changes: Sequence[Change], now: int) -> set[int]:
    """Make the users or change the fields given, as `upsert` would one after the other; call in a transaction.

    changes: of each uid any number, which are laid over each other in order; each has at most MAX_META_KEYS in meta.
    One statement writes them, whatever mixture they are; more follow only where there would be too much meta.
    now: epoch milliseconds, for users who are new.
    Returns the positions of the changes that were not done, because there would be too many meta keys.
    The users are locked in the order of their uids: of two calls that meet one waits, and they cannot block each other.
    """
    return upsert_prepared(prepare_upserts(workspace, changes, now))


def prepare_upserts(workspace: int, changes: Sequence[Change], now: int, ahead: bool = False) -> Prepared:
    """Do the part of `upsert_all` that needs no connection.

    ahead: whether there is time, because another transaction runs. The rows are made for COPY then, too, which is of no
    use where some users are known.
    """
    sums = _sums(changes)
    chosen = _fitting(sums)
    fitting = _prepare(workspace, chosen, now) if chosen else None
    return _with_copy(Prepared(workspace, lambda: changes, fitting, len(sums), now), ahead)


def prepare_alike(
    workspace: int,
    ids: Sequence[str],
    uids: Sequence[str],
    given: Mapping[str, Sequence[Any]],
    now: int,
    ahead: bool = False,
    are_new: bool = False,
) -> Prepared:
    """Do as `prepare_upserts` with changes that all have the same fields, as columns; each uid comes once.

    given: field -> what each change sets; in meta no None, nor more keys than a user may have. now: epoch milliseconds.
    are_new: whether it is likely that there are no such users yet.
    """
    columns: dict[str, Sequence[Any]] = {"id": ids, "uid": uids}
    fields = upserts.fields_in(given)
    for field in fields:
        columns |= upserts.columns_with(field, given[field])

    def changes() -> list[Change]:
        rows = [{name: column[place] for name, column in given.items()} for place in range(len(uids))]
        return list(map(Change, ids, uids, rows))

    fitting = _Fitting(workspace, fields, _in_order(columns), None, now, are_new)
    return _with_copy(Prepared(workspace, changes, fitting, len(uids), now), ahead)


def _in_order(columns: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[Any]]:
    """Return the columns in the order of uids."""
    uids = columns["uid"]
    if len(uids) < 2 or all(map(le, uids, uids[1:])):
        return columns
    pick = itemgetter(*sorted(range(len(uids)), key=uids.__getitem__))
    return {name: pick(column) for name, column in columns.items()}


def _with_copy(prepared: Prepared, ahead: bool) -> Prepared:
    """Return it, with its rows made for COPY where there is time for that."""
    if ahead and prepared.fitting is not None and prepared.fitting.may_be_copied:
        prepared.fitting.rows.copied  # noqa: B018 - it is kept
    return prepared


def upsert_prepared(prepared: Prepared) -> set[int]:
    """Do the part of `upsert_all` that needs the transaction."""
    workspace, make_changes, fitting, users, now = prepared
    if fitting is not None and _write(fitting) == users:
        return set()
    changes = make_changes()
    places, undone = _places(changes), _find_undone(workspace, _sums(changes))
    return {position for one in undone for position in _do_one_by_one(workspace, places[one.uid], changes, now)}


def _sums(changes: Sequence[Change]) -> list[Change]:
    """The changes in the order of uids, those of one user laid over each other."""
    if len({one.uid for one in changes}) == len(changes):  # in a quarter of the time
        return sorted(changes, key=attrgetter("uid"))
    places = _places(changes)
    return [_sum([changes[one] for one in places[uid]]) for uid in sorted(places)]


def _places(changes: Sequence[Change]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for position, change in enumerate(changes):
        places.setdefault(change.uid, []).append(position)
    return places


def _fitting(sums: Sequence[Change]) -> Sequence[Change]:
    """Return those of the changes that have no more meta than a user may have."""
    metas = [one.fields["meta"] for one in sums if "meta" in one.fields]
    if max(map(len, metas), default=0) > MAX_META_KEYS:
        return [one for one in sums if fits({}, one.fields.get("meta", {}))]  # the statement counts no new user's
    return sums


def _sum(changes: Sequence[Change]) -> Change:
    """The changes of one user laid over each other: what the last one says stands."""
    if len(changes) == 1:
        return changes[0]
    meta = {key: value for one in changes for key, value in one.fields.get("meta", {}).items()}
    fields = {name: value for one in changes for name, value in one.fields.items()}
    return changes[0]._replace(fields=fields | ({"meta": meta} if "meta" in fields else {}))


def _find_undone(workspace: int, sums: Sequence[Change]) -> list[Change]:
    """Those of the changes that a rule forbids, when all others were done.

    What was done leaves no more than is allowed, and doing it again would add nothing.
    """
    stored = find_profiles(workspace, [one.uid for one in sums])
    return [
        one for one in sums if not fits(stored[one.uid].meta if one.uid in stored else {}, one.fields.get("meta", {}))
    ]


def _do_one_by_one(workspace: int, positions: Sequence[int], changes: Sequence[Change], now: int) -> set[int]:
    """Do the changes of a user whose sum was not done; return the positions of those that are not done either."""
    if len(positions) == 1:
        return set(positions)
    return {position for position in positions if not _write(_prepare(workspace, [changes[position]], now))}


@dataclass(frozen=True)
class _Fitting:
    """Changes, of each uid one and in the order of uids, as columns of the table.

    fields: all that any of them has. sparse: uid and fields of each, where not all have all of them, or one removes an
    entry of meta; else None. are_new: whether it is likely that all are.
    """

    workspace: int
    fields: tuple[str, ...]
    columns: Mapping[str, Sequence[Any]]
    sparse: Sequence[tuple[str, Mapping[str, Any]]] | None
    now: int
    are_new: bool = False

    def __len__(self) -> int:
        return len(self.columns["uid"])

    @property
    def may_be_copied(self) -> bool:
        """Whether COPY takes two thirds of the time of an INSERT, if all are new."""
        return db.dialect.name == "postgres" and len(self) > _FEW

    @functools.cached_property
    def rows(self) -> Rows:
        """What is stored of them where all are new."""
        count = len(self)
        return Rows({"workspace_id": [self.workspace] * count, "created_at": [self.now] * count, **self.columns})


def _prepare(workspace: int, changes: Sequence[Change], now: int) -> _Fitting:
    bodies = [one.fields for one in changes]
    names: set[str] = set().union(*bodies)
    fields = upserts.fields_in(names)
    metas = [body["meta"] for body in bodies if "meta" in body]
    removes = None in chain.from_iterable(map(dict.values, metas))
    is_uniform = {*map(len, bodies)} == {len(names)} and not removes
    sparse = None if is_uniform else [(one.uid, one.fields) for one in changes]
    return _Fitting(workspace, fields, _columns(fields, changes, now, removes), sparse, now)


def _write(fitting: _Fitting) -> int:
    """Do the changes; return how many were done."""
    done = _insert_new(fitting)
    if done == len(fitting):
        return done
    fields, columns = fitting.fields, [column[done:] for column in fitting.columns.values()]
    fixed = (fitting.workspace,) if "created_at" in fields else (fitting.workspace, fitting.now)
    if fitting.sparse is None:
        return done + write_many(upserts.upsert_statement(fields, _ALL), fixed, columns)
    before, more = sparse_rows.said(fields, fitting.sparse[done:])
    return done + write_many(upserts.upsert_statement(fields, _SPARSE), (*before, *fixed), [*columns, *more])


_ALL, _SPARSE = upserts.Form(), upserts.Form(on_conflict=sparse_rows.on_conflict)


def _columns(fields: Sequence[str], changes: Sequence[Change], now: int, removes: bool) -> dict[str, Sequence[Any]]:
    """The changes as columns of the table, with what a new user has where a change says nothing.

    removes: whether some remove entries of meta.
    """
    defaults = {name: DEFAULTS.get(shape.COLUMNS[name].kind) for name in fields} | {"created_at": now}
    ids, uids, bodies = zip(*changes, strict=True)
    columns: dict[str, Sequence[Any]] = {"id": ids, "uid": uids}
    for field in fields:
        default = defaults[field]
        values = [body.get(field, default) for body in bodies]
        if field == "meta" and removes:
            values = [{key: value for key, value in meta.items() if value is not None} for meta in values]
        columns |= upserts.columns_with(field, values)
    return columns


def _insert_new(fitting: _Fitting) -> int:
    """Insert those who are likely to be new, up to one who is not; return how many: the first ones.

    COPY is for where nobody is known: one that fails costs more than to ask. On SQLite an insert takes 0.87 of an
    upsert, and those before one that fails stay.
    """
    if fitting.may_be_copied:
        are_new = not _ANY_KNOWN(fitting.workspace, db.array(fitting.columns["uid"]))
    else:
        are_new = fitting.are_new and db.dialect.name == "sqlite"
    return insert_new("users", fitting.rows) if are_new else 0


_ANY_KNOWN = Statement(lambda d: f"SELECT 1 FROM users WHERE workspace_id = ? AND uid {d.in_array} LIMIT 1")


def make_all(workspace: int, ids: Mapping[str, str], now: int, for_events: Collection[str]) -> None:
    """Lock the users of these uids until the transaction ends; make bare ones where there are none.

    ids: uid -> what a new user gets. for_events: uids that have events alone, of which those that were erased are not
    made. On SQLite the transaction has locked everything, and nobody is made.
    """
    if db.dialect.name == "postgres":
        of_events = [uid in for_events for uid in ids]
        run_all([Call(_MAKE, (workspace, now), [list(ids.values()), list(ids), of_events])])


def _make(d: Dialect) -> str:
    """A conflict locks the row, also where the WHERE lets nothing be done to it. Erased uids: as in events.py."""
    columns = "workspace_id, created_at, id, uid"
    rows = "unnest(?::text[], ?::text[], ?::boolean[]) AS one (id, uid, for_events)"
    may_be_made = may_have_events(d, "given.workspace_id", "given.uid", "given.created_at")
    return (
        f"WITH given AS (SELECT ?::bigint AS workspace_id, ?::bigint AS created_at, one.* FROM {rows}), "
        f"made AS (INSERT INTO users ({columns}) SELECT {columns} FROM given WHERE NOT for_events OR {may_be_made} "
        f"ORDER BY uid {BYTE_BY_BYTE} ON CONFLICT (workspace_id, uid) DO UPDATE SET uid = excluded.uid WHERE FALSE "
        f"RETURNING {columns}) SELECT count(*) FROM given JOIN made ON made.id = given.id WHERE given.for_events "
        "AND rollcall_refuse_erased(made.workspace_id, made.uid, made.created_at)"
    )


_MAKE = Statement(_make)
