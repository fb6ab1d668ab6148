"""Comparisons in a rule: an operator and its operand."""

from collections.abc import Callable, Container
from typing import Any

from app.domain import dates, rules
from app.schemas.fields import MAX_META_KEY, MAX_META_VALUE
from app.schemas.rules.faults import Faults, only
from app.schemas.rules.spans import REVERSED, is_reversed


def attribute(node: dict[str, Any], at: str, depth: int) -> Faults:
    """Yield what is wrong with a node that asks for an attribute."""
    name = node["attribute"]
    if not isinstance(name, str) or not (name in rules.ATTRIBUTES or _is_meta(name)):
        yield f"{at}/attribute", f"Must be meta. and a key of 1 to {MAX_META_KEY} characters, or one of {_ATTRIBUTES}."
        return
    yield from comparison(node, at, "attribute", rules.kind_of(name), dated=True)


def _is_meta(name: str) -> bool:
    return name.startswith(rules.META) and 1 <= len(name) - len(rules.META) <= MAX_META_KEY


_ATTRIBUTES = ", ".join(rules.ATTRIBUTES)


def comparison(node: dict[str, Any], at: str, subject: str | None, kind: str, dated: bool = False) -> Faults:
    """Check the operator and what it compares with. dated: whether a moment so many days ago may stand there."""
    operators = [name for name in rules.OPERATORS if name in node]
    if len(operators) != 1:
        yield at, f"Must have exactly one of {', '.join(rules.OPERATORS)}."
        return
    operator = operators[0]
    caseless = ["ignore_case"] if operator in rules.CASELESS else []
    yield from only(node, at, *([subject] if subject else []), operator, "exact", *caseless)
    yield from _flags(node, at, operator, rules.SPELLINGS if subject == "attribute" else ())
    spelling = (
        rules.SPELLINGS.get(node["attribute"], str) if subject == "attribute" and not rules.is_exact(node) else str
    )
    for pointer, expected in value_of(operator, node[operator], kind, dated, spelling):
        yield f"{at}/{operator}{pointer}", expected


def _flags(node: dict[str, Any], at: str, operator: str, spelt: Container[str]) -> Faults:
    """Check what says how texts are compared. spelt: the attributes that are not compared exactly."""
    if "exact" in node and (operator not in rules.EXACT or node.get("attribute") not in spelt):
        yield f"{at}/exact", _NO_EXACT
    elif "exact" in node and "ignore_case" in node:
        yield f"{at}/ignore_case", "Must not be here, beside exact, which says whether capitals count."
    for name in ("ignore_case", "exact"):
        if not isinstance(node.get(name, True), bool):
            yield f"{at}/{name}", "Must be true or false."


_NO_EXACT = (
    f"Must not be here: it goes with the attribute {' or '.join(rules.SPELLINGS)} and one of {', '.join(rules.EXACT)}."
)


def value_of(operator: str, value: Any, kind: str, dated: bool, spelling: Callable[[str], str] = str) -> Faults:
    """Yield what is wrong with what an operator compares with; pointers begin at the value.

    spelling: what all spellings of a text share, by which texts are ordered.
    """
    if operator in rules.PRESENCE:
        if value is not True:
            yield "", "Must be true."
    elif operator in rules.SUBSTRINGS:
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_META_VALUE:
            yield "", f"Must be a string of 1 to {MAX_META_VALUE} characters."
    elif operator in rules.LISTS:
        yield from _several(value, kind)
    elif operator == "between":
        yield from _span(value, kind, dated, spelling)
    elif operator in rules.EQUALITY:
        yield from _scalar("", value, kind)
    else:
        yield from _bound("", value, kind, dated)


def _several(value: Any, kind: str) -> Faults:
    if not isinstance(value, list) or not 1 <= len(value) <= rules.MAX_VALUES:
        yield "", f"Must be an array of 1 to {rules.MAX_VALUES} values."
        return
    for index, one in enumerate(value):
        yield from _scalar(f"/{index}", one, kind)


def _span(value: Any, kind: str, dated: bool, spelling: Callable[[str], str]) -> Faults:
    if not isinstance(value, list) or len(value) != 2:
        yield "", "Must be an array of two, the least and the greatest."
        return
    faults = [fault for index, one in enumerate(value) for fault in _bound(f"/{index}", one, kind, dated)]
    yield from faults
    if kind != rules.DATE and len({_type(one) for one in value}) != 1:
        yield "", "Must be an array of two of one type."
    elif not faults and is_reversed(value, kind, spelling):
        yield "", REVERSED


def _type(value: Any) -> str:
    return next(name for name, types in _TYPES.items() if isinstance(value, types))


_TYPES: dict[str, Any] = {"text": str, "boolean": bool, "number": int | float, "date": dict, "other": object}


def _scalar(at: str, value: Any, kind: str) -> Faults:
    if kind == rules.DATE:
        yield from _date(at, value)
    elif not isinstance(value, str | int | float):
        yield at, "Must be a string, number or boolean."
    elif isinstance(value, str) and len(value) > MAX_META_VALUE:
        yield at, f"Must have at most {MAX_META_VALUE} characters."


def _bound(at: str, value: Any, kind: str, dated: bool) -> Faults:
    if kind == rules.DATE or (dated and isinstance(value, dict)):
        yield from _date(at, value)
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        yield at, 'Must be a string, a number or a moment such as {"days_ago": 30}.'
    else:
        yield from _scalar(at, value, kind)


def _date(at: str, value: Any) -> Faults:
    if isinstance(value, dict):
        yield from days(at, value, "days_ago", least=-rules.MAX_DAYS)
        return
    try:
        dates.parse(value)
    except ValueError:
        yield at, 'Must be a date in ISO 8601, epoch seconds or milliseconds, or a moment such as {"days_ago": 30}.'


def days(at: str, value: Any, name: str, least: float) -> Faults:
    """Yield what is wrong with a number of days under that name."""
    if not isinstance(value, dict) or value.keys() != {name}:
        yield at, f'Must be like {{"{name}": 30}}.'
    elif not is_number(value[name]) or not least <= value[name] <= rules.MAX_DAYS:
        yield f"{at}/{name}", f"Must be a number from {least} to {rules.MAX_DAYS}."


def is_number(value: Any) -> bool:
    """Return True if JSON would call the value a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
