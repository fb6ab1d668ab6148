"""The operands of a comparison: a column of the user, or a JSON value whose type differs from row to row.

Each kind answers the same questions: equal to a value, before or after it, having a text in it, there at all. A value
of another type is neither equal nor before nor after (docs/segments.md).
"""

from typing import Any, NamedTuple

from app.domain import dates, rules
from app.models.dialects import BYTE_BY_BYTE, Dialect
from app.models.segments.caseless import fold, folded
from app.models.segments.conditions import FALSE, TRUE, Condition, both, days_ago, either, unsure
from app.models.segments.moments import stands
from app.models.users.rows import dump, json_path

_SIGNS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "is": "="}
_FIRST_MILLISECONDS = "100000000000"  # a number of meta below it counts seconds, as in app/domain/dates.py
_COLUMNS = {
    "archived": "({row}.archived_at IS NOT NULL)",
    "member_count": "CASE WHEN {row}.is_account THEN {row}.member_count END",
}
_KEYS = {"email": "{row}.email_key", "number": "{row}.number_digits"}  # the indexed columns of rules.SPELLINGS


def kind_of(value: Any) -> str:
    """Return the kind of a value of a rule."""
    if isinstance(value, dict):
        return rules.DATE
    if isinstance(value, bool):
        return rules.BOOLEAN
    return rules.TEXT if isinstance(value, str) else rules.NUMBER


def moment(value: Any) -> Any:
    """Return a date of a rule as epoch milliseconds, or as so long ago."""
    return days_ago(value["days_ago"]) if isinstance(value, dict) else dates.parse(value)


class Column(NamedTuple):
    """A column of the user. exact: whether an email or number is compared as it is spelt."""

    d: Dialect
    name: str
    kind: str
    exact: bool = False

    @property
    def found(self) -> Condition:
        """The value itself."""
        return Condition(_COLUMNS.get(self.name, f"{{row}}.{self.name}"))

    def equals(self, value: Any, ignore_case: bool = False) -> Condition:
        """Return whether it is the value."""
        if self.kind == rules.DATE:
            return unsure(f"{self.found.sql} = ?", moment(value))
        if kind_of(value) != self.kind:
            return FALSE
        if ignore_case and self.kind == rules.TEXT:
            return self.matches("is", value, ignore_case)
        column, wanted = self._spelling(value)
        if self.exact:  # by the index of all its spellings
            return unsure(f"({_KEYS[self.name]} = ? AND {column} = ?)", rules.SPELLINGS[self.name](value), wanted)
        return unsure(f"{column} = ?", wanted)

    def compares(self, sign: str, value: Any) -> Condition:
        """Return whether it stands so to the value."""
        if self.kind == rules.DATE:
            return unsure(f"{self.found.sql} {_SIGNS[sign]} ?", moment(value))
        if kind_of(value) != self.kind or self.kind == rules.BOOLEAN:
            return FALSE
        column, wanted = self._spelling(value)
        return unsure(f"{_ordered(self.d, column, self.kind)} {_SIGNS[sign]} ?", wanted)

    def between(self, least: Any, greatest: Any) -> Condition:
        """Return whether it is one of the two or lies between them."""
        return both([self.compares("gte", least), self.compares("lte", greatest)])

    def matches(self, how: str, wanted: str, ignore_case: bool) -> Condition:
        """Return whether the text contains, starts with, ends with or is what is wanted."""
        if self.kind != rules.TEXT:
            return FALSE
        column, key = self._spelling(wanted)
        return _matches(self.d, Condition(column), how, key, ignore_case and column not in _KEYS.values())

    def _spelling(self, value: Any) -> tuple[str, Any]:
        """What is compared, and with what: the key of all spellings, unless the value has none, as a number "-"."""
        if self.name in _KEYS and not self.exact and (key := rules.SPELLINGS[self.name](value)):
            return _KEYS[self.name], key
        return self.found.sql, value

    def exists(self) -> Condition:
        """Return whether there is one."""
        return TRUE if self.kind == rules.BOOLEAN else Condition(f"({self.found.sql}) IS NOT NULL")


