"""Ignored keys of a body that look like something known (engage.md section 6)."""

import difflib
import functools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from marshmallow import Schema

from app.errors import MAX_PLACE
from app.schemas.events import EventSchema, ShownEventSchema
from app.schemas.lists import CreateListSchema, ListFieldsSchema, ListSchema, PersonSchema
from app.schemas.segments import CreateSegmentSchema, SegmentFieldsSchema, ShownSegmentSchema
from app.schemas.users import CreateUserSchema, PatchUserSchema, UpdateUserSchema, UserSchema

MAX_WARNINGS = 20  # more than anybody reads
_NEVER_TOLD = ("type", "id", "uid", "source", "date", "subscribed")  # SDKs send them, and people what they have read
_NEAR = 0.8  # of difflib: one letter of five, or two that changed places


def named_elsewhere(**names: str) -> dict[str, str]:
    """Return {what others call a field, without capitals and signs: what we do}. names: ours, to those of others."""
    return {other: ours for ours, others in names.items() for other in others.split()}


class Kind(NamedTuple):
    """What is said of the keys of a kind of body. silent: of which nothing is; ours, elsewhere: as `nearest` says."""

    ours: Collection[str]
    silent: frozenset[str]
    elsewhere: Mapping[str, str]
    otherwise: str

    def ignored(self, body: Mapping[str, Any]) -> list[str]:
        """Return the keys that are ignored, and that no GET shows."""
        return [key for key in body if key not in self.silent]

    def advice(self, key: str) -> str:
        """Return what to do in place of an ignored key."""
        found = nearest(key, self.ours, self.elsewhere)
        return f"is ignored; did you mean {found}?" if found else f"is ignored; {self.otherwise}."

    def warnings(self, body: Mapping[str, Any]) -> Iterator[str]:
        """Yield a sentence about each ignored key of a body."""
        for key in self.ignored(body):
            yield f"{_shown(key)}: {self.advice(key)}"


def nearest(key: str, ours: Collection[str], elsewhere: Mapping[str, str]) -> str | None:
    """Return the name of ours that a key nearly is: with other signs or capitals, misspelt, or what others call it."""
    plain = _plain(key)
    names = {_plain(name): name for name in ours} | dict(elsewhere)
    near = difflib.get_close_matches(plain, names, 1, _NEAR) if len(plain) <= MAX_PLACE else []
    return names[near[0]] if near else None


def _plain(key: str) -> str:
    return re.sub(r"[\W_]", "", key).lower()


_USER_FIELDS = frozenset((*CreateUserSchema().fields, *UpdateUserSchema().fields))
USER = Kind(
    ours=_USER_FIELDS,
    silent=frozenset((*_USER_FIELDS, *UserSchema().fields, *_NEVER_TOLD)),
    elsewhere=named_elsewhere(
        email="emailaddress mail",
        number="phone phonenumber mobile mobilenumber telephone",
        first_name="name fullname givenname forename",
        last_name="surname familyname",
        meta="attributes customattributes traits properties",
        created_at="signedupat",
        tz="timezone",
        uid="userid",
    ),
    otherwise="attributes of your own go into meta",
)
EVENT = Kind(
    ours=frozenset(EventSchema().fields),
    silent=frozenset((*EventSchema().fields, *ShownEventSchema().fields, *_NEVER_TOLD)),
    elsewhere=named_elsewhere(
        event="name eventname action",
        properties="attributes meta props params data",
        timestamp="time createdat occurredat",
        uid="userid",
    ),
    otherwise="attributes of an event go into properties",
)

PERSON = Kind(
    ours=frozenset(PersonSchema().fields),
    silent=frozenset((*PersonSchema().fields, "source")),
    elsewhere={name: ours for name, ours in USER.elsewhere.items() if ours in PersonSchema().fields},
    otherwise="attributes of somebody new go into meta",
)
LIST = Kind(
    ours=frozenset(CreateListSchema().fields),
    silent=frozenset((*CreateListSchema().fields, *ListSchema().fields)),
    elsewhere=named_elsewhere(title="name", redirect_url="url redirect redirectto"),
    otherwise="a list has title, description, redirect_url and double_optin",
)
SEGMENT = Kind(
    ours=frozenset(CreateSegmentSchema().fields),
    silent=frozenset((*CreateSegmentSchema().fields, *ShownSegmentSchema().fields)),
    elsewhere=named_elsewhere(name="title", rule="rules condition conditions filter"),
    otherwise="a segment has " + " and ".join(CreateSegmentSchema().fields),
)
_KINDS: dict[type[Schema], Kind] = {
    **dict.fromkeys((CreateUserSchema, UpdateUserSchema, PatchUserSchema), USER),
    EventSchema: EVENT,
    PersonSchema: PERSON,
    **dict.fromkeys((CreateListSchema, ListFieldsSchema), LIST),
    **dict.fromkeys((CreateSegmentSchema, SegmentFieldsSchema), SEGMENT),
}


@functools.cache
def kind_of(schema: type[Schema]) -> Kind:
    """Return the kind of the bodies that a schema loads."""
    names = frozenset(schema().fields)
    return _KINDS.get(schema) or Kind(names, names, {}, f"there is only {' and '.join(sorted(names))}")


def warnings(bodies: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return MAX_WARNINGS sentences at most about ignored keys, one for each key of users and each of events.

    bodies: with the place where each stands, as `line 3`; an event has the `type` event.
    """
    return list(islice(_warnings(bodies), MAX_WARNINGS))


def are_ignored(bodies: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if any key of many bodies is ignored; a look at each takes ten times as long."""
    of_events = [body for body in bodies if body.get("type") == "event"]
    of_users = [body for body in bodies if body.get("type") != "event"] if of_events else bodies
    return not (EVENT.silent >= set().union(*of_events) and USER.silent >= set().union(*of_users))


def _warnings(bodies: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    told: set[tuple[bool, str]] = set()
    for place, body in bodies:
        is_event = body.get("type") == "event"
        kind = EVENT if is_event else USER
        for key in kind.ignored(body):
            if (is_event, key) not in told:
                told.add((is_event, key))
                yield f"{place}: {_shown(key)}: {kind.advice(key)}"


def _shown(key: str) -> str:
    return (key if key.isprintable() else ascii(key)[1:-1])[:MAX_PLACE]
