"""Rule conditions on lists, accounts, devices and segments."""

from typing import Any

from app.domain import ids, uids
from app.schemas.fields import MAX_NAME
from app.schemas.rules.faults import Faults, only
from app.schemas.users import PLATFORMS


def list_(node: dict[str, Any], at: str, depth: int) -> Faults:
    """Yield what is wrong with a node that asks for a list."""
    yield from only(node, at, "list", "subscribed")
    yield from _id(node, at, "list")
    if "subscribed" in node and not isinstance(node["subscribed"], bool):
        yield f"{at}/subscribed", "Must be true or false."


def account(node: dict[str, Any], at: str, depth: int) -> Faults:
    """Yield what is wrong with a node that asks for an account."""
    yield from only(node, at, "account", "role")
    if not isinstance(node["account"], str) or not uids.is_valid(node["account"]):
        yield f"{at}/account", "Must be the uid of an account."
    if "role" in node and (not isinstance(node["role"], str) or len(node["role"]) > MAX_NAME):
        yield f"{at}/role", f"Must be a string of at most {MAX_NAME} characters."


def is_account(node: dict[str, Any], at: str, depth: int) -> Faults:
    """Yield what is wrong with a node that asks for accounts, or customers."""
    yield from only(node, at, "is_account")
    if not isinstance(node["is_account"], bool):
        yield f"{at}/is_account", "Must be true or false."


def device(node: dict[str, Any], at: str, depth: int) -> Faults:
    """Yield what is wrong with a node that asks for a device."""
    yield from only(node, at, "device")
    if node["device"] not in PLATFORMS:
        yield f"{at}/device", f"Must be one of {', '.join(PLATFORMS)}."


def segment(node: dict[str, Any], at: str, depth: int) -> Faults:
    """Yield what is wrong with a node that asks for another segment."""
    yield from only(node, at, "segment")
    yield from _id(node, at, "segment")


def _id(node: dict[str, Any], at: str, name: str) -> Faults:
    if not isinstance(node[name], str) or not ids.is_id(node[name]):
        yield f"{at}/{name}", f"Must be the id of a {name}."
