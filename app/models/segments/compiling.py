"""Compile a rule into one SQL condition on a user; docs/segments.md defines each part."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from app.domain import rules
from app.domain.consent import SUBSCRIBED
from app.models.dialects import Dialect
from app.models.segments.conditions import FALSE, TRUE, Condition, both, days_ago, either, negate, unsure
from app.models.segments.operands import Column, Json, moment
from app.models.users.rows import dump

_SIGNS = {"is": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_PLACES = 6  # digits behind the point to which sums and averages are compared: both databases agree that far
# Counts that ask whether there is any at all, which needs no counting.
_ANY = {("gte", 1): True, ("gt", 0): True, ("is", 0): False, ("lt", 1): False, ("lte", 0): False}


class Scope(NamedTuple):
    """What a rule is compiled with: the database, and the rules of all segments of the workspace by their ids."""

    d: Dialect
    known: Mapping[str, dict[str, Any]]


def compile(scope: Scope, node: Mapping[str, Any]) -> Condition:
    """Return the condition that the rule holds for the user whose alias is `{row}`."""
    if "all" in node:
        return both([compile(scope, one) for one in node["all"]])
    if "any" in node:
        return either([compile(scope, one) for one in node["any"]])
    if "not" in node:
        return negate(compile(scope, node["not"]))
    return next(make(scope, node) for name, make in _LEAVES.items() if name in node)


def compare(operand: Column | Json, leaf: Mapping[str, Any]) -> Condition:
    """Return the condition that a comparison of a rule holds."""
    operator = next(name for name in rules.OPERATORS if name in leaf)
    positive = rules.NEGATIONS.get(operator, operator)
    found = _compare(operand, positive, leaf[operator], bool(leaf.get("ignore_case")))
    return found if positive == operator else negate(found)


def _compare(operand: Column | Json, operator: str, value: Any, ignore_case: bool) -> Condition:
    if operator == "exists":
        return operand.exists()
    if operator == "in":
        return either([_compare(operand, "is", one, ignore_case) for one in value])
    if operator == "between":
        return operand.between(*value)
    if operator in rules.SUBSTRINGS:
        return operand.matches(operator, value, ignore_case)
    return operand.equals(value, ignore_case) if operator == "is" else operand.compares(operator, value)


def operand_of(scope: Scope, leaf: Mapping[str, Any]) -> Column | Json:
    """Return what the attribute of a leaf is compared as."""
    attribute = leaf["attribute"]
    if attribute.startswith(rules.META):
        return Json(scope.d, "{row}.meta", attribute.removeprefix(rules.META))
    return Column(
        scope.d, attribute, rules.ATTRIBUTES[attribute], attribute in rules.SPELLINGS and rules.is_exact(leaf)
    )


def _attribute(scope: Scope, leaf: Mapping[str, Any]) -> Condition:
    return compare(operand_of(scope, leaf), leaf)


# ---- events -------------------------------------------------------------------------------------------------------


def happened(scope: Scope, leaf: Mapping[str, Any]) -> Condition:
    """Return FROM and WHERE of the events that a leaf is about."""
    conditions = [
        Condition("events.workspace_id = {row}.workspace_id AND events.user_id = {row}.id"),
        Condition("events.event = ?", (leaf["event"],)),
    ]
    if "within" in leaf:
        conditions.append(Condition("events.timestamp >= ?", (days_ago(leaf["within"]["days"]),)))
    conditions += [_where(scope, one) for one in leaf.get("where", ())]
    found = both(conditions)
    return found._replace(sql=f"FROM events WHERE {found.sql[1:-1]}")


def _where(scope: Scope, one: Mapping[str, Any]) -> Condition:
    if "value" in one:
        return compare(Json(scope.d, "events.value", None), one["value"])
    return compare(Json(scope.d, "events.properties", one["property"]), one)


def _event(scope: Scope, leaf: Mapping[str, Any]) -> Condition:
    events = happened(scope, leaf)
    for name in ("first", "last"):
        if name in leaf:
            return _moment(scope, leaf, name)
    for name in rules.AGGREGATES:
        if name in leaf:
            return _aggregate(scope, leaf, name)
    ((operator, number),) = leaf.get("count", {"gte": 1}).items()
    if (operator, number) in _ANY:
        any_of_them = Condition(f"EXISTS (SELECT 1 {events.sql})", events.values)
        return any_of_them if _ANY[operator, number] else negate(any_of_them)
    return Condition(f"(SELECT count(*) {events.sql}) {_SIGNS[operator]} ?", (*events.values, int(number)))


def time_of(scope: Scope, leaf: Mapping[str, Any], name: str) -> Condition:
    """Return the time of the first or last event of a leaf, NULL where there is none."""
    events = happened(scope, leaf)
    function = {"first": "min", "last": "max"}[name]
    return unsure(f"(SELECT {function}(events.timestamp) {events.sql})", *events.values)


def _moment(scope: Scope, leaf: Mapping[str, Any], name: str) -> Condition:
    ((operator, value),) = leaf[name].items()
    found = time_of(scope, leaf, name)
    pairs = zip(("gte", "lte"), value, strict=True) if operator == "between" else [(operator, value)]
    return both([unsure(f"{found.sql} {_SIGNS[sign]} ?", *found.values, moment(one)) for sign, one in pairs])


def aggregate_of(scope: Scope, leaf: Mapping[str, Any], name: str) -> Condition:
    """Return the sum, avg, min or max of a property over the events of a leaf, NULL where no value is a number."""
    key = leaf[name]
    own = Json(scope.d, "events.value", None)
    number = (own if key == rules.OWN_VALUE else Json(scope.d, "events.properties", key)).number
    # As a float: SQLite's sum of integers ends in an error where it overflows.
    sql = f"{number.sql} * 1.0" if scope.d.name == "sqlite" and name == "sum" else number.sql
    sql = f"round({name}({sql}), {_PLACES})" if name in ("sum", "avg") else f"{name}({sql})"
    events = happened(scope, leaf)
    return unsure(f"(SELECT {sql} {events.sql})", *number.values, *events.values)


def _aggregate(scope: Scope, leaf: Mapping[str, Any], name: str) -> Condition:
    operator = next(one for one in (*rules.COUNTS, "between") if one in leaf)
    found, value = aggregate_of(scope, leaf, name), leaf[operator]
    pairs = zip(("gte", "lte"), value, strict=True) if operator == "between" else [(operator, value)]
    wanted = [(sign, _amount(scope.d, one, rounded=name in ("sum", "avg"))) for sign, one in pairs]
    return both([unsure(f"{found.sql} {_SIGNS[sign]} {one.sql}", *found.values, *one.values) for sign, one in wanted])


def _amount(d: Dialect, value: float, rounded: bool) -> Condition:
    exact = Decimal(str(value))
    if rounded and abs(exact) < 10**15:  # a float beyond has no such digits
        exact = exact.quantize(Decimal(1).scaleb(-_PLACES), ROUND_HALF_UP)
    if d.name == "postgres":
        return Condition("?::numeric", (str(exact),))
    return Condition("json_extract(?, '$')", (dump(float(exact)),))


# ---- lists, accounts, devices, segments ---------------------------------------------------------------------------


def _list(scope: Scope, leaf: Mapping[str, Any]) -> Condition:
    place = (
        "EXISTS (SELECT 1 FROM subscriptions AS place WHERE place.workspace_id = {row}.workspace_id "
        "AND place.user_id = {row}.id AND place.list_id = ?"
    )
    if "subscribed" not in leaf:
        return Condition(f"{place})", (leaf["list"],))
    sign = "=" if leaf["subscribed"] else "<>"
    return Condition(f"{place} AND place.status {sign} ?)", (leaf["list"], SUBSCRIBED))


def _account(scope: Scope, leaf: Mapping[str, Any]) -> Condition:
    role = " AND membership.role = ?" if "role" in leaf else ""
    return Condition(
        "EXISTS (SELECT 1 FROM memberships AS membership JOIN users AS account "
        "ON account.workspace_id = membership.workspace_id AND account.id = membership.account_id "
        "WHERE membership.workspace_id = {row}.workspace_id AND membership.user_id = {row}.id "
        f"AND account.uid = ?{role})",
        (leaf["account"], *([leaf["role"]] if role else [])),
    )


def _is_account(scope: Scope, leaf: Mapping[str, Any]) -> Condition:
    return Condition("{row}.is_account = ?", (leaf["is_account"],))


def _device(scope: Scope, leaf: Mapping[str, Any]) -> Condition:
    return Condition(
        "EXISTS (SELECT 1 FROM devices AS device WHERE device.workspace_id = {row}.workspace_id "
        "AND device.user_id = {row}.id AND device.platform = ?)",
        (leaf["device"],),
    )


def _segment(scope: Scope, leaf: Mapping[str, Any]) -> Condition:
    if leaf["segment"] == rules.EVERYBODY:
        return TRUE
    return compile(scope, scope.known[leaf["segment"]]) if leaf["segment"] in scope.known else FALSE


_LEAVES = {
    "attribute": _attribute, "event": _event, "list": _list, "account": _account, "is_account": _is_account,
    "device": _device, "segment": _segment,
}  # fmt: skip
