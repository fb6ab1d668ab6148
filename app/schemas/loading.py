"""Loads bodies column by column, which takes a fifth of the time of their schemas; the fields say how (fields.py).

A body of which one value is not surely right is left to its schema, which alone says what is wrong: None is the answer
then. A property test holds both to the same (tests/schemas/test_loading.py). Bodies come from `strict_json.loads`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from marshmallow import Schema

from app.domain import uids
from app.schemas.events import EventSchema
from app.schemas.fields import ByValue, Column
from app.schemas.users import UserFieldsSchema

Body = dict[str, Any]


def event(body: Body) -> Body | None:
    """Load the body of `POST /users/{uid}/events` as EventSchema would."""
    return _first(_EVENTS.load([body]))


def new_user(body: Body) -> Body | None:
    """Load the body of `POST /users` as CreateUserSchema would."""
    id = body.get("id")
    if id.__class__ is not str or not uids.is_plain(id):
        return None
    fields = user({name: value for name, value in body.items() if name != "id"})
    return None if fields is None else {**fields, "id": id}


def user(body: Body) -> Body | None:
    """Load the fields of a user as UpdateUserSchema would."""
    return _first(_USERS.load([body]))


def events(bodies: Sequence[Body]) -> list[Body] | None:
    """Load many as `event` does each; None when one of them is not surely right."""
    return _EVENTS.load(bodies)


def users(bodies: Sequence[Body]) -> list[Body] | None:
    """Load many as `user` does each; None when one of them is not surely right."""
    return _USERS.load(bodies)


def users_alike(bodies: Sequence[Body], beside: frozenset[str] = frozenset()) -> dict[str, Column] | None:
    """Load users who have the same fields as `users` does, as columns: {field: what each has}.

    beside: what all of them have besides, which is not looked at. None when there are none, when they have not the same
    fields, or when one is not surely right.
    """
    return _USERS.load_alike(bodies, beside)


def _first(loaded: list[Body] | None) -> Body | None:
    return loaded[0] if loaded else None


class _Loader:
    """Loads bodies of a schema. rare: keys that a schema of its kind knows besides, and that are left to it."""

    def __init__(self, schema: type[Schema], rare: Iterable[str] = ()):
        known = schema().fields
        self._fields = {name: field for name, field in known.items() if _has_columns(field)}
        self._rare = frozenset((*known, *rare)) - self._fields.keys()
        self._required = {name for name, field in known.items() if field.required}

    def load(self, bodies: Sequence[Body]) -> list[Body] | None:
        """Check the same field of all bodies at once: so the loops are those of the interpreter, not ours."""
        names: set[str] = set().union(*bodies)
        if not self._rare.isdisjoint(names) or not self._are_complete(bodies):
            return None
        changed = {}
        for name in names:
            if (field := self._fields.get(name)) is not None:
                column = [body[name] for body in bodies if name in body]
                loaded = _load_column(field, column)
                if loaded is None:
                    return None
                if loaded is not column:
                    changed[name] = iter(loaded)
        if not names <= self._fields.keys():
            bodies = [{name: value for name, value in body.items() if name in self._fields} for body in bodies]
        return [_with(body, changed) for body in bodies] if changed else list(bodies)

    def _are_complete(self, bodies: Sequence[Body]) -> bool:
        return not self._required or all(self._required <= body.keys() for body in bodies)

    def load_alike(self, bodies: Sequence[Body], beside: frozenset[str]) -> dict[str, Column] | None:
        """Load bodies that have the same fields, as columns."""
        names = [name for name in bodies[0] if name not in beside] if bodies else []
        if {*map(len, bodies)} != {len(names) + len(beside)} or not self._rare.isdisjoint(names):
            return None
        try:
            columns = {name: list(map(itemgetter(name), bodies)) for name in names}
        except KeyError:
            return None
        loaded = {}
        for name in self._fields.keys() & columns.keys():
            column = _load_column(self._fields[name], columns[name])
            if column is None:
                return None
            loaded[name] = column
        return loaded


def _load_column(field: Any, column: list[Any]) -> Column | None:
    if None not in column:
        return field.load_column(column)  # type: ignore[no-any-return]
    if not field.allow_none:
        return None
    there = [one for one in column if one is not None]
    loaded = field.load_column(there)
    if loaded is None or loaded is there:
        return None if loaded is None else column
    rest = iter(loaded)
    return [None if one is None else next(rest) for one in column]


def _with(body: Body, changed: Mapping[str, Iterator[Any]]) -> Body:
    return {name: next(changed[name]) if name in changed else value for name, value in body.items()}


def _has_columns(field: Any) -> bool:
    """Return True if the field can load a column at all."""
    return isinstance(field, ByValue) and type(field).load_column is not ByValue.load_column


_EVENTS = _Loader(EventSchema)
_USERS = _Loader(UserFieldsSchema, rare=("id", "uid"))
