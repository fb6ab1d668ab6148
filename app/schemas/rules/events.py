"""Event conditions in a rule: how often, when, how much."""

from typing import Any

from app.domain import rules
from app.schemas.fields import MAX_NAME
from app.schemas.rules.comparisons import comparison, days, is_number, value_of
from app.schemas.rules.faults import Faults, only
from app.schemas.rules.spans import REVERSED, is_reversed

MAX_EVENT_NAME = 255  # engage.md section 4.3
MAX_COUNT = 10**9  # events of one user


_ASKED = ("count", "first", "last", *rules.AGGREGATES)
_MOMENTS = (*rules.COUNTS, "between")


def event(node: dict[str, Any], at: str, depth: int) -> Faults:
    """Yield what is wrong with a node that asks for events."""
    if not isinstance(node["event"], str) or not 1 <= len(node["event"]) <= MAX_EVENT_NAME:
        yield f"{at}/event", f"Must be a name of 1 to {MAX_EVENT_NAME} characters."
    asked = [name for name in _ASKED if name in node]
    if len(asked) > 1:
        yield at, f"Must have at most one of {', '.join(_ASKED)}."
        return
    more = [name for name in _MOMENTS if name in node] if asked and asked[0] in rules.AGGREGATES else []
    yield from only(node, at, "event", "within", "where", *asked, *more)
    for name in asked:
        yield from (_aggregate if name in rules.AGGREGATES else _asked)(node, at, name)
    if "within" in node:
        yield from days(f"{at}/within", node["within"], "days", least=0)
    if "where" in node:
        yield from _where(node["where"], f"{at}/where")


def _asked(node: dict[str, Any], at: str, name: str) -> Faults:
    operators = rules.COUNTS if name == "count" else _MOMENTS
    value = node[name]
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in operators:
        yield f"{at}/{name}", f"Must be an object with one of {', '.join(operators)}."
        return
    ((operator, wanted),) = value.items()
    if name == "count":
        if not is_number(wanted) or wanted != int(wanted) or not 0 <= wanted <= MAX_COUNT:
            yield f"{at}/{name}/{operator}", f"Must be a whole number from 0 to {MAX_COUNT}."
        return
    for pointer, expected in value_of(operator, wanted, rules.DATE, dated=True):
        yield f"{at}/{name}/{operator}{pointer}", expected


def _aggregate(node: dict[str, Any], at: str, name: str) -> Faults:
    if not isinstance(node[name], str) or not 1 <= len(node[name]) <= MAX_NAME:
        yield f"{at}/{name}", f"Must be the name of a property, or {rules.OWN_VALUE} for the value of the event."
    operators = [one for one in _MOMENTS if one in node]
    if len(operators) != 1:
        yield at, f"Must have exactly one of {', '.join(_MOMENTS)} beside {name}."
        return
    operator = operators[0]
    wanted = node[operator]
    if operator == "between":
        if not isinstance(wanted, list) or len(wanted) != 2 or not all(map(is_number, wanted)):
            yield f"{at}/between", "Must be an array of two numbers, the least and the greatest."
        elif is_reversed(wanted, rules.NUMBER):
            yield f"{at}/between", REVERSED
    elif not is_number(wanted):
        yield f"{at}/{operator}", "Must be a number."


def _where(value: Any, at: str) -> Faults:
    if not isinstance(value, list) or len(value) > rules.MAX_WHERE:
        yield at, f"Must be an array of at most {rules.MAX_WHERE} comparisons."
        return
    for index, one in enumerate(value):
        yield from _where_one(one, f"{at}/{index}")


def _where_one(one: Any, at: str) -> Faults:
    if isinstance(one, dict) and "property" in one:
        if not isinstance(one["property"], str) or not 1 <= len(one["property"]) <= MAX_NAME:
            yield f"{at}/property", f"Must be a name of 1 to {MAX_NAME} characters."
        yield from comparison(one, at, "property", rules.ANY, dated=True)
    elif isinstance(one, dict) and isinstance(one.get("value"), dict):
        yield from only(one, at, "value")
        yield from comparison(one["value"], f"{at}/value", None, rules.ANY, dated=True)
    else:
        yield at, 'Must be like {"property": "cur", "is": "USD"} or {"value": {"gte": 100}}.'
