"""JSON Web Key Sets of issuers (RFC 7517): fetched in the background, cached in the database, selected by `kid`.

The database is the cache, so that all workers together ask an issuer once a minute, and a restart asks nobody. A thread
fetches; the request that needs the answer waits for it a moment, as on SQLite it has the event loop waiting with it.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from app import clock, downloads, errors, logs, strict_json
from app.config import Network, Settings
from app.models import sdk_keys as store
from app.models.database import forget_connection, statement
from app.models.sdk_keys import SdkKeyRow
from app.services.atomic import signing_keys
from app.services.atomic.signing_keys import PublicKey

_PAUSE = 60_000  # milliseconds; an issuer is asked at most so often, however many unknown kids come
_FRESH = 600_000  # milliseconds; a set in use that is older is fetched again: so a new kid is known before its time
_TRUSTED = 86_400_000  # milliseconds; after so long without an answer a key may have been withdrawn and we not know
_SECONDS = 5.0  # that a fetch may take
_MAX_BYTES = 256 * 1024  # ten times the longest set of the well-known issuers
_MAX_FETCHES = 4  # at once in a process: slow issuers must not fill it with threads
_PATIENCE = 1.0  # seconds that a request waits for a fetch; most answer in a tenth of that
_REST = 10  # after a wait nobody waits for so many times its length: so a worker loses a tenth of its time at most

_slots = threading.BoundedSemaphore(_MAX_FETCHES)
_rest_until = 0.0  # time.monotonic()
_private: Sequence[Network] = ()


class Wanted(NamedTuple):
    """Which key of a set a token asks for. kid: None where it does not say."""

    kid: str | None
    algorithm: str


def configure(settings: Settings) -> None:
    """Say which networks may be asked although they are private."""
    global _private
    _private = settings.jwks_private


def check_url(url: str) -> None:
    """Raise downloads.Failed if the URL can never be fetched. Sends no request."""
    downloads.check(url, _private)


def find(workspace: int, key: SdkKeyRow, wanted: Wanted) -> PublicKey | None:
    """Return the key of the set that the token asks for, None when the set has no such key.

    What is not known is looked for at the issuer, at most once a minute. Not for inside a transaction.
    Raises errors.KeysUnavailable while nobody can tell, errors.StorageUnavailable.
    """
    now = clock.now()
    found = _pick(key, wanted, now)
    if found:
        if key.fetched_at is not None and key.fetched_at <= now - _FRESH:
            refresh(workspace, key)
        return found
    if _may_ask(key, now):
        done = refresh(workspace, key)
        if done is None or not _wait(done):
            raise errors.KeysUnavailable()
        key = _reload(workspace, key)
        found = _pick(key, wanted, now)
    elif _is_asked(key, now):
        raise errors.KeysUnavailable()
    if not found and not _is_trusted(key, now):
        raise errors.KeysUnavailable()
    return found


def refresh(workspace: int, key: SdkKeyRow) -> threading.Event | None:
    """Fetch the set in a thread unless it was fetched within a minute; return an event that is set afterwards.

    None when too many fetches are under way in this process.
    """
    if not _slots.acquire(blocking=False):
        return None
    done = threading.Event()
    threading.Thread(target=_run, args=(workspace, key.id, key.jwks_url, done.set), daemon=True).start()
    return done


def _run(workspace: int, id: str, url: str, done: Callable[[], None]) -> None:
    try:
        now = clock.now()
        if store.claim_fetch(workspace, id, url, now, now - _PAUSE):
            _fetch(workspace, id, url)
    except errors.StorageUnavailable:  # the next request that needs it tries again
        pass
    finally:
        forget_connection()
        _slots.release()
        done()


def _fetch(workspace: int, id: str, url: str) -> None:
    try:
        keys = reduce(downloads.fetch(url, _private, _MAX_BYTES, _SECONDS))
    except downloads.Failed as failure:
        logs.warning("jwks_failed", workspace=workspace, sdk_key=id, problem=str(failure))
        store.note_problem(workspace, id, url, str(failure))
    else:
        store.note_fetched(workspace, id, url, keys, clock.now())


def reduce(document: bytes) -> list[dict[str, str]]:
    """Return the keys of a set that can verify a token, each with what that takes and nothing else.

    Left out are keys for encryption, of other kinds and sizes than we take, and the secret parts of any.
    Raises downloads.Failed when the document is no set.
    """
    try:
        found = strict_json.loads_foreign(document)
    except errors.InvalidBody:
        found = None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list):
        raise downloads.Failed("The document is no JSON Web Key Set.")
    return [one for one in map(signing_keys.reduce, keys[:_MAX_KEYS]) if one]


_MAX_KEYS = 100  # of a set; the well-known issuers have fewer than 20


def _pick(key: SdkKeyRow, wanted: Wanted, now: int) -> PublicKey | None:
    """The key of that kid; without one the only key that fits the algorithm."""
    fitting = [one for one in key.jwks or () if _fits(one, wanted)] if _is_trusted(key, now) else []
    if not fitting or (wanted.kid is None and len(fitting) > 1):
        return None
    return signing_keys.load_jwk(fitting[0])


def _fits(one: Mapping[str, Any], wanted: Wanted) -> bool:
    return wanted.kid in (None, one.get("kid")) and wanted.algorithm in signing_keys.algorithms(
        signing_keys.load_jwk(one), one.get("alg")
    )


def _is_trusted(key: SdkKeyRow, now: int) -> bool:
    return key.fetched_at is not None and key.fetched_at > now - _TRUSTED


def _may_ask(key: SdkKeyRow, now: int) -> bool:
    return key.tried_at is None or key.tried_at <= now - _PAUSE


def _is_asked(key: SdkKeyRow, now: int) -> bool:
    """Whether a fetch is under way, in whatever process."""
    if key.tried_at is None or key.problem is not None or key.tried_at <= now - 2 * int(_SECONDS * 1000):
        return False
    return key.fetched_at is None or key.fetched_at < key.tried_at


def _wait(done: threading.Event) -> bool:
    """Wait a moment, unless others did just now; return whether it is over."""
    global _rest_until
    began = time.monotonic()
    if began < _rest_until:
        return done.is_set()
    is_over = done.wait(_PATIENCE)
    _rest_until = time.monotonic() + _REST * (time.monotonic() - began)
    return is_over


@statement
def _reload(workspace: int, key: SdkKeyRow) -> SdkKeyRow:
    return store.find(workspace, key.id) or key
