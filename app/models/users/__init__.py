"""Users: the table, and the statements of the routes that are called all day."""

from app.models.users.changes import (
    archive,
    delete,
    lock,
    lock_all,
    lock_id,
    remove_meta,
    rename,
    take_turns,
)
from app.models.users.finding import (
    by,
    by_meta,
    claimants,
    claimants_call,
    find,
    find_all,
    find_call,
    find_id,
    has_updateable,
    is_known,
    page,
    page_call,
)
from app.models.users.many import Change, make_all, upsert_all
from app.models.users.rendering import RenderedUser
from app.models.users.rows import MAX_META_KEYS, User, UserRow, dump, key_of_email, key_of_number, load_flat, row
from app.models.users.upserts import upsert, upsert_call

__all__ = [
    "MAX_META_KEYS", "Change", "RenderedUser", "User", "UserRow", "archive", "by", "by_meta", "claimants",
    "claimants_call", "delete", "dump", "find", "find_all", "find_call", "find_id", "has_updateable", "is_known",
    "key_of_email", "key_of_number", "load_flat", "lock", "lock_all", "lock_id", "make_all", "page", "page_call",
    "remove_meta", "rename", "row", "take_turns", "upsert", "upsert_all", "upsert_call",
]  # fmt: skip
