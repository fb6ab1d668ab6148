"""Recognise the common form of a request. None means: its route must look at it."""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flask import Flask

from app import errors, strict_json
from app.api import auth, proxies
from app.api.bodies import MAX_BODY
from app.api.requests import is_safe_id, new_id
from app.bounded import BoundedDict
from app.domain import uids
from app.schemas import ignored_keys, loading
from app.schemas.pages import DEFAULT_PAGE, MAX_PAGE
from app.services.keys import Credential
from app.services.users.group_commit import Append, Listing, Read, Retrieval, Upsert, Write

# Headers that the routes look at (a test compares the two): with one of them a request takes the long way.
LONG_WAY = frozenset(
    (
        b"access-control-request-method",
        b"idempotency-key",
        b"if-match",
        b"if-none-match",
        b"origin",
    )
)
_FORWARDED = {
    b"forwarded": "HTTP_FORWARDED",
    b"x-forwarded-for": "HTTP_X_FORWARDED_FOR",
    b"x-forwarded-host": "HTTP_X_FORWARDED_HOST",
    b"x-forwarded-proto": "HTTP_X_FORWARDED_PROTO",
}
_TARGET = re.compile(rb"(?:/v1)?/users(?:/([A-Za-z0-9_-]{1,255})(/events)?)?(?:\?(.*))?")
_QUERY = re.compile(rb"limit=([1-9][0-9]?)(?:&next_cursor=([0-9a-f]{24}))?")
_HOST = re.compile(rb"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?")
_SENDERS = 4_096  # of which the headers are remembered; 1 KiB each at most, but for headers nobody sends
_RESERVED = "merge"  # a word of a route, where a uid stands in others


class Head:
    """Headers, but for the length of the body, that may come again on their connection; what they say is kept here.

    They are kept as they were sent, the secret among them, until others come or the connection ends; of a request that
    is not complete yet the connection holds the same.
    """

    __slots__ = ("headers", "sender")

    def __init__(self, headers: Sequence[tuple[bytes, bytes]]):
        self.headers = headers
        self.sender: Sender | None = None


class Request(NamedTuple):
    """A whole HTTP request. target: path and query as sent. headers: names in small letters. address: of the peer.

    head: the same one for the same headers of a connection, None where it keeps none.
    """

    method: str
    target: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    started: float  # of time.perf_counter, seconds
    address: str = ""
    scheme: str = "http"
    head: Head | None = None


class Wanted(NamedTuple):
    """What was recognised.

    route: its template without /v1. client: the name under which it is counted. query: what a link to the next page
    repeats.
    """

    request: Request
    operation: Read | Write
    route: str
    request_id: str
    credential: Credential
    client: str
    is_secure: bool
    query: Sequence[tuple[str, str]]

    @property
    def path(self) -> str:
        """The path of the request."""
        return self.request.target.partition(b"?")[0].decode()


class Sender(NamedTuple):
    """What the headers of a request say. credentials: the name under which what they prove is known.

    request_id: the sender's own, "" if there is none. client: under which it is counted.
    """

    credentials: bytes
    request_id: str
    client: str
    is_secure: bool


class Recogniser:
    """Recognises requests to an app."""

    def __init__(self, app: Flask):
        self._credentials = app.extensions["credentials"]
        self._proxies = app.extensions["proxies"]
        self._senders: BoundedDict[bytes, Sender] = BoundedDict(_SENDERS)

    def __call__(self, requests: Sequence[Request]) -> list[Wanted | None]:
        """Return what each request asks for, None if its route must look at it."""
        found = [self._read(request) for request in requests]
        _check(found, Upsert, loading.users, loading.user, ignored_keys.USER.silent)
        _check(found, Append, loading.events, loading.event, ignored_keys.EVENT.silent)
        return found

    def _read(self, request: Request) -> Wanted | None:
        """Return what the request asks for; what is to be written is not checked yet."""
        target = _TARGET.fullmatch(request.target)
        if not target:
            return None
        uid, events, query = target.groups()
        recognise = _FORMS.get((request.method, uid is not None, events is not None))
        if recognise is None or (query is not None and recognise is not _page) or len(request.body) > MAX_BODY:
            return None
        sender = self._sender(request)
        credential = sender and self._credential(sender, request)
        if not sender or not credential or not credential.full:
            return None
        found = recognise(credential.workspace, (uid or b"").decode(), request, query)
        if found is None:
            return None
        operation, route, pairs = found
        request_id = sender.request_id or new_id()
        return Wanted(request, operation, route, request_id, credential, sender.client, sender.is_secure, pairs)

    def _sender(self, request: Request) -> Sender | None:
        """Return who sends the request, None where the routes must look at its headers.

        A client sends the same ones again and again, on one connection (Head) or on several: of all connections what
        they say is kept by their hash, so that no secret outlives its connection.
        """
        if request.head is None:
            return self._known_sender(request)
        if request.head.sender is None:
            request.head.sender = self._known_sender(request)
        return request.head.sender

    def _known_sender(self, request: Request) -> Sender | None:
        sent = request.head.headers if request.head else request.headers
        said = [request.address.encode(), request.scheme.encode(), *[part for pair in sent for part in pair]]
        name = hashlib.sha256(b"\n".join(said)).digest()
        sender = self._senders.get(name)
        if sender is None and (headers := _read_headers(request.headers)):
            sender = self._read_sender(request, headers)
            if not sender.request_id:
                self._senders[name] = sender
        return sender

    def _credential(self, sender: Sender, request: Request) -> Credential | None:
        fresh = auth.fresh(self._credentials, sender.credentials)
        headers = None if fresh else _read_headers(request.headers)
        return auth.known(self._credentials, headers.authorization) if headers else fresh

    def _read_sender(self, request: Request, headers: "_Headers") -> Sender:
        seen = {"REMOTE_ADDR": request.address, "wsgi.url_scheme": request.scheme, **headers.forwarded}
        self._proxies.adjust(seen)
        return Sender(
            auth.name(headers.authorization),
            headers.request_id if is_safe_id(headers.request_id) else "",
            proxies.counted(seen["REMOTE_ADDR"]),
            seen["wsgi.url_scheme"] == "https",
        )


