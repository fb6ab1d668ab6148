"""The audit log (docs/audit.md).

A record is written in the transaction of what it tells: there is never one without the other. It names users by their
internal id alone, so that erasing a user leaves nothing in it to erase.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.domain import cursors
from app.domain.actions import Action
from app.domain.cursors import Page
from app.models import audit as store
from app.models.audit import AuditRow
from app.models.database import statement
from app.models.keyset import of_workspace

__all__ = ["PUBLIC", "SECRET", "SHELL", "AuditRow", "Caller", "page", "record"]

PUBLIC, SECRET = "public", "secret"  # the level of a caller: the public key alone, or the secret too


class Caller(NamedTuple):
    """Who asks for something: the public key they came with, or the shell.

    level: what they proved. request_id: of the request that asked, None where there was none.
    """

    name: str
    level: str
    request_id: str | None = None


SHELL = Caller("cli", "shell")  # whoever can run `rollcall` on the database


def record(workspace: int, caller: Caller, action: Action, subject: str, other: str | None = None) -> None:
    """Record what the caller did. Call in the transaction that does it.

    subject: the internal id of the user or list, or the public key, that it was done to. other: of a merge the internal
    id of the user that remains, of a web origin the origin.
    """
    store.add(workspace, action, caller.name, caller.level, [subject], other, caller.request_id)


def record_all(workspace: int, caller: Caller, action: Action, subjects: Sequence[str]) -> None:
    """As `record`, of each of the subjects, at least one, in one statement."""
    store.add(workspace, action, caller.name, caller.level, subjects, None, caller.request_id)


@statement
def page(workspace: int, limit: int, after: str | None = None, before: str | None = None, **filters: Any) -> Page:
    """Return records as AuditRows, newest first: those older than the one cursor, or newer than the other.

    limit: rows at most. filters: those that `app.models.audit.by` knows. Raises errors.StorageUnavailable.
    """
    backwards = before is not None
    wanted = [of_workspace(workspace), *(store.by(name, value) for name, value in filters.items())]
    found, behind = store.page(limit + 1, wanted, before or after, descending=not backwards)
    return cursors.page(found, behind, limit, backwards)
