"""The service with nothing of ours between gunicorn's parser and Postgres but the statements.

Nothing is recognised, checked, counted or logged: each request is the one that the benchmark sends. A group is answered
by the statement of the hot path, over parameters that were made before but for ids and names; all writes get the same
reply.
"""

import functools

from app import clock, create_app, ids
from app.api.hot import Left, Reply
from app.config import read_settings
from app.models import events as events_store
from app.models import users as users_store
from app.models.database import Call, db
from app.models.users import rendering
from app.services import events
from benchmarks.people import PAGE

_WORKSPACE, _USERS = 1, b"/v1/users"
_NAMED = {"first_name": "Ada", "email": "ada@example.com", "meta": {"plan": "gold", "age": 34}}
_CHANGED = {"meta": {"plan": "p1"}}
_EVENT = {"event": "Paid", "value": 49.5, "properties": {"currency": "USD"}}


def alone(requests):
    """Run the statement for all requests of a group, which are of one kind; return the replies.

    Batches, which fill it, are left to their route.
    """
    if not requests[0].target.startswith(_USERS):
        return [Left({})] * len(requests)
    kind = _kind(requests[0])
    call = _CALLS[kind](requests)
    run = db.run_all if kind in ("get", "page") else db.commit_all
    [rows] = run([(call.statement.text, *call[1:])])
    if kind == "page":
        return [_reply(row[0].encode()) for row in rows]
    if kind == "get":
        found = {uid: json for _, uid, json, *_ in rows}
        return [_reply(found[_uid(one)].encode()) for one in requests]
    assert kind == "event" or len(rows) > len(requests) / 2, kind  # a user who comes twice is one row
    return [_reply(b'{"status":"ok"}')] * len(requests)


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


def _get(requests) -> Call:
    return rendering.find_call(_WORKSPACE, [_uid(one) for one in requests])


def _page(requests) -> Call:
    [call] = rendering.page_calls(_WORKSPACE, PAGE, [one.target[-len(ids.new()) :].decode() for one in requests])
    return call


def _create(requests) -> Call:
    return _upsert([one.body.split(b'"', 4)[3].decode() for one in requests], _NAMED)


def _update(requests) -> Call:
    return _upsert(list({_uid(one) for one in requests}), _CHANGED)


def _upsert(uids: list[str], fields: dict) -> Call:
    call = _made_upsert(fields is _NAMED)
    return call._replace(columns=[ids.several(len(uids)), uids, *[column * len(uids) for column in call.columns[2:]]])


def _event(requests) -> Call:
    call, uids, new = _made_event(), [_uid(one) for one in requests], ids.several(len(requests))
    _, _, timestamp, _, *rest = [column * len(uids) for column in map(list, call.columns)]
    return call._replace(columns=[uids, new, timestamp, new, *rest])


@functools.cache
def _made_upsert(is_create: bool) -> Call:
    """The call of the hot path for one request: its values are those of all, but for ids and names."""
    return users_store.upsert_call(_WORKSPACE, [ids.new()], ["u"], [_NAMED if is_create else _CHANGED], clock.now())


@functools.cache
def _made_event() -> Call:
    now = clock.now()
    recordings = [events_store.Recording("u", ids.new(), event) for event in events.new_rows(now, [_EVENT])]
    return events_store.calls(_WORKSPACE, now, recordings)[0]


_CALLS = {"create": _create, "get": _get, "update": _update, "event": _event, "page": _page}
app = create_app(read_settings())
app.extensions["hot"] = alone
