"""The grammar of segment rules: find each error in one, and its place as a JSON pointer.

docs/segments.md says what each part means; app/domain/rules.py has the words.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import missing

from app import errors
from app.domain import rules
from app.schemas.fields import Rule
from app.schemas.rules.bonds import account, device, is_account, list_, segment
from app.schemas.rules.comparisons import attribute
from app.schemas.rules.events import MAX_COUNT, MAX_EVENT_NAME, event
from app.schemas.rules.faults import Faults, only

__all__ = ["MAX_COUNT", "MAX_EVENT_NAME", "RuleField", "check"]


class RuleField(Rule):
    """A rule. What is wrong with it is told with the JSON pointer of the place, at once for all places."""

    names: Mapping[str, Any] = {"$ref": "#/components/schemas/Rule"}  # app/api/openapi.py takes it into the property

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the rule as it was sent. Raises errors.InvalidInput."""
        found = {} if value is missing else _first(check(value))
        if found:
            raise errors.InvalidInput(found)
        return super().deserialize(value, *args, **kwargs)


def _first(faults: Faults) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pointer, expected in faults:
        found.setdefault(pointer, [expected])
        if len(found) == errors.MAX_DETAILS:
            break
    return found


def check(rule: Any) -> Faults:
    """Yield what breaks the grammar: (JSON pointer into the body, what was expected)."""
    count = 0
    for pointer, expected in _node(rule, rules.ROOT, 1):
        count += 1
        yield pointer, expected
    if not count and sum(1 for _ in rules.leaves(rule)) > rules.MAX_LEAVES:
        yield rules.ROOT, f"Must have at most {rules.MAX_LEAVES} leaves."


def _node(node: Any, at: str, depth: int) -> Faults:
    named = [name for name in _NODES if isinstance(node, dict) and name in node]
    if len(named) != 1:
        yield at, f"Must be an object with one of {', '.join(_NODES)}."
    elif depth > rules.MAX_DEPTH:
        yield at, f"Must not be nested deeper than {rules.MAX_DEPTH} levels."
    else:
        yield from _NODES[named[0]](node, at, depth)


def _branch(node: dict[str, Any], at: str, depth: int) -> Faults:
    name = next(one for one in rules.BRANCHES if one in node)
    yield from only(node, at, name)
    if not isinstance(node[name], list):
        yield f"{at}/{name}", "Must be an array of rules."
        return
    for index, child in enumerate(node[name]):
        yield from _node(child, f"{at}/{name}/{index}", depth + 1)


def _not(node: dict[str, Any], at: str, depth: int) -> Faults:
    yield from only(node, at, "not")
    yield from _node(node["not"], f"{at}/not", depth + 1)


_NODES = {
    "all": _branch, "any": _branch, "not": _not, "attribute": attribute, "event": event, "list": list_,
    "account": account, "is_account": is_account, "device": device, "segment": segment,
}  # fmt: skip
