"""Causes of database failures, told without a word of the driver's message, which may quote a secret."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import apsw

from app.models.stores.driver import chain


class Cause(NamedTuple):
    """name: for logs. sentence: what is wrong and what to do about it."""

    name: str
    sentence: str


UNKNOWN = Cause("unknown", "The database is not available just now.")
_LOST = Cause("connection_lost", "The connection to Postgres was lost: see whether it runs, and its log.")
_SHUTDOWN = Cause("shutting_down", "Postgres is stopping or starting: wait until it takes connections.")
_FULL = Cause("disk_full", "The disk of the database is full: make room on it.")
_READ_ONLY = Cause("read_only", "The database takes no writes: it is a standby, or its file or disk is read-only.")
_CROWDED = Cause(
    "too_many_connections",
    "Postgres has no connection left: raise its max_connections, or lower WEB_CONCURRENCY or ROLLCALL_THREADS.",
)
_PASSWORD = Cause("wrong_password", "Postgres refuses user or password: correct DATABASE_URL.")
_BY_STATE = {
    "08": _LOST,
    "25006": _READ_ONLY,
    "28": _PASSWORD,
    "3D": Cause("no_such_database", "Postgres has no database of that name: create it, or correct DATABASE_URL."),
    "40": Cause("conflict", "The transaction conflicted with others again and again: send it once more."),
    "42501": Cause("missing_rights", "The user of DATABASE_URL lacks a right on the tables: GRANT it."),
    "53100": _FULL,
    "53300": _CROWDED,
    "55P03": Cause("locked", "Others held a lock for longer than ROLLCALL_LOCK_TIMEOUT."),
    "57014": Cause("too_slow", "A statement took longer than ROLLCALL_STATEMENT_TIMEOUT."),
    "57P": _SHUTDOWN,
}
# libpq tells why it cannot connect in words alone.
_BY_WORDS = (
    (r"authentication failed|no password supplied|role .* does not exist|no pg_hba.conf entry", _PASSWORD),
    (r"database .* does not exist", _BY_STATE["3D"]),
    (
        r"too many (clients|connections)|connection slots|no more connections allowed|max_client_conn",
        _CROWDED,
    ),
    (
        r"translate host name|resolve host|Name or service not known|No address associated",
        Cause("host_unknown", "The host of DATABASE_URL has no address: correct it, or see to the DNS."),
    ),
    (r"starting up|shutting down|in recovery mode", _SHUTDOWN),
    (
        r"did not answer in time",
        Cause("silent", "Postgres did not answer in time: see whether it hangs, or the network between."),
    ),
    (
        r"refused|No such file or directory|timeout expired|No route to host|unreachable",
        Cause("unreachable", "Postgres cannot be reached: see whether it runs where DATABASE_URL says."),
    ),
    (r"closed|terminat|lost|consuming input failed", _LOST),
)
_BY_CLASS = (
    (apsw.BusyError, Cause("locked", "Another process held the SQLite file for longer than ROLLCALL_LOCK_TIMEOUT.")),
    (apsw.LockedError, Cause("locked", "Another connection holds the SQLite file.")),
    (apsw.FullError, _FULL),
    (apsw.ReadOnlyError, _READ_ONLY),
    (apsw.CantOpenError, Cause("cannot_open", "The SQLite file cannot be opened: see to its folder and its rights.")),
    ((apsw.CorruptError, apsw.NotADBError), Cause("damaged", "The SQLite file is damaged: restore a backup.")),
    (apsw.IOError, Cause("io_error", "The disk of the SQLite file fails: see the kernel's log.")),
)


def cause(error: BaseException) -> Cause:
    """Return why the database could not serve: what the first failure behind the error says, else UNKNOWN."""
    return next(_causes(error), UNKNOWN)


def _causes(error: BaseException) -> Iterator[Cause]:
    for one in reversed(list(chain(error))):
        yield from (cause for kind, cause in _BY_CLASS if isinstance(one, kind))
        state = getattr(one, "sqlstate", None) or ""
        yield from (cause for prefix, cause in _BY_STATE.items() if state.startswith(prefix))
        yield from (cause for words, cause in _BY_WORDS if re.search(words, str(one)))
