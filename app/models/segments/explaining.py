"""Explain why a user is in a segment or not: every leaf of the rule with the value found, in one statement."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from app.domain import dates, rules
from app.models.database import Statement, db
from app.models.segments.compiling import Scope, aggregate_of, compile, happened, operand_of, time_of
from app.models.segments.conditions import Condition, bind
from app.models.users import load_flat


class Explanation(NamedTuple):
    """Whether the rule holds for the user, and its tree: `result` at every node, `found` at every leaf."""

    member: bool
    tree: dict[str, Any]


def explain(
    workspace: int, known: Mapping[str, dict[str, Any]], rule: dict[str, Any], uid: str, now: int
) -> Explanation | None:
    """Return why the rule holds for the user of that uid, None when there is no such user.

    known: the rules of the workspace's segments by their ids; those that the rule names are explained too.
    """
    scope = Scope(db.dialect, known)
    asked = [compile(scope, rule)]
    for leaf in _leaves(scope, rule):
        asked += [compile(scope, leaf), _found(scope, leaf)]
    columns = ", ".join(one.sql.replace("{row}", "users") for one in asked)
    text = f"SELECT {columns} FROM users WHERE users.workspace_id = ? AND users.uid = ?"
    values = bind([value for one in asked for value in one.values], now)
    rows = Statement(text)(*values, workspace, uid)
    return Explanation(bool(rows[0][0]), _tree(scope, rule, iter(rows[0][1:]))) if rows else None


def _leaves(scope: Scope, rule: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The leaves, with those of the segments that are named in the place of the name."""
    for leaf in rules.leaves(rule):
        if "segment" in leaf:
            yield from _leaves(scope, scope.known[leaf["segment"]])
        else:
            yield leaf


def _tree(scope: Scope, node: Mapping[str, Any], answers: Iterator[Any]) -> dict[str, Any]:
    for branch, holds in (("all", all), ("any", any)):
        if branch in node:
            children = [_tree(scope, one, answers) for one in node[branch]]
            return {branch: children, "result": holds(one["result"] for one in children)}
    if "not" in node:
        child = _tree(scope, node["not"], answers)
        return {"not": child, "result": not child["result"]}
    if "segment" in node:
        child = _tree(scope, scope.known[node["segment"]], answers)
        return {**node, "rule": child, "result": child["result"]}
    return {**node, "result": bool(next(answers)), "found": _shown(node, next(answers))}


def _found(scope: Scope, leaf: Mapping[str, Any]) -> Condition:
    """What the leaf looked at."""
    if "attribute" in leaf:
        return operand_of(scope, leaf).found
    if "event" in leaf:
        return _found_events(scope, leaf)
    if "is_account" in leaf:
        return Condition("{row}.is_account")
    kind = next(name for name in _ROWS if name in leaf)
    pairs, order, origin = _ROWS[kind]
    rows = scope.d.json_rows.format(pairs, order, origin)
    return Condition(rows, (leaf[kind],) if "?" in origin else ())


def _found_events(scope: Scope, leaf: Mapping[str, Any]) -> Condition:
    for name in ("first", "last"):
        if name in leaf:
            return time_of(scope, leaf, name)
    for name in rules.AGGREGATES:
        if name in leaf:
            return aggregate_of(scope, leaf, name)
    events = happened(scope, leaf)
    return Condition(f"(SELECT count(*) {events.sql})", events.values)


_ROWS = {  # leaf -> (name and value pairs), (order), (from and where) of the JSON of what was found
    "list": (
        "'status', place.status",
        "place.position",
        "subscriptions AS place WHERE place.workspace_id = {row}.workspace_id AND place.user_id = {row}.id "
        "AND place.list_id = ?",
    ),
    "account": (
        "'role', membership.role",
        "membership.position",
        "memberships AS membership JOIN users AS account ON account.workspace_id = membership.workspace_id "
        "AND account.id = membership.account_id WHERE membership.workspace_id = {row}.workspace_id "
        "AND membership.user_id = {row}.id AND account.uid = ?",
    ),
    "device": (
        "'platform', device.platform",
        "device.position",
        "devices AS device WHERE device.workspace_id = {row}.workspace_id AND device.user_id = {row}.id",
    ),
}


def _shown(leaf: Mapping[str, Any], found: Any) -> Any:
    """What was found, as JSON shows it."""
    if found is None:
        return None
    if "attribute" in leaf:
        return _shown_attribute(leaf["attribute"], found)
    if "event" in leaf:
        return _shown_events(leaf, found)
    return bool(found) if "is_account" in leaf else _shown_rows(leaf, orjson.loads(found))


def _shown_events(leaf: Mapping[str, Any], found: Any) -> Any:
    if "first" in leaf or "last" in leaf:
        return dates.render(found)
    return float(found) if isinstance(found, Decimal) else found


def _shown_rows(leaf: Mapping[str, Any], rows: list[dict[str, Any]]) -> Any:
    if "device" in leaf:
        return [one["platform"] for one in rows]
    return (rows[0]["status"] if "list" in leaf else rows[0]) if rows else None


def _shown_attribute(name: str, found: Any) -> Any:
    kind = rules.kind_of(name)
    if kind == rules.ANY:
        return load_flat(f'{{"v":{found}}}')["v"]
    if kind == rules.DATE:
        return dates.render(found)
    return bool(found) if kind == rules.BOOLEAN else found
