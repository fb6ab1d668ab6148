"""People and rules by chance, of few words each, so that rules meet people."""

from random import Random
from typing import Any

from app.domain import rules
from app.schemas.rules.spans import is_reversed

NOW = 1_790_000_000_000  # epoch milliseconds
DAY = 86_400_000
TEXTS = (
    "pro", "Pro", "PRO", "free", "", "É", "é", "strasse", "STRASSE", "straße", "İ", "K", "kelvin", "a%b_c", "x'y\"z\\", "10",
    "true", "2026-09-01", "2026-08-20T10:00:00Z", "2026-99", "2026-09-01T02:00:00+09:00", "2026-08-31 17:00", "2026-08-31t17:00:00.5z", "2026-08-20", "2026-02-30", "\u2028", "😀", "?", "{row}", "%s", "Σίσυφος", "σίσυφος",
)  # fmt: skip
NUMBERS = (0, 1, -1, 10, 10.5, 0.1, 0.30000000000000004, 1e300, -1e300, 2**53 - 1, 1_789_000_000, NOW - 3 * DAY, 1e-9)
KEYS = ("plan", "age", 'k.e"y', "é", "$x", "?", "{row}", "a'b", "c\\d", "%s", "[0]")
EVENTS = ("Paid", "paid", "Seen", "O'Brien; DROP TABLE users")
PROPERTIES = ("amount", "cur", 'p"q', "?")
LISTS, ACCOUNTS, ROLES = 3, 3, ("owner", "Admin")
COLUMNS = ("uid", "first_name", "last_name", "email", "number", "tz", "app_version")
EMAILS = ("a@example.com", "A@Example.com", "b@x.io", "k@x.io")
NUMBERS_SPELT = ("+234 803 123 4567", "2348031234567", "234-803-1234567", "+1 (202) 555-0123", "()")
COMMON = (*EMAILS, "Africa/Lagos", "+234 803 123 4567", "1.0", "u7")
TIMED = ("created_at", "last_interaction", "app_last_active")


def scalar(chance: Random) -> Any:
    return chance.choice((chance.choice(TEXTS), chance.choice(NUMBERS), chance.random() < 0.5))


def flat(chance: Random, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: scalar(chance) for key in keys if chance.random() < 0.4}


def event(chance: Random) -> dict[str, Any]:
    properties = flat(chance, PROPERTIES)
    if chance.random() < 0.6:
        properties["amount"] = chance.choice((round(chance.uniform(-50, 100), 2), chance.randrange(100)))
    properties = {key: value for key, value in properties.items() if not huge(value)}
    value = scalar(chance) if chance.random() < 0.5 else None
    return {
        "event": chance.choice(EVENTS), "timestamp": NOW - chance.randrange(60 * DAY),
        "properties": properties, "value": None if huge(value) else value,
    }  # fmt: skip


def huge(value: Any) -> bool:
    """Whether a sum with it would differ by the order of adding."""
    return isinstance(value, int | float) and abs(value) > 10**6


def fields(chance: Random) -> dict[str, Any]:
    """The fields of a user that go in one table."""
    found = {name: chance.choice(TEXTS) for name in ("first_name", "last_name") if chance.random() < 0.5}
    found |= {"email": chance.choice(EMAILS)} if chance.random() < 0.6 else {}
    found |= {"number": chance.choice(NUMBERS_SPELT[:4])} if chance.random() < 0.4 else {}
    found |= {"tz": "Africa/Lagos"} if chance.random() < 0.3 else {}
    found |= {"app_version": chance.choice(("1.0", "2.0"))} if chance.random() < 0.3 else {}
    found |= {"app_last_active": NOW - chance.randrange(60) * DAY} if chance.random() < 0.3 else {}
    return {**found, "created_at": NOW - chance.randrange(60) * DAY, "meta": flat(chance, KEYS)}


def rule(chance: Random, lists: list[str], accounts: list[str], segments: list[str], depth: int = 3) -> dict[str, Any]:
    """A rule of a few leaves."""
    if depth > 1 and chance.random() < 0.55:
        children = [rule(chance, lists, accounts, segments, depth - 1) for _ in range(chance.choice((0, 1, 2, 2, 3)))]
        return chance.choice(({"all": children}, {"any": children}, {"not": children[0] if children else {"any": []}}))
    return leaf(chance, lists, accounts, segments)


