"""Batches: many writes in one request, in order, each with its own result (engage.md section 6)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from app import clock, errors
from app.domain import ids
from app.domain.writes import Alike, Item, are_plain
from app.models import users as users_store
from app.models.database import transaction
from app.models.erasures import erased_uids
from app.models.users import Change
from app.services import events, users
from app.services.segments import membership
from app.services.users import claims
from app.services.users.claims import Claims

# Items a transaction, so that other writers wait 50 ms at most: fewer where one takes several statements.
_CHUNK, _CHUNK_OF_PLAIN = 100, 1000


# Why an item is not stored: the failure that refused it, or of an event events.DROPPED or events.DUPLICATE.
Verdict = errors.Failure | str


def refused_of(verdicts: Mapping[int, Verdict]) -> dict[int, errors.Failure]:
    """Return those that were refused."""
    return {position: one for position, one in verdicts.items() if isinstance(one, errors.Failure)}


def run(workspace: int, items: Sequence[Item]) -> dict[int, Verdict]:
    """Do the items in order; return {position: why} of those that are not stored.

    A chunk of items is one transaction. Raises errors.StorageUnavailable; chunks before
    the one that failed are stored then, and doing the whole batch again is safe but for its events.
    """
    refused: dict[int, Verdict] = {}
    size = _CHUNK_OF_PLAIN if are_plain(items) else _CHUNK
    for start in range(0, len(items), size):
        refused |= _run_chunk(workspace, prepare(workspace, items[start : start + size]))
    return refused


@transaction
def _run_chunk(workspace: int, ready: "Ready") -> dict[int, Verdict]:
    return run_within(workspace, ready)


class Ready(NamedTuple):
    """Items, and what was made of them before their transaction; prepared: None where that has to wait for it."""

    items: Sequence[Item]
    prepared: users_store.Prepared | None = None


def prepare(workspace: int, items: Sequence[Item], ahead: bool = False) -> Ready:
    """Do what `run_within` need not do in the transaction, in which it would keep others waiting.

    Users alone are prepared; of events most of the time is the database's. ahead: as in `users.prepare_upserts`.
    """
    if not items or _has_events(items) or not are_plain(items):
        return Ready(items)
    now, new_ids = clock.now(), ids.several(len(items))
    if isinstance(items, Alike) and len({*items.uids}) == len(items):
        are_new = {*items.types} == {"create"}
        prepared = users_store.prepare_alike(workspace, new_ids, items.uids, items.columns, now, ahead, are_new)
    else:
        prepared = users_store.prepare_upserts(workspace, _changes(items, new_ids), now, ahead)
    return Ready(items, prepared)


def _has_events(items: Sequence[Item]) -> bool:
    return not isinstance(items, Alike) and any(item.type == "event" for item in items)


def run_within(workspace: int, ready: Ready) -> dict[int, Verdict]:
    """Do as `run` within a transaction of the caller, who gives no more items than may keep others waiting."""
    items, prepared = ready
    found = claims.find(workspace, items)
    if prepared is not None and not found.keys:
        refused: dict[int, Verdict] = {**_refused(items, users_store.upsert_prepared(prepared))}
    elif not found.keys and are_plain(items):
        refused = _run_in_bulk(workspace, items)
    else:
        refused = _run_mixed(workspace, list(items), found)
    membership.mark(workspace, *(items.uids if isinstance(items, Alike) else {item.uid for item in items}))
    return refused


def _run_mixed(workspace: int, items: Sequence[Item], found: Claims) -> dict[int, Verdict]:
    """Do in their order what must not be done together with others, and together what is between."""
    refused: dict[int, Verdict] = {}
    claiming = [item.type == "update" and found.may_be(item.fields) for item in items]
    if any(claiming) or not are_plain(items):
        _lock(workspace, items)
    waiting: list[Item] = []
    somebody: set[str] = set()  # the uids of those who wait
    for item, may_claim in zip(items, claiming, strict=True):
        if not item.is_plain or (may_claim and found.are_moving):
            refused |= _run_in_bulk(workspace, waiting)
            waiting, somebody = [], set()
        if not item.is_plain:
            refused |= _try(item, lambda item: _run_alone(workspace, item))
            continue
        if may_claim and item.uid not in somebody:
            refused |= _try(item, lambda item: users.claim(workspace, item.uid, item.fields))
        if item.position not in refused:
            waiting.append(item)
            somebody.add(item.uid)
    return refused | _run_in_bulk(workspace, waiting)


def _lock(workspace: int, items: Sequence[Item]) -> None:
    """Lock all users of a chunk that cannot run in the order of uids: so it and other chunks cannot block each other.

    Users whom two chunks are about to make cannot be locked: so such chunks of a workspace take turns.
    """
    accounts = {one["id"] for item in items for one in item.fields.get("accounts") or ()}
    users_store.take_turns(workspace)
    users_store.lock_all(workspace, accounts | {item.uid for item in items})


def _run_in_bulk(workspace: int, items: Sequence[Item]) -> dict[int, Verdict]:
    """Do the plain items, as many at once as have no event id twice."""
    refused: dict[int, Verdict] = {}
    for some in _rounds(items):
        refused |= _run_round(workspace, some)
    return refused


def _rounds(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield the items, cut before an event whose id an earlier one has: whether that one is stored decides about it."""
    begin = 0
    seen: set[str] = set()
    named = [] if isinstance(items, Alike) else [(at, one) for at, one in enumerate(items) if one.type == "event"]
    for at, one in named:
        id = one.fields.get("id")
        if id in seen:
            yield items[begin:at]
            begin, seen = at, set()
        if id is not None:
            seen.add(id)
    yield items[begin:] if begin else items


