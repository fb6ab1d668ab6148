"""The service with nothing of ours between gunicorn's parser and the database but the statements.

Nothing is recognised, checked, counted or logged: each request is the one that the benchmark sends. A group is answered
by the statements of the hot path, over parameters that were made before but for ids and names; all writes get the same
reply.
"""

import functools

from app import clock, create_app
from app.api.hot import Left, Reply
from app.config import read_settings
from app.domain import ids
from app.models import events as events_store
from app.models import users as users_store
from app.models.database import Call, db
from app.models.users import rendering
from app.services import events
from benchmarks.people import PAGE

_WORKSPACE, _USERS = 1, b"/v1/users"
_UID, _ID, _EMAIL, _CHANGE = "u", "i", "e@example.com", '{"plan":"p1"}'  # in whose places those of the requests stand
_FIELDS = {
    "create": {"first_name": "Ada", "email": _EMAIL, "meta": {"plan": "gold", "age": 34}},
    "update": {"meta": {"plan": "p1"}},
}
_EVENT = {"event": "Paid", "value": 49.5, "properties": {"currency": "USD"}}


def alone(requests):
    """Run the statements for all requests of a group, which are of one kind; return the replies.

    Batches, which fill it, are left to their route.
    """
    if not requests[0].target.startswith(_USERS):
        return [Left({})] * len(requests)
    kind = _kind(requests[0])
    calls = [(call.statement.text, *call[1:]) for call in _CALLS[kind](requests)]
    if kind == "get":
        return _users(requests, db.run_all(calls)[0])
    if kind == "page":
        with db.reading():
            return _pages(db.run_all(calls))
    [rows, *_] = db.commit_all(calls)
    assert kind == "event" or len(rows) > len(requests) / 2, kind  # a user who comes twice is one row
    return [_reply(b'{"status":"ok"}')] * len(requests)


def _users(requests, rows) -> list[Reply]:
    found = {uid: json for uid, json, _ in rows}
    return [_reply(found[_uid(one)].encode()) for one in requests]


def _pages(found) -> list[Reply]:
    if db.dialect.takes_arrays:
        return [_reply(row[0].encode()) for row in found[0]]
    return [_reply(",".join([text for (text,) in rows]).encode()) for rows in found[::2]]


def _kind(request) -> str:
    if request.method == "GET":
        return "page" if b"?" in request.target else "get"
    if request.method == "PUT":
        return "update"
    return "event" if request.target.endswith(b"/events") else "create"


def _uid(request) -> str:
    return request.target[len(_USERS) + 1 :].partition(b"/")[0].decode()


def _reply(body: bytes) -> Reply:
    return Reply(b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body), body)


def _get(requests) -> list[Call]:
    return [rendering.find_call(_WORKSPACE, [_uid(one) for one in requests])]


def _page(requests) -> list[Call]:
    return rendering.page_calls(_WORKSPACE, PAGE, [one.target[-len(ids.new()) :].decode() for one in requests])


def _create(requests) -> list[Call]:
    texts = [one.body.split(b'"') for one in requests]  # of which every second is a key or a value
    uids, emails = ([text[place].decode() for text in texts] for place in (3, 11))
    return _with(_made_upsert("create"), {_UID: uids, _EMAIL: emails, _ID: ids.several(len(uids))})


def _update(requests) -> list[Call]:
    changes = {_uid(one): one.body[len(b'{"meta":') : -1].decode() for one in requests}  # a user who comes twice once
    return _with(
        _made_upsert("update"),
        {_UID: list(changes), _CHANGE: list(changes.values()), _ID: ids.several(len(changes))},
    )


def _event(requests) -> list[Call]:
    return _with(_made_event(), {_UID: [_uid(one) for one in requests], _ID: ids.several(len(requests))})


def _with(calls: list[Call], given: dict[str, list[str]]) -> list[Call]:
    """Return the calls for one request with what others gave in the places of what it gave."""
    count = len(given[_ID])
    return [
        call._replace(columns=call.columns and [given.get(one, [one] * count) for (one,) in call.columns])
        for call in calls
    ]


@functools.cache
def _made_upsert(kind: str) -> list[Call]:
    """The call of the hot path for one request."""
    return [users_store.upsert_call(_WORKSPACE, [_ID], [_UID], [_FIELDS[kind]], clock.now())]


@functools.cache
def _made_event() -> list[Call]:
    """The calls of the hot path for one request."""
    now = clock.now()
    [event] = events.new_rows(now, [_EVENT])
    return events_store.calls(_WORKSPACE, now, [events_store.Recording(_UID, _ID, event._replace(id=_ID))])


_CALLS = {"create": _create, "get": _get, "update": _update, "event": _event, "page": _page}
app = create_app(read_settings())
app.extensions["hot"] = alone