def leaf(chance: Random, lists: list[str], accounts: list[str], segments: list[str]) -> dict[str, Any]:
    kind = chance.choice(("meta", "meta", "column", "spelt", "dated", "event", "event", "amount", "moment", "other"))
    if kind == "meta":
        return {"attribute": f"meta.{chance.choice(KEYS)}", **comparison(chance)}
    if kind == "column":
        name = chance.choice((*COLUMNS, "is_account", "archived", "member_count", "uid_updateable"))
        return {"attribute": name, **comparison(chance, COMMON, name)}
    if kind == "spelt":
        name, spellings = chance.choice((("email", EMAILS), ("number", NUMBERS_SPELT)))
        exact = {"exact": chance.random() < 0.7} if chance.random() < 0.4 else {}
        found = {"attribute": name, **comparison(chance, spellings, "" if exact.get("exact") else name)}
        if exact and "exists" not in found and "missing" not in found:
            return {key: value for key, value in found.items() if key != "ignore_case"} | exact
        return found
    if kind == "dated":
        return {"attribute": chance.choice(TIMED), **dated(chance)}
    if kind in ("event", "amount", "moment"):
        return happening(chance, kind)
    return chance.choice((
        {"list": chance.choice(lists), **chance.choice(({}, {"subscribed": True}, {"subscribed": False}))},
        {"account": chance.choice([*accounts, "nobody"]), **chance.choice(({}, {"role": chance.choice(ROLES)}))},
        {"is_account": chance.random() < 0.5}, {"device": chance.choice(("ios", "android"))},
        *([{"segment": chance.choice(segments)}] if segments else []),
    ))  # fmt: skip


def comparison(chance: Random, more: tuple[str, ...] = (), name: str = "") -> dict[str, Any]:
    """A comparison. more: what its values are taken from, too. name: of an attribute that orders texts in its own way."""

    def value() -> Any:
        return chance.choice(more) if more and chance.random() < 0.7 else scalar(chance)

    operator = chance.choice((
        "is", "is", "is_not", "in", "not_in", "contains", "starts_with", "ends_with", "lt", "lte", "gt", "gte", "between",
        "exists", "missing",
    ))  # fmt: skip
    text = str(chance.choice([one for one in (*TEXTS, *more) if one]))
    caseless = {"ignore_case": chance.random() < 0.7} if chance.random() < 0.5 else {}
    if operator in ("is", "is_not"):
        return {operator: value(), **caseless}
    if operator in ("in", "not_in"):
        return {operator: [value() for _ in range(chance.randrange(1, 4))], **caseless}
    if operator in ("contains", "starts_with", "ends_with"):
        start = chance.randrange(len(text))
        return {operator: text[start : start + chance.randrange(1, 4)], **caseless}
    if operator in ("exists", "missing"):
        return {operator: True}
    pool = chance.choice((TEXTS, NUMBERS, None))
    bounds = [chance.choice(pool) if pool else {"days_ago": chance.randrange(-5, 40)} for _ in "12"]
    kind, spelling = (rules.TEXT, rules.SPELLINGS.get(name, str)) if more else (rules.ANY, str)
    return {operator: in_order(bounds, kind, spelling) if operator == "between" else bounds[0]}


def in_order(bounds: list[Any], kind: str, spelling: Any = str) -> list[Any]:
    return bounds[::-1] if is_reversed(bounds, kind, spelling) else bounds


def dated(chance: Random) -> dict[str, Any]:
    def value() -> Any:
        number = chance.randrange(60)
        return chance.choice(({"days_ago": number}, NOW - number * DAY, "2026-08-15", (NOW - number * DAY) // 1000))

    operator = chance.choice(
        ("is", "is_not", "lt", "lte", "gt", "gte", "between", "exists", "missing", "in", "contains")
    )
    wanted: dict[str, Any] = {
        "between": in_order([value(), value()], rules.DATE),
        "in": [value(), value()],
        "contains": "2026",
    }
    return {operator: True if operator in ("exists", "missing") else wanted.get(operator, value())}


def happening(chance: Random, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {"event": chance.choice(EVENTS)}
    if chance.random() < 0.4:
        found["within"] = {"days": chance.choice((7, 30, 0.5))}
    if chance.random() < 0.4:
        found["where"] = [where(chance) for _ in range(chance.randrange(3))]
    sign = chance.choice(("is", "lt", "lte", "gt", "gte"))
    if kind == "event":
        return {**found, **({"count": {sign: chance.randrange(4)}} if chance.random() < 0.8 else {})}
    if kind == "moment":
        asked = chance.choice(({"days_ago": 20}, "2026-08-15", NOW - 10 * DAY))
        spans = {"between": [{"days_ago": 40}, {"days_ago": 5}]}
        return {**found, chance.choice(("first", "last")): chance.choice(({sign: asked}, spans))}
    amount = chance.choice((0, 10, 50.25, chance.randrange(100)))
    key = chance.choice(("amount", "amount", "cur", "$value"))
    span = {"between": [0, 60.5]}
    return {**found, chance.choice(("sum", "avg", "min", "max")): key, **chance.choice(({sign: amount}, span))}


def where(chance: Random) -> dict[str, Any]:
    if chance.random() < 0.3:
        return {"value": comparison(chance)}
    return {"property": chance.choice(PROPERTIES), **comparison(chance)}
