"""Idempotent retries: a request with an Idempotency-Key is done once."""

import hashlib
from collections.abc import Callable, Collection
from typing import NamedTuple

from app import clock, errors
from app.domain import names
from app.models import replies as store
from app.models.database import transaction
from app.models.replies import ReplyRow

ANYBODY = store.ANYBODY
MAX_KEY = 255  # characters


class Answer(NamedTuple):
    """The body of a reply, and whether it was made for an earlier request. outcome: of its header, None for none."""

    body: bytes
    replayed: bool
    outcome: str | None = None


class Made(NamedTuple):
    """The body of a reply, and the ids and uids of all whom it may tell about; ANYBODY where that is not known.

    outcome: of its header, None for none.
    """

    body: bytes
    subjects: Collection[str]
    outcome: str | None = None


@transaction
def once(workspace: int, key: str, full: bool, request: bytes, act: Callable[[], Made]) -> Answer:
    """Do what the request asks and keep the reply, or return the reply that is kept, for 24 hours.

    key: 1 to MAX_KEY characters, the caller's name for the request. full: whether the secret was given: its keys are
    apart from those of the public key alone. request: all that makes it the same request. act: does it and returns the
    reply; when it raises, nothing is done or kept, and the key is free again.
    The reply is kept in the transaction of the write: there is never one without the other.
    Raises errors.InvalidInput, KeyReused for another request, StillRunning, ReplyErased, and whatever act raises.
    """
    if not 1 <= len(key) <= MAX_KEY:
        raise errors.InvalidInput({"Idempotency-Key": [f"Must have 1 to {MAX_KEY} characters."]})
    key_hash, request_hash, now = names.hash_of(key, full), _hash(request), clock.now()
    if not store.reserve(workspace, key_hash):
        raise errors.StillRunning()
    store.forget(workspace)
    kept = store.find(workspace, key_hash)
    if kept is None:
        made = act()
        reply = ReplyRow(request_hash, made.body.decode(), made.outcome)
        store.keep(workspace, key_hash, reply, now, made.subjects)
        return Answer(made.body, False, made.outcome)
    if kept.body is None:
        raise errors.ReplyErased()
    if kept.request_hash != request_hash:
        raise errors.KeyReused()
    return Answer(kept.body.encode(), True, kept.outcome)


@transaction
def forget_old(workspace: int) -> None:
    """Forget the replies that were kept long enough."""
    store.forget(workspace)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
