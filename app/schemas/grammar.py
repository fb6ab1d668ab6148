"""The rule grammar as JSON Schema, for OpenAPI; app/schemas/rules decides."""

from collections.abc import Iterable
from typing import Any

from app.domain import ids, rules, uids
from app.schemas.fields import MAX_META_VALUE, MAX_NAME
from app.schemas.rules import MAX_COUNT, MAX_EVENT_NAME
from app.schemas.users import PLATFORMS

_RULE = {"$ref": "#/components/schemas/Rule"}
_EXAMPLE = {
    "all": [
        {"attribute": "meta.plan", "is": "pro"},
        {"event": "Paid", "count": {"gte": 3}, "within": {"days": 30}, "where": [{"property": "cur", "is": "USD"}]},
    ]
}
_TEXT = {"type": "string", "maxLength": MAX_META_VALUE}
_NUMBER = {"type": "number"}
_SCALAR, _BOUND, _DAYS_AGO = ({"$ref": f"#/components/schemas/Rule{name}"} for name in ("Scalar", "Bound", "DaysAgo"))
_SPAN = {"minItems": 2, "maxItems": 2, "description": "The least end, then the greatest."}
_ID = {"type": "string", "pattern": ids.PATTERN}
_NAME = {"type": "string", "minLength": 1, "maxLength": MAX_NAME}


def documents() -> dict[str, dict[str, Any]]:
    """Return the schemas of the grammar by their names: that of a rule, and what stands in it in many places."""
    return {
        "Rule": _rule(),
        "RuleWhere": _where(),
        "RuleWithin": _within(),
        "RuleScalar": {**_either(_TEXT, _NUMBER, {"type": "boolean"}), "description": "A value.", "example": "pro"},
        "RuleBound": {
            **_either(_TEXT, _NUMBER, _DAYS_AGO),
            "description": "What comes before or after.",
            "example": 100,
        },
        "RuleDaysAgo": _days_ago(),
    }


def _either(*schemas: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": list(schemas)}


def _days_ago() -> dict[str, Any]:
    days = {"type": "number", "minimum": -rules.MAX_DAYS, "maximum": rules.MAX_DAYS}
    return {**_shape({"days_ago": days}), "description": "A moment.", "example": {"days_ago": 30}}


def _rule() -> dict[str, Any]:
    return {
        "description": "A question about a user: a tree of `all`, `any` and `not`, to a depth of "
        f"{rules.MAX_DEPTH} and {rules.MAX_LEAVES} leaves. docs/segments.md explains it.",
        "anyOf": [
            *_branches(),
            *_comparisons("attribute", _attribute_name()),
            *_exact_comparisons(),
            *_events(),
            *_memberships(),
        ],
        "example": _EXAMPLE,
    }


def _shape(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    return {
        "type": "object", "properties": properties, "required": list(required), "additionalProperties": False,
    }  # fmt: skip


def _branches() -> list[dict[str, Any]]:
    several = {"type": "array", "items": _RULE}
    return [_shape({"all": several}), _shape({"any": several}), _shape({"not": _RULE})]


def _attribute_name() -> dict[str, Any]:
    return {"anyOf": [{"type": "string", "enum": list(rules.ATTRIBUTES)},
                      {"type": "string", "pattern": r"^meta\.", "minLength": 6, "maxLength": 133}]}  # fmt: skip


def _comparisons(subject: str | None, name: dict[str, Any]) -> list[dict[str, Any]]:
    named = {subject: name} if subject else {}
    caseless = {"ignore_case": {"type": "boolean"}}
    return [
        _shape({**named, operator: value}, caseless if operator in rules.CASELESS else None)
        for operator, value in _values().items()
    ]


def _exact_comparisons() -> list[dict[str, Any]]:
    name = {"type": "string", "enum": list(rules.SPELLINGS)}
    exact = {
        "type": "boolean",
        "description": "Whether capitals of an email and punctuation of a number count.",
    }
    return [
        _shape({"attribute": name, operator: value, "exact": exact})
        for operator, value in _values().items()
        if operator in rules.EXACT
    ]


def _values() -> dict[str, dict[str, Any]]:
    several = {"type": "array", "items": {"anyOf": [_SCALAR, _DAYS_AGO]}, "minItems": 1, "maxItems": rules.MAX_VALUES}
    span = {"type": "array", "items": _BOUND, **_SPAN}
    return {
        **_each(rules.EQUALITY, {"anyOf": [_SCALAR, _DAYS_AGO]}),
        **_each(rules.LISTS, several),
        **_each(rules.SUBSTRINGS, {**_TEXT, "minLength": 1}),
        **_each(rules.ORDER, _BOUND),
        "between": span,
        **_each(rules.PRESENCE, {"type": "boolean", "enum": [True]}),
    }


def _each(names: Iterable[str], schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict.fromkeys(names, schema)


def _events() -> list[dict[str, Any]]:
    event = {"event": {"type": "string", "minLength": 1, "maxLength": MAX_EVENT_NAME}}
    more = {name: {"$ref": f"#/components/schemas/Rule{name.capitalize()}"} for name in ("within", "where")}
    count = {"type": "integer", "minimum": 0, "maximum": MAX_COUNT}
    moments = {**_each(rules.COUNTS, _BOUND), "between": _values()["between"]}
    amounts = {
        **_each(rules.COUNTS, _NUMBER),
        "between": {"type": "array", "items": _NUMBER, **_SPAN},
    }
    return [
        _shape(event, more),
        _shape({**event, "count": {"anyOf": [_shape({one: count}) for one in rules.COUNTS]}}, more),
        *(
            _shape({**event, name: {"anyOf": [_shape({one: value}) for one, value in moments.items()]}}, more)
            for name in ("first", "last")
        ),
        *(
            _shape({**event, name: _NAME, one: value}, more)
            for name in rules.AGGREGATES
            for one, value in amounts.items()
        ),
    ]


def _within() -> dict[str, Any]:
    days = {"days": {"type": "number", "minimum": 0, "maximum": rules.MAX_DAYS}}
    return {**_shape(days), "description": "Only events of so many days up to now.", "example": {"days": 30}}


def _where() -> dict[str, Any]:
    one = [*_comparisons("property", _NAME), _shape({"value": {"anyOf": _comparisons(None, {})}})]
    return {
        "type": "array", "items": {"anyOf": one}, "maxItems": rules.MAX_WHERE,
        "description": "Only events of which all this is true.", "example": [{"property": "cur", "is": "USD"}],
    }  # fmt: skip


def _memberships() -> list[dict[str, Any]]:
    uid, role = {"type": "string", "pattern": uids.PATTERN}, {"type": "string", "maxLength": MAX_NAME}
    return [
        _shape({"list": _ID}, {"subscribed": {"type": "boolean"}}),
        _shape({"account": uid}, {"role": role}),
        _shape({"is_account": {"type": "boolean"}}),
        _shape({"device": {"type": "string", "enum": list(PLATFORMS)}}),
        _shape({"segment": _ID}),
    ]
