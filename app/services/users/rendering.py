"""Users as JSON, rendered by the database where it can (app/models/users/rendering/)."""

from typing import Any

from app import errors
from app.domain.cursors import Page
from app.services import users
from app.services.users import UserRow, group_commit


def find(workspace: int, uid: str) -> UserRow | str:
    """Return the user of that uid, as JSON where the database writes it. Raises errors.UserNotFound."""
    found: UserRow | str | None = group_commit.look([group_commit.Retrieval(workspace, uid)])[0]
    if found is None:
        raise errors.UserNotFound()
    return found


def page(workspace: int, limit: int, after: str | None, before: str | None, descending: bool, **filters: Any) -> Page:
    """Return a page of UserRows, or of JSON where the database writes it; the rest as `users.page`."""
    is_plain = before is None and not descending and filters == {"meta": {}}
    if not is_plain:
        return users.page(workspace, limit, after, before, descending, **filters)
    found: Page = group_commit.look([group_commit.Listing(workspace, limit, after or "")])[0]
    return found
