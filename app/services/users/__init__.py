"""Users: create, retrieve, update, delete, and the pages of them (engage.md sections 3 and 4)."""

from app.domain.shape import UserRow
from app.services.users.writing import (
    Saved,
    archive,
    claim,
    create,
    delete,
    fill,
    find_to_change,
    lock,
    make_without_uid,
    page,
    patch,
    remove_attribute,
    remove_device,
    retrieve,
    save_without_uid,
    too_many_keys,
    update,
)

__all__ = [
    "Saved",
    "UserRow",
    "archive",
    "claim",
    "create",
    "delete",
    "fill",
    "find_to_change",
    "lock",
    "make_without_uid",
    "page",
    "patch",
    "remove_attribute",
    "remove_device",
    "retrieve",
    "save_without_uid",
    "too_many_keys",
    "update",
]
