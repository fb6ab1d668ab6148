"""The fields of a user as those of an Atomic profile, and back (atomic.md section 3, "In the store")."""

from collections.abc import Mapping
from typing import Any

from app.domain import profiles, shape
from app.services.atomic import fields
from app.services.atomic.fields import FieldRow
from app.services.audit import SHELL

_IN_PROFILES = {"email": "email", "number": "phone"}
_IN_ENGAGE = {"id": "uid", "email": "email", "phone": "number", "": "meta"}


def of_user(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the profile that says the same. A field that no profile has keeps its name, and is refused under it."""
    own = {_IN_PROFILES.get(name, name): value for name, value in sent.items() if name != "meta"}
    return {**own, **sent.get("meta", {})}


def define(workspace: int, profile: Mapping[str, Any]) -> None:
    """Define the fields of a profile that can be custom ones, but for those that are Engage's own."""
    known = {field.name for field in fields.everything(workspace)}
    wanted = [name for name in profile if profiles.is_name(name) and name not in profiles.RESERVED | known | ENGAGE]
    if wanted:
        fields.define(workspace, [FieldRow(name, name, profiles.TEXT) for name in wanted], SHELL)


# What callers of Engage's routes may write and a profile does not have; it has email, number and meta under other names.
ENGAGE = frozenset((*shape.SENT, *shape.HIDDEN, "device_token", "device_platform")) - {"email", "number", "meta"}


def in_engage(name: str) -> str:
    """Return what Engage calls a field that a refusal names."""
    return _IN_ENGAGE.get(name, name if name in ENGAGE or name == "row" else f"meta.{name}")
