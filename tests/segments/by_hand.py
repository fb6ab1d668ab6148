"""The rules of docs/segments.md, told once more in plain Python, one user at a time: what the SQL is compared with."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from app.domain import dates

DAY = 86_400_000


def holds(rule: dict[str, Any], user: dict[str, Any], now: int, known: dict[str, Any]) -> bool:
    """Whether the rule holds for the user at that time. known: the rules of segments by their ids."""
    if "all" in rule:
        return all(holds(one, user, now, known) for one in rule["all"])
    if "any" in rule:
        return any(holds(one, user, now, known) for one in rule["any"])
    if "not" in rule:
        return not holds(rule["not"], user, now, known)
    if "segment" in rule:
        return holds(known[rule["segment"]], user, now, known)
    if "attribute" in rule:
        return compares(attribute(user, rule["attribute"]), rule, now, rule["attribute"])
    if "event" in rule:
        return happened(rule, user, now)
    if "list" in rule:
        status = user["lists"].get(rule["list"])
        return status is not None and rule.get("subscribed") in (None, status == "subscribed")
    if "account" in rule:
        accounts = user["accounts"]
        return rule["account"] in accounts and ("role" not in rule or accounts[rule["account"]] == rule["role"])
    if "is_account" in rule:
        return user["is_account"] is rule["is_account"]
    return rule["device"] in user["devices"]


def attribute(user: dict[str, Any], name: str) -> Any:
    return user["meta"].get(name[5:]) if name.startswith("meta.") else user[name]


def compares(found: Any, rule: dict[str, Any], now: int, name: str = "") -> bool:
    """Whether the comparison holds for what was found, None where there is nothing."""
    operators = ("is", "is_not", "in", "not_in", "contains", "starts_with", "ends_with", "lt", "lte", "gt", "gte",
                 "between", "exists", "missing")  # fmt: skip
    (operator,) = [one for one in operators if one in rule]
    value, caseless, dated = rule[operator], rule.get("ignore_case", False), name in (
        "created_at", "last_interaction", "app_last_active")  # fmt: skip
    exact = rule.get("exact", name == "email" and rule.get("ignore_case") is False)
    if name in ("email", "number") and not exact and found is not None and operator not in ("exists", "missing"):
        return any(
            spelt(found, operator, one, name) for one in (value if operator in ("in", "not_in") else [value])
        ) ^ (operator in ("is_not", "not_in"))
    negated = {"is_not": "is", "not_in": "in", "missing": "exists"}
    if operator in negated:
        opposite = {**{k: v for k, v in rule.items() if k != operator}, negated[operator]: value}
        return not compares(found, opposite, now, name)
    if found is None:
        return False
    if operator == "exists":
        return True
    if operator == "in":
        return any(same(found, one, caseless, dated, now) for one in value)
    if operator == "is":
        return same(found, value, caseless, dated, now)
    if operator in ("contains", "starts_with", "ends_with"):
        if not isinstance(found, str):
            return False
        text, part = (fold(found), fold(value)) if caseless else (found, value)
        return {"contains": part in text, "starts_with": text.startswith(part), "ends_with": text.endswith(part)}[
            operator
        ]
    if operator == "between" and isinstance(value[0], str) and not (dated or all(map(day_of, value))):
        return isinstance(found, str) and value[0].encode() <= found.encode() <= value[1].encode()
    if operator == "between":
        return ordered(found, "gte", value[0], dated, now) and ordered(found, "lte", value[1], dated, now)
    return ordered(found, operator, value, dated, now)


def spelt(found: str, operator: str, value: Any, name: str) -> bool:
    """Whether it holds for what all spellings of an email or number share; where the value shares nothing, as written."""
    if operator == "between":
        return spelt(found, "gte", value[0], name) and spelt(found, "lte", value[1], name)
    key = (str.lower if name == "email" else digits)(value) if isinstance(value, str) else ""
    left, right = ((str.lower if name == "email" else digits)(found), key) if key else (found, value)
    operator = {"is_not": "is", "in": "is", "not_in": "is"}.get(operator, operator)
    return compares(left, {operator: right}, 0)


def digits(text: str) -> str:
    return "".join(one for one in text if one.isdigit())


def fold(text: str) -> str:
    return "".join(one.lower() if len(one.lower()) == 1 else one for one in text)


def kind(value: Any) -> str:
    return "boolean" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "text"


def moment(value: Any, now: int) -> int:
    return now - round(value["days_ago"] * DAY) if isinstance(value, dict) else dates.parse(value)


def same(found: Any, value: Any, caseless: bool, dated: bool, now: int) -> bool:
    if dated:
        return found == moment(value, now)
    if kind(found) != kind(value):
        return False
    if day_of(value):
        return between_days(found, "is", day_of(value))
    return fold(found) == fold(value) if caseless and isinstance(found, str) else found == value


def ordered(found: Any, sign: str, value: Any, dated: bool, now: int) -> bool:
    if dated:
        return stands(found, sign, moment(value, now))
    if isinstance(value, dict):
        return at_moment(found, sign, moment(value, now))
    if kind(found) != kind(value) or kind(found) == "boolean":
        return False
    if day_of(value):
        return between_days(found, sign, day_of(value))
    if isinstance(found, str):
        found, value = found.encode(), value.encode()
    return stands(found, sign, value)


def at_moment(found: Any, sign: str, milliseconds: int) -> bool:
    if kind(found) == "number":
        return stands(found * 1000 if abs(found) < 10**11 else found, sign, milliseconds)
    return between_days(found, sign, range(milliseconds, milliseconds + 1))


def day_of(text: Any) -> range:
    """The milliseconds that a date stands for, none where it is no date."""
    try:
        first = dates.parse(text) if isinstance(text, str) else None
    except ValueError:
        first = None
    return range(0) if first is None else range(first, first + (DAY if len(text) == 10 else 1))


def between_days(found: Any, sign: str, wanted: range) -> bool:
    """Whether what was found, if it is a date, is before, in or after the milliseconds wanted."""
    day = day_of(found)
    if not day:
        return False
    place = "lt" if day[-1] < wanted[0] else "gt" if day[0] > wanted[-1] else "is"
    return place in {"lte": ("lt", "is"), "gte": ("gt", "is")}.get(sign, (sign,))


def stands(left: Any, sign: str, right: Any) -> bool:
    return {"is": left == right, "lt": left < right, "lte": left <= right, "gt": left > right, "gte": left >= right}[
        sign
    ]


def happened(rule: dict[str, Any], user: dict[str, Any], now: int) -> bool:
    events = [one for one in user["events"] if matches(one, rule, now)]
    for name, pick in (("first", min), ("last", max)):
        if name in rule:
            ((sign, value),) = rule[name].items()
            times = [one["timestamp"] for one in events]
            return bool(times) and in_range(pick(times), sign, value, lambda one: moment(one, now))
    for name in ("sum", "avg", "min", "max"):
        if name in rule:
            return amounts(rule, name, events)
    ((sign, value),) = rule.get("count", {"gte": 1}).items()
    return stands(len(events), sign, value)


def in_range(found: Any, sign: str, value: Any, read: Any) -> bool:
    if sign == "between":
        return read(value[0]) <= found <= read(value[1])
    return stands(found, sign, read(value))


def matches(event: dict[str, Any], rule: dict[str, Any], now: int) -> bool:
    if event["event"] != rule["event"]:
        return False
    if "within" in rule and event["timestamp"] < now - round(rule["within"]["days"] * DAY):
        return False
    return all(
        compares(event["value"], one["value"], now) if "value" in one
        else compares(event["properties"].get(one["property"]), one, now)
        for one in rule.get("where", ())
    )  # fmt: skip


def amounts(rule: dict[str, Any], name: str, events: list[dict[str, Any]]) -> bool:
    key = rule[name]
    found = [one["value"] if key == "$value" else one["properties"].get(key) for one in events]
    numbers = [Fraction(Decimal(str(one))) for one in found if one is not None and kind(one) == "number"]
    if not numbers:
        return False
    total = sum(numbers)
    exact = {"sum": total, "avg": total / len(numbers), "min": min(numbers), "max": max(numbers)}[name]
    (sign,) = [one for one in ("is", "lt", "lte", "gt", "gte", "between") if one in rule]
    if name in ("sum", "avg"):
        return in_range(six_places(exact), sign, rule[sign], lambda one: six_places(Fraction(Decimal(str(one)))))
    return in_range(exact, sign, rule[sign], lambda one: Fraction(Decimal(str(one))))


def six_places(value: Fraction) -> Decimal:
    scaled = Decimal((value * 10**6).numerator) / Decimal((value * 10**6).denominator)
    return scaled.quantize(Decimal(1), ROUND_HALF_UP)
