"""A connection to Postgres that is cut at any message costs the answer, and no acknowledged write, and stores none twice.

Each lane records events of new users. What is acknowledged is stored once; what is not is stored once or not at all.
"""

import itertools
import json

import psycopg
import pytest

from app import errors
from app.api import auth
from app.api.hot import Reply, Request
from app.cli.imports import load
from app.config import Settings
from app.models.database import forget_connection
from app.services import imports, storage, workspaces
from app.services.imports import NdjsonFile, Plan
from tests.factories import Api, basic, fresh
from tests.serving.postgres_proxy import BACKEND, FATAL, FRONTEND, SWALLOW, THEN_FATAL, Cut, PostgresProxy

TRIES = 5  # to begin an import again
WARM = 5  # runs until all statements are prepared


class Lane:
    """A way to record one event of each of these uids. Calling it returns the uids that were acknowledged."""

    def __init__(self, app, api, tmp_path):
        self.app, self.api, self.tmp_path = app, api, tmp_path


class Group(Lane):
    """The hot path: one commit for requests of one moment, an update among them."""

    def __call__(self, uids):
        event = b'{"event": "Paid"}'
        asked = [self._request("POST", f"users/{uid}/events", event) for uid in uids]
        asked.append(self._request("PUT", f"users/z{fresh()}", b'{"first_name": "Ada"}'))
        answers = self.app.extensions["hot"](asked)
        return {uid for uid, answer in zip(uids, answers, strict=False) if self._is_acknowledged(uid, answer)}

    def _is_acknowledged(self, uid, answer):
        if isinstance(answer, Reply):
            return True
        answered = self.api.post(f"users/{uid}/events", {"event": "Paid"}, environ_overrides=answer.environ)
        return answered.status_code == 200

    def _request(self, method, path, body):
        sent = [(b"authorization", basic(self.api.keys.public_key, self.api.keys.secret_key).encode())]
        return Request(method, f"/v1/{path}".encode(), sent, body, 0.0, "127.0.0.1")


class Route(Lane):
    """A request through Flask, with an Idempotency-Key: a transaction of several statements."""

    headers = {"Idempotency-Key": "{}"}

    def __call__(self, uids):
        return {uid for uid in uids if self._record(uid).status_code == 200}

    def _record(self, uid):
        headers = {name: value.format(uid) for name, value in self.headers.items()}
        return self.api.post(f"users/{uid}/events", {"event": "Paid"}, headers=headers)


class Statement(Route):
    """A request through Flask that is one statement, which commits by itself."""

    headers = {}


class Batch(Lane):
    """A batch: one transaction of many items."""

    def __call__(self, uids):
        items = [{"type": "event", "id": uid, "event": "Paid"} for uid in uids]
        answered = self.api.post("batch", {"data": items})
        return set(uids) if answered.status_code == 200 else set()


class Import(Lane):
    """A file: portions with how far it has been read. What is cut off is begun again until it comes to its end."""

    def __call__(self, uids):
        path = self.tmp_path / f"{uids[0]}.ndjson"
        path.write_text("".join(json.dumps({"type": "event", "uid": uid, "event": "Paid"}) + "\n" for uid in uids))
        workspace = workspaces.find(self.api.keys.workspace)
        plan = Plan(workspace, NdjsonFile(path), imports.fingerprint(path), load, path.with_suffix(".csv"))
        for _ in range(TRIES):
            try:
                [*_, last] = imports.run(plan, imports.begin(plan))
            except (errors.StorageUnavailable, errors.Conflict):  # the end of the try before may still be under way
                continue
            except imports.Finished as finished:
                last = finished.progress
            return set(uids) if last.stored == len(uids) else set()
        raise AssertionError("the import never came to its end")


LANES = (Group, Route, Statement, Batch, Import)


@pytest.fixture
def proxied(migrated_database, monkeypatch):
    """The URL of a database, and a proxy before it."""
    monkeypatch.setattr(auth, "_CACHE_SECONDS", 3600.0)  # else a case would now and then ask for its key
    url = migrated_database("postgres")
    with PostgresProxy(url) as proxy:
        yield url, proxy
        forget_connection()


@pytest.fixture(params=LANES, ids=lambda one: one.__name__.lower())
def lane(request, proxied, use_app, tmp_path):
    """A lane of an app that reaches its database through the proxy."""
    settings = Settings(database_url=proxied[1].url, log_level="critical")
    app = use_app(settings)
    storage.prepare(settings)
    return request.param(app, Api(app.test_client(), workspaces.create("cut")), tmp_path)


def seen_in(lane, proxy):
    """Return the messages of the lane once it is warm: connected, with statements prepared and keys known."""
    for _ in range(WARM):
        proxy.arm(None)
        assert len(lane([fresh(), fresh()])) == 2
    return {side: [one for one in proxy.seen if one.side == side] for side in (FRONTEND, BACKEND)}


def check(lane, proxied, cut):
    """Cut there, and check what is stored; return whether it was cut."""
    url, proxy = proxied
    seen_in(lane, proxy)
    uids = [fresh(), fresh()]
    proxy.arm(cut)
    acknowledged = lane(uids)
    was_cut = proxy.was_cut  # not where there were fewer messages this time, as a conflict was not tried again
    proxy.arm(None)
    with psycopg.connect(url) as connection:
        counted = "SELECT uid, count(*) FROM events JOIN users ON users.id = user_id WHERE uid = ANY(%s) GROUP BY uid"
        stored = dict(connection.execute(counted, (uids,)).fetchall())
    assert all(stored.get(uid, 0) == 1 for uid in acknowledged), (cut, "acknowledged, and not stored once", stored)
    assert all(count <= 1 for count in stored.values()), (cut, "stored twice", stored)
    return was_cut


def test_a_cut_around_the_commit_loses_nothing_and_stores_nothing_twice(lane, proxied):
    seen = seen_in(lane, proxied[1])
    ends = [number for number, one in enumerate(seen[BACKEND]) if one.kind == b"C"]
    commit = next((number for number in reversed(ends) if seen[BACKEND][number].is_commit), ends[-1])
    asked = [number for number, one in enumerate(seen[FRONTEND]) if one.kind in (b"Q", b"B")][-1]
    assert check(lane, proxied, Cut(FRONTEND, asked, SWALLOW))
    for how in (SWALLOW, THEN_FATAL, FATAL):
        assert check(lane, proxied, Cut(BACKEND, commit, how))


@pytest.mark.ci  # each message of each lane, in three ways
def test_a_cut_at_any_message_loses_nothing_and_stores_nothing_twice(lane, proxied):
    seen = seen_in(lane, proxied[1])
    cuts = planned = 0
    for side, ways in ((FRONTEND, (SWALLOW, FATAL)), (BACKEND, (SWALLOW, THEN_FATAL, FATAL))):
        numbers = range(len(seen[side]))
        if isinstance(lane, Import):  # rows of a COPY are alike
            kinds = itertools.groupby(numbers, key=lambda number, side=side: seen[side][number].kind)
            numbers = [next(alike) for _, alike in kinds]
        for number, how in itertools.product(numbers, ways):
            cuts += check(lane, proxied, Cut(side, number, how))
            planned += 1
    print(f"{type(lane).__name__.lower()}: cut {cuts} times")
    assert cuts > planned * 0.9 and planned > 8
