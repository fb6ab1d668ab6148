"""The vocabulary of segment rules, shared by their grammar (app/schemas/rules) and their SQL (app/models/segments).

A rule is a tree of JSON: `all`, `any` and `not` over leaves. docs/segments.md says what each leaf means.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.domain import shape
from app.domain.contacts import key_of_email, key_of_number

EVERYBODY = "0" * 24  # the id of the segment `all`, the same in every workspace: it sorts before all ids that we make
MAX_DEPTH = 10
MAX_LEAVES = 100
MAX_EXPANDED = 500  # leaves of a rule with those of all segments that it names: what one statement still plans quickly
MAX_VALUES = 100  # of `in`
MAX_WHERE = 10  # comparisons in the `where` of an event
MAX_DAYS = 36_500  # a hundred years, beyond which no date that we keep lies

TEXT, NUMBER, BOOLEAN, DATE, ANY = "text", "number", "boolean", "date", "any"
_KINDS = {
    **dict.fromkeys((shape.ID, shape.TEXT), TEXT),
    **dict.fromkeys((shape.FLAG, shape.PRESENCE), BOOLEAN),
    shape.COUNT: NUMBER,
    shape.TIME: DATE,
}
META = "meta."  # an attribute that begins so is one of the caller's own
# Attribute -> what its values are. What is shown under these names in the user object, and what is kept beside it.
ATTRIBUTES = {
    field.shown_as or name: _KINDS[field.kind] for name, field in shape.COLUMNS.items() if field.kind in _KINDS
}

# Attribute -> what all spellings of a value share, by which it is compared unless the leaf has `exact`.
SPELLINGS: dict[str, Callable[[str], str]] = {"email": key_of_email, "number": key_of_number}

EQUALITY, LISTS = ("is", "is_not"), ("in", "not_in")
SUBSTRINGS = ("contains", "starts_with", "ends_with")
ORDER = ("lt", "lte", "gt", "gte")
PRESENCE = ("exists", "missing")
OPERATORS = (*EQUALITY, *LISTS, *SUBSTRINGS, *ORDER, "between", *PRESENCE)
CASELESS = (*EQUALITY, *LISTS, *SUBSTRINGS)  # those that `ignore_case` goes with
NEGATIONS = {"is_not": "is", "not_in": "in", "missing": "exists"}
EXACT = (*CASELESS, *ORDER, "between")  # those that `exact` goes with
COUNTS = ("is", *ORDER)
AGGREGATES = ("sum", "avg", "min", "max")
OWN_VALUE = "$value"  # in the place of a property: the value of the event itself

BRANCHES = ("all", "any")
ROOT = "/rule"  # the JSON pointer of a rule in the body that brings it


def kind_of(attribute: str) -> str:
    """Return what the values of an attribute are; those of meta may be anything."""
    return ANY if attribute.startswith(META) else ATTRIBUTES[attribute]


def is_exact(leaf: Mapping[str, Any]) -> bool:
    """Return True if a leaf compares an attribute that has SPELLINGS as it is spelt.

    `"ignore_case": false` beside email is older than `exact`, and means the same.
    """
    return bool(leaf.get("exact", leaf["attribute"] == "email" and leaf.get("ignore_case") is False))


def leaves(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every leaf of a rule."""
    return (leaf for _, leaf in places(node))


def places(node: Mapping[str, Any], pointer: str = ROOT) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (JSON pointer, leaf) of every leaf of a rule, in its order."""
    branch = next((name for name in BRANCHES if name in node), None)
    if branch:
        for index, child in enumerate(node[branch]):
            yield from places(child, f"{pointer}/{branch}/{index}")
    elif "not" in node:
        yield from places(node["not"], f"{pointer}/not")
    else:
        yield pointer, node


def named(rule: Mapping[str, Any]) -> set[str]:
    """Return the ids of the segments that a rule names."""
    return {leaf["segment"] for leaf in leaves(rule) if "segment" in leaf}