class _Headers(NamedTuple):
    authorization: str
    request_id: str
    forwarded: dict[str, str]


def _read_headers(headers: Sequence[tuple[bytes, bytes]]) -> _Headers | None:
    """Return the headers that matter, unless there is one that the routes must look at."""
    found = {b"authorization": b"", b"x-request-id": b""}
    forwarded: dict[str, str] = {}
    for name, value in headers:
        if name in found:
            if found[name]:
                return None
            found[name] = value
        elif name in _FORWARDED:
            key, text = _FORWARDED[name], value.decode("latin-1")
            forwarded[key] = f"{forwarded[key]},{text}" if key in forwarded else text
        elif name in LONG_WAY or (name == b"host" and not _HOST.fullmatch(value)):
            return None
    return _Headers(found[b"authorization"].decode("latin-1"), found[b"x-request-id"].decode("latin-1"), forwarded)


def _check(
    found: list[Wanted | None],
    kind: type,
    load_all: Callable[[Sequence[dict[str, Any]]], list[dict[str, Any]] | None],
    load: Callable[[dict[str, Any]], dict[str, Any] | None],
    silent: frozenset[str],
) -> None:
    """Load the fields of what is to be written, and take out what has some that are not surely right.

    All are loaded as one, which takes a third of the time, and each by itself only if that fails. silent: the keys of
    which nothing is said; of any other the route warns.
    """
    places = [place for place, one in enumerate(found) if one and one.operation.__class__ is kind]
    bodies: list[dict[str, Any]] = [found[place].operation.fields for place in places]  # type: ignore[union-attr]
    if not bodies:
        return
    if not silent.issuperset(set().union(*bodies)):
        for place, body in zip(places, bodies, strict=True):
            if not silent.issuperset(body):
                found[place] = None
        places = [place for place in places if found[place]]
        bodies = [found[place].operation.fields for place in places]  # type: ignore[union-attr]
    for place, body, fields in zip(places, bodies, load_all(bodies) or map(load, bodies), strict=True):
        if not fields:
            found[place] = None
        elif fields is not body:
            wanted = found[place]
            found[place] = wanted._replace(operation=wanted.operation._replace(fields=fields))  # type: ignore[union-attr, call-arg]


Found = tuple[Read | Write, str, Sequence[tuple[str, str]]] | None


def _retrieve(workspace: int, uid: str, request: Request, query: bytes | None) -> Found:
    return None if request.body or uid == _RESERVED else (Retrieval(workspace, uid), "/users/<uid:uid>", ())


def _page(workspace: int, uid: str, request: Request, query: bytes | None) -> Found:
    asked = _QUERY.fullmatch(query) if query is not None else None
    if request.body or (query is not None and not asked):
        return None
    limit, cursor = asked.groups() if asked else (None, None)
    count = int(limit or DEFAULT_PAGE)
    if count > MAX_PAGE:
        return None
    pairs = (("limit", limit.decode()),) if limit else ()
    return Listing(workspace, count, cursor.decode() if cursor else ""), "/users", pairs


def _create(workspace: int, uid: str, request: Request, query: bytes | None) -> Found:
    body = _body(request)
    id = body.pop("id", None) if body else None
    if id.__class__ is not str or not uids.is_plain(id):
        return None
    return _upsert(workspace, id, body, "/users")


def _update(workspace: int, uid: str, request: Request, query: bytes | None) -> Found:
    return None if uid == _RESERVED else _upsert(workspace, uid, _body(request), "/users/<uid:uid>")


def _upsert(workspace: int, uid: str, body: dict[str, Any] | None, route: str) -> Found:
    return (Upsert(workspace, uid, body), route, ()) if body and body.get("meta", True) else None


def _append(workspace: int, uid: str, request: Request, query: bytes | None) -> Found:
    body = _body(request)
    if body and body.get("id") == uid:
        del body["id"]  # some SDKs send the uid along (app/services/events.py)
    return (Append(workspace, uid, body), "/users/<uid:uid>/events", ()) if body else None


def _body(request: Request) -> dict[str, Any] | None:
    try:
        body = strict_json.loads(request.body)
    except errors.Failure:
        return None
    return body if isinstance(body, dict) else None


_FORMS: dict[tuple[str, bool, bool], Callable[[int, str, Request, bytes | None], Found]] = {
    # method, with a uid, with /events
    ("GET", True, False): _retrieve,
    ("GET", False, False): _page,
    ("POST", False, False): _create,
    ("PUT", True, False): _update,
    ("POST", True, True): _append,
}