class Json(NamedTuple):
    """A value in JSON. column: of an object, or of the value itself where there is no key."""

    d: Dialect
    column: str
    key: str | None

    @property
    def _place(self) -> str:
        return "$" if self.key is None else json_path(self.key)

    @property
    def found(self) -> Condition:
        """The value as JSON text."""
        if self.d.name == "sqlite":
            return Condition(f"({self.column} -> ?)", (self._place,))
        one = self._value
        return one._replace(sql=f"({one.sql})::text")

    @property
    def _value(self) -> Condition:
        """On Postgres the value as JSON, on SQLite as what it is."""
        if self.d.name == "sqlite":
            return Condition(f"json_extract({self.column}, ?)", (self._place,))
        return Condition(self.column) if self.key is None else Condition(f"({self.column}->?::text)", (self.key,))

    @property
    def _text(self) -> Condition:
        if self.d.name == "sqlite":
            return self._value
        one = self._value
        return one._replace(sql=f"({one.sql} #>> '{{}}')")

    @property
    def number(self) -> Condition:
        """The number, NULL where it is none."""
        kind, value = self._is(rules.NUMBER), self._value
        cast = "" if self.d.name == "sqlite" else "::numeric"
        return unsure(f"CASE WHEN {kind.sql} THEN ({value.sql}){cast} END", *kind.values, *value.values)

    def _is(self, kind: str) -> Condition:
        if self.d.name == "sqlite":
            names = {rules.TEXT: "'text'", rules.NUMBER: "'integer', 'real'", rules.BOOLEAN: "'true', 'false'"}
            return unsure(f"json_type({self.column}, ?) IN ({names[kind]})", self._place)
        names = {rules.TEXT: "string", rules.NUMBER: "number", rules.BOOLEAN: "boolean"}
        one = self._value
        return unsure(f"jsonb_typeof({one.sql}) = '{names[kind]}'", *one.values)

    def equals(self, value: Any, ignore_case: bool = False) -> Condition:
        """Return whether it is the value: in Postgres' meta by its index, but for a date, which has many spellings."""
        if span := _span(value):
            return stands(self.d, self._text, "is", span)
        if ignore_case and isinstance(value, str):
            return self.matches("is", value, ignore_case)
        if self.d.name == "sqlite":
            if isinstance(value, bool):
                return unsure(f"json_type({self.column}, ?) = '{str(value).lower()}'", self._place)
            return self._of_kind(kind_of(value), "=", value)
        if self.key is None:
            return unsure(f"{self.column} = ?::jsonb", dump(value))
        return Condition(f"{self.column} @> ?::jsonb", (dump({self.key: value}),))

    def compares(self, sign: str, value: Any) -> Condition:
        """Return whether it stands so to the value; a date in the rule is compared with dates alone."""
        kind = kind_of(value)
        if kind == rules.BOOLEAN:
            return FALSE
        if span := _span(value):
            dated = stands(self.d, self._text, sign, span)
            return either([dated, self._epoch(_SIGNS[sign], span[0])]) if kind == rules.DATE else dated
        return self._of_kind(kind, _SIGNS[sign], value)

    def between(self, least: Any, greatest: Any) -> Condition:
        """Return whether it is one of the two or lies between them; two texts are dates only if both are."""
        if isinstance(least, str) and not (_span(least) and _span(greatest)):
            return both([self._of_kind(rules.TEXT, ">=", least), self._of_kind(rules.TEXT, "<=", greatest)])
        return both([self.compares("gte", least), self.compares("lte", greatest)])

    def _of_kind(self, kind: str, sign: str, value: Any) -> Condition:
        is_kind = self._is(kind)
        if kind == rules.TEXT:
            text = self._text
            right = Condition("?", (value,))
            left = text._replace(sql=_ordered(self.d, text.sql, kind))
        else:
            left, right = self._value, _number(self.d, value)
        return unsure(
            f"({is_kind.sql} AND {left.sql} {sign} {right.sql})", *is_kind.values, *left.values, *right.values
        )

    def _epoch(self, sign: str, milliseconds: Any) -> Condition:
        """Whether it is a number of seconds or milliseconds that stands so to the moment."""
        number = self.number
        return unsure(
            f"(CASE WHEN abs({number.sql}) < {_FIRST_MILLISECONDS} THEN 1000 ELSE 1 END * {number.sql} {sign} ?)",
            *number.values, *number.values, milliseconds,
        )  # fmt: skip

    def matches(self, how: str, wanted: str, ignore_case: bool) -> Condition:
        """Return whether it is a text that contains, starts with, ends with or is what is wanted."""
        is_text, found = self._is(rules.TEXT), _matches(self.d, self._text, how, wanted, ignore_case)
        return unsure(f"({is_text.sql} AND {found.sql})", *is_text.values, *found.values)

    def exists(self) -> Condition:
        """Return whether there is one."""
        one = self.found
        return Condition(f"{one.sql} IS NOT NULL", one.values)


def _span(value: Any) -> tuple[Any, Any] | None:
    """The first and last millisecond of a date in a rule, None where it is none."""
    if isinstance(value, dict):
        return moment(value), moment(value)
    return dates.span(value) if isinstance(value, str) else None


def _ordered(d: Dialect, sql: str, kind: str) -> str:
    return f"{sql} {BYTE_BY_BYTE}" if d.name == "postgres" and kind == rules.TEXT else sql


def _number(d: Dialect, value: float) -> Condition:
    """A number as the database reads those that are stored: SQLite rounds some texts to another float than Python."""
    if d.name == "postgres":
        return Condition("?::jsonb", (dump(value),))
    return Condition("json_extract(?, '$')", (dump(value),)) if isinstance(value, float) else Condition("?", (value,))


def _matches(d: Dialect, stored: Condition, how: str, wanted: str, ignore_case: bool) -> Condition:
    if ignore_case:
        wanted = fold(wanted)
        stored = folded(d, stored, wanted)
    sql, values = stored.sql, stored.values
    if how == "is":
        return unsure(f"{sql} = ?", *values, wanted)
    if how == "contains":
        return unsure(f"{'instr' if d.name == 'sqlite' else 'strpos'}({sql}, ?) > 0", *values, wanted)
    if how == "starts_with":
        return unsure(f"substr({sql}, 1, ?) = ?", *values, len(wanted), wanted)
    end = f"substr({sql}, -?)" if d.name == "sqlite" else f"right({sql}, ?)"
    return unsure(f"{end} = ?", *values, len(wanted), wanted)