def _run_round(workspace: int, items: Sequence[Item]) -> dict[int, Verdict]:
    """Do the plain items, users before events: neither looks at what the other changes, so the order cannot be seen.

    It could be where an erased uid has an event before it is made anew: such events are left out (engage.md 4.3).
    """
    now = clock.now()
    of_users = [item for item in items if item.type != "event"]
    sent = recorded = [item for item in items if item.type == "event"]
    new_ids = ids.several(len(of_users))
    if of_users and recorded:
        recorded = _without_late(workspace, items, now)
        made = {item.uid for item in of_users}
        everybody = {item.uid: ids.new() for item in [*of_users, *recorded]}
        users_store.make_all(workspace, everybody, now, everybody.keys() - made)
    refused: set[int] = set()
    if of_users:
        refused = users_store.upsert_all(workspace, _changes(of_users, new_ids), now)
    outcomes: dict[int, str | None] = dict.fromkeys([one.position for one in sent], events.DROPPED)
    if recorded:
        found = events.record_all(workspace, now, [(one.uid, one.fields) for one in recorded])
        outcomes.update(zip([one.position for one in recorded], found, strict=True))
    unstored: dict[int, Verdict] = {position: outcome for position, outcome in outcomes.items() if outcome}
    return {**_refused(of_users, refused), **unstored}


def _without_late(workspace: int, items: Sequence[Item], now: int) -> list[Item]:
    """Return the events but for those of an erased uid that only a later item makes anew."""
    first = {item.uid: item.type for item in reversed(items)}
    late = [uid for uid in {item.uid for item in items if item.type != "event"} if first[uid] == "event"]
    erased = erased_uids.find(workspace, late, now)
    erased -= users_store.lock_all(workspace, erased).keys() if erased else set()
    made: set[str] = set()
    kept = []
    for item in items:
        if item.type != "event":
            made.add(item.uid)
        elif item.uid not in erased or item.uid in made:
            kept.append(item)
    return kept


def _changes(items: Sequence[Item], new_ids: Sequence[str]) -> list[Change]:
    return [Change(id, one.uid, one.fields) for id, one in zip(new_ids, items, strict=False)]


def _refused(items: Sequence[Item], places: set[int]) -> dict[int, errors.Failure]:
    return {items[place].position: users.too_many_keys() for place in places}


def _try(item: Item, write: Callable[[Item], object]) -> dict[int, errors.Failure]:
    """Do the write, and return what refused it."""
    try:
        write(item)
    except errors.StorageUnavailable:
        raise
    except errors.Failure as failure:
        return {item.position: failure}
    return {}


def _run_alone(workspace: int, item: Item) -> None:
    if item.type == "nameless":
        users.save_without_uid(workspace, item.fields)
    elif item.type == "create":
        users.create(workspace, item.uid, item.fields, full=True)
    else:
        users.update(workspace, item.uid, item.fields, full=True)
