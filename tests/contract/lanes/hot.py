"""The hot path, and the routes for what it leaves to them, as the server does it."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from app.api.hot import HotPath, Reply, Request
from app.domain import shape
from app.models.users import claimants
from tests.contract.lanes.routes import Answer, Routes
from tests.factories import basic


class Asked(NamedTuple):
    """One request. path: without /v1/. body: None where there is none."""

    method: str
    path: str
    body: Any = None
    headers: tuple[str, ...] = ()


class Left(NamedTuple):
    """A form of request that the hot path leaves to its route by design: why, how to tell it, and such requests."""

    reason: str
    is_meant: Callable[[Asked], bool]
    examples: tuple[Asked, ...]


_FORMS = re.compile(
    r"POST users|(GET|PUT) users/[A-Za-z0-9_-]{1,255}|POST users/[A-Za-z0-9_-]{1,255}/events"
    r"|GET users(\?limit=[0-9]+(&next_cursor=[0-9a-f]{24})?)?"
)
_CHECKED = {
    "user": frozenset(name for name, field in shape.COLUMNS.items() if field.written == shape.CALLER),
    "event": frozenset(("event", "value", "properties", "timestamp")),
}
_ELSEWHERE = frozenset(("lists", "accounts", "device_token", "device_platform", "archived", "uid"))
_SURELY_SHORT = 1024  # characters that are at most 4,096 bytes, whatever they are


_COMMON_EMAIL = re.compile(r"[a-z0-9_.+-]+@([a-z0-9]{1,60}\.)+[a-z]{2,6}", re.ASCII | re.IGNORECASE)


def _is_event(asked: Asked) -> bool:
    return asked.path.endswith("/events")


def _body(asked: Asked) -> dict[str, Any]:
    return asked.body if isinstance(asked.body, dict) else {}


def _says_nothing(asked: Asked) -> bool:
    known = _CHECKED["event" if _is_event(asked) else "user"] | _ELSEWHERE
    return asked.method != "GET" and not known & _body(asked).keys()


def _has_rare_email(asked: Asked) -> bool:
    email = _body(asked).get("email")
    return isinstance(email, str) and not _COMMON_EMAIL.fullmatch(email)


def _has_long_text(asked: Asked) -> bool:
    meta = _body(asked).get("meta")
    values = meta.values() if isinstance(meta, dict) else ()
    return any(isinstance(one, str) and len(one) > _SURELY_SHORT for one in values)


LEFT_TO_ROUTES = (
    Left(
        "only five forms of request are asked for all day; every other is left to its route",
        lambda asked: not _FORMS.fullmatch(f"{asked.method} {asked.path}"),
        (Asked("PATCH", "users/known", {"first_name": "Ada"}),),
    ),
    Left(
        "the routes keep the promises of conditions and of Idempotency-Key",
        lambda asked: bool(asked.headers),
        tuple(
            Asked("PUT", "users/known", {"first_name": "Ada"}, (name,))
            for name in ("Idempotency-Key", "If-Match", "If-None-Match")
        ),
    ),
    Left(
        "a body that changes no field needs no write",
        _says_nothing,
        (Asked("POST", "users", {"id": "known"}),),
    ),
    Left(
        "nothing to merge is another statement than something to merge",
        lambda asked: "meta" in _body(asked) and not _body(asked)["meta"],
        (Asked("PUT", "users/known", {"first_name": "Ada", "meta": {}}),),
    ),
    Left(
        "the hot path writes one table",
        lambda asked: not _is_event(asked) and bool(_ELSEWHERE & _body(asked).keys()),
        (Asked("PUT", "users/known", {"lists": []}),),
    ),
    Left(
        "a whole user sent back by PUT has its id, which only the schema knows to ignore",
        lambda asked: asked.method == "PUT" and "id" in _body(asked),
        (Asked("PUT", "users/known", {"id": "known", "first_name": "Ada"}),),
    ),
    Left(
        "a number that is no text is made one by the schema",
        lambda asked: not isinstance(_body(asked).get("number"), str | None),
        (Asked("PUT", "users/known", {"number": 2348031234567}),),
    ),
    Left(
        "a rare form of address, such as one with a hyphen in its domain, is for the whole rule of the schema",
        _has_rare_email,
        (Asked("PUT", "users/known", {"email": "ada@example-shop.com"}),),
    ),
    Left(
        "an id that is no text is made one by the schema",
        lambda asked: asked.path == "users" and not isinstance(_body(asked).get("id"), str | None),
        (Asked("POST", "users", {"id": 1234, "first_name": "Ada"}),),
    ),
    Left(
        "only the schema counts the bytes of a text that may be too long",
        _has_long_text,
        (Asked("PUT", "users/known", {"meta": {"plan": "x" * 4096}}),),
    ),
    Left(
        "the name of an event must be claimed, which takes a transaction of its own",
        lambda asked: _is_event(asked) and "id" in _body(asked),
        (Asked("POST", "users/known/events", {"event": "Paid", "id": "order-1"}),),
    ),
    Left(
        "an empty array stands for an empty object; the schema knows that",
        lambda asked: _is_event(asked) and _body(asked).get("properties") == [],
        (Asked("POST", "users/known/events", {"event": "Paid", "properties": []}),),
    ),
)


# What no request shows by itself.
WAITING = "a user who waits for a uid may be meant by the email, which takes a transaction of its own"
NOT_STORED = (
    "the event of an archived user or about an erased uid is left to its route, which tells that it is not stored"
)
IGNORED_KEYS = "the route names keys that are ignored"


class Hot(Routes):
    """The hot path in this process. Every request of the suite proves that the right one of the two has answered."""

    name = "hot"

    def __init__(self, *where: Any):
        super().__init__(*where)
        self.path = HotPath(self.app)
        self.api.get("users?limit=1")  # so that the credentials are known
        self.hits = 0

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Send one request; fail if the hot path left what it should answer, or answered what LEFT_TO_ROUTES lists."""
        asked = Asked(method, path, body, tuple(self.headers))
        reasons = [one.reason for one in LEFT_TO_ROUTES if one.is_meant(asked)]
        reasons += [WAITING] if self._is_claim(asked) else []
        [answer] = self.path([self.request(asked)])
        if isinstance(answer, Reply):
            assert not reasons, f"the hot path answered {asked}, which is left to its route: {reasons}"
            self.hits += 1
            return Answer(200, json.loads(answer.body), dict(answer.headers))
        answered = self.ask_route(method, path, body, environ_overrides=answer.environ)
        reasons += [NOT_STORED] if "Rollcall-Outcome" in answered.headers else []
        reasons += [IGNORED_KEYS] if "Rollcall-Warnings" in answered.headers else []
        assert reasons or answered.status != 200, f"the hot path left {asked} to its route, which answered it"
        return answered

    def _is_claim(self, asked: Asked) -> bool:
        email = _body(asked).get("email")
        return asked.method == "PUT" and isinstance(email, str) and bool(claimants(self.workspace, {"email": email}))

    def request(self, asked: Asked) -> Request:
        """Return the request as the server hands it to the hot path."""
        sent = {
            "authorization": basic(self.api.keys.public_key, self.api.keys.secret_key),
            "host": "localhost",
            **self.headers,
        }
        headers = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
        body = b"" if asked.body is None else json.dumps(asked.body).encode()
        return Request(asked.method, f"/v1/{asked.path}".encode(), headers, body, 0.0, "127.0.0.1")
