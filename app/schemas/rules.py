"""The grammar of a segment's rule, for people (what is wrong, and where, as a JSON pointer) and as a JSON Schema.

docs/segments.md says what each part means; app/rules.py has the words.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import missing

from app import dates, errors, ids, rules, uids
from app.schemas.fields import MAX_META_KEY, MAX_META_VALUE, MAX_NAME, Rule
from app.schemas.users import PLATFORMS

MAX_EVENT_NAME = 255  # engage.md section 4.3
_MAX_SHOWN = 64  # characters of a key in a pointer
MAX_COUNT = 10**9  # events of one user

Faults = Iterator[tuple[str, str]]  # JSON pointer, what was expected there


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
    yield from _only(node, at, name)
    if not isinstance(node[name], list):
        yield f"{at}/{name}", "Must be an array of rules."
        return
    for index, child in enumerate(node[name]):
        yield from _node(child, f"{at}/{name}/{index}", depth + 1)


def _not(node: dict[str, Any], at: str, depth: int) -> Faults:
    yield from _only(node, at, "not")
    yield from _node(node["not"], f"{at}/not", depth + 1)


def _only(node: dict[str, Any], at: str, *known: str) -> Faults:
    for name in node.keys() - set(known):
        shown = name[:_MAX_SHOWN].replace("~", "~0").replace("/", "~1")  # RFC 6901 section 3
        yield f"{at}/{shown}", f"Must not be here, beside {known[0]}."


# ---- comparisons --------------------------------------------------------------------------------------------------


def _attribute(node: dict[str, Any], at: str, depth: int) -> Faults:
    name = node["attribute"]
    if not isinstance(name, str) or not (name in rules.ATTRIBUTES or _is_meta(name)):
        yield f"{at}/attribute", f"Must be meta. and a key of 1 to {MAX_META_KEY} characters, or one of {_ATTRIBUTES}."
        return
    yield from _comparison(node, at, "attribute", rules.kind_of(name), dated=True)


def _is_meta(name: str) -> bool:
    return name.startswith(rules.META) and 1 <= len(name) - len(rules.META) <= MAX_META_KEY


_ATTRIBUTES = ", ".join(rules.ATTRIBUTES)


def _comparison(node: dict[str, Any], at: str, subject: str | None, kind: str, dated: bool = False) -> Faults:
    """Check the operator and what it compares with. dated: whether a moment so many days ago may stand there."""
    operators = [name for name in rules.OPERATORS if name in node]
    if len(operators) != 1:
        yield at, f"Must have exactly one of {', '.join(rules.OPERATORS)}."
        return
    operator = operators[0]
    caseless = ["ignore_case"] if operator in rules.CASELESS else []
    yield from _only(node, at, *([subject] if subject else []), operator, *caseless)
    if "ignore_case" in node and caseless and not isinstance(node["ignore_case"], bool):
        yield f"{at}/ignore_case", "Must be true or false."
    for pointer, expected in _value(operator, node[operator], kind, dated):
        yield f"{at}/{operator}{pointer}", expected


def _value(operator: str, value: Any, kind: str, dated: bool) -> Faults:
    if operator in rules.PRESENCE:
        if value is not True:
            yield "", "Must be true."
    elif operator in rules.SUBSTRINGS:
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_META_VALUE:
            yield "", f"Must be a string of 1 to {MAX_META_VALUE} characters."
    elif operator in rules.LISTS:
        yield from _several(value, kind)
    elif operator == "between":
        yield from _span(value, kind, dated)
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


def _span(value: Any, kind: str, dated: bool) -> Faults:
    if not isinstance(value, list) or len(value) != 2:
        yield "", "Must be an array of two, the least and the greatest."
        return
    for index, one in enumerate(value):
        yield from _bound(f"/{index}", one, kind, dated)
    if kind != rules.DATE and len({_type(one) for one in value}) != 1:
        yield "", "Must be an array of two of one type."


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
        yield from _days(at, value, "days_ago", least=-rules.MAX_DAYS)
        return
    try:
        dates.parse(value)
    except ValueError:
        yield at, 'Must be a date in ISO 8601, epoch seconds or milliseconds, or a moment such as {"days_ago": 30}.'


def _days(at: str, value: Any, name: str, least: float) -> Faults:
    if not isinstance(value, dict) or value.keys() != {name}:
        yield at, f'Must be like {{"{name}": 30}}.'
    elif not _is_number(value[name]) or not least <= value[name] <= rules.MAX_DAYS:
        yield f"{at}/{name}", f"Must be a number from {least} to {rules.MAX_DAYS}."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# ---- events -------------------------------------------------------------------------------------------------------

_ASKED = ("count", "first", "last", *rules.AGGREGATES)
_MOMENTS = (*rules.COUNTS, "between")


def _event(node: dict[str, Any], at: str, depth: int) -> Faults:
    if not isinstance(node["event"], str) or not 1 <= len(node["event"]) <= MAX_EVENT_NAME:
        yield f"{at}/event", f"Must be a name of 1 to {MAX_EVENT_NAME} characters."
    asked = [name for name in _ASKED if name in node]
    if len(asked) > 1:
        yield at, f"Must have at most one of {', '.join(_ASKED)}."
        return
    more = [name for name in _MOMENTS if name in node] if asked and asked[0] in rules.AGGREGATES else []
    yield from _only(node, at, "event", "within", "where", *asked, *more)
    for name in asked:
        yield from (_aggregate if name in rules.AGGREGATES else _asked)(node, at, name)
    if "within" in node:
        yield from _days(f"{at}/within", node["within"], "days", least=0)
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
        if not _is_number(wanted) or wanted != int(wanted) or not 0 <= wanted <= MAX_COUNT:
            yield f"{at}/{name}/{operator}", f"Must be a whole number from 0 to {MAX_COUNT}."
        return
    for pointer, expected in _value(operator, wanted, rules.DATE, dated=True):
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
        if not isinstance(wanted, list) or len(wanted) != 2 or not all(map(_is_number, wanted)):
            yield f"{at}/between", "Must be an array of two numbers, the least and the greatest."
    elif not _is_number(wanted):
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
        yield from _comparison(one, at, "property", rules.ANY, dated=True)
    elif isinstance(one, dict) and isinstance(one.get("value"), dict):
        yield from _only(one, at, "value")
        yield from _comparison(one["value"], f"{at}/value", None, rules.ANY, dated=True)
    else:
        yield at, 'Must be like {"property": "cur", "is": "USD"} or {"value": {"gte": 100}}.'


# ---- lists, accounts, devices, segments ---------------------------------------------------------------------------


def _list(node: dict[str, Any], at: str, depth: int) -> Faults:
    yield from _only(node, at, "list", "subscribed")
    yield from _id(node, at, "list")
    if "subscribed" in node and not isinstance(node["subscribed"], bool):
        yield f"{at}/subscribed", "Must be true or false."


def _account(node: dict[str, Any], at: str, depth: int) -> Faults:
    yield from _only(node, at, "account", "role")
    if not isinstance(node["account"], str) or not uids.is_valid(node["account"]):
        yield f"{at}/account", "Must be the uid of an account."
    if "role" in node and (not isinstance(node["role"], str) or len(node["role"]) > MAX_NAME):
        yield f"{at}/role", f"Must be a string of at most {MAX_NAME} characters."


def _is_account(node: dict[str, Any], at: str, depth: int) -> Faults:
    yield from _only(node, at, "is_account")
    if not isinstance(node["is_account"], bool):
        yield f"{at}/is_account", "Must be true or false."


def _device(node: dict[str, Any], at: str, depth: int) -> Faults:
    yield from _only(node, at, "device")
    if node["device"] not in PLATFORMS:
        yield f"{at}/device", f"Must be one of {', '.join(PLATFORMS)}."


def _segment(node: dict[str, Any], at: str, depth: int) -> Faults:
    yield from _only(node, at, "segment")
    yield from _id(node, at, "segment")


def _id(node: dict[str, Any], at: str, name: str) -> Faults:
    if not isinstance(node[name], str) or not ids.is_id(node[name]):
        yield f"{at}/{name}", f"Must be the id of a {name}."


_NODES = {
    "all": _branch, "any": _branch, "not": _not, "attribute": _attribute, "event": _event, "list": _list,
    "account": _account, "is_account": _is_account, "device": _device, "segment": _segment,
}  # fmt: skip
