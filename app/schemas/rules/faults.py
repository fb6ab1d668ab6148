"""Errors in a rule, with their place."""

from collections.abc import Iterator
from typing import Any

_MAX_SHOWN = 64  # characters of a key in a pointer

Faults = Iterator[tuple[str, str]]  # JSON pointer, what was expected there


def only(node: dict[str, Any], at: str, *known: str) -> Faults:
    """Yield each name that stands in the node beside those that are known there."""
    for name in node.keys() - set(known):
        shown = name[:_MAX_SHOWN].replace("~", "~0").replace("/", "~1")  # RFC 6901 section 3
        yield f"{at}/{shown}", f"Must not be here, beside {known[0]}."
