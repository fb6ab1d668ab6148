"""Writes that go through their routes in one moment share a commit, and nothing else."""

import contextlib
import http.client
import json
import threading

import apsw
import pytest
from werkzeug.test import EnvironBuilder

from app import logs
from app.errors import StorageUnavailable
from app.models.database import db
from app.models.stores import peewee_errors
from app.services import events
from app.serving.group_commit import GroupCommit, may_share
from tests.factories import Service, basic, fresh

EVENT = {"event": "Paid"}


@pytest.fixture
def engine():
    """Only SQLite shares commits so."""
    return "sqlite"


@pytest.fixture
def environ(api):
    """Makes the environ of a request with the secret."""

    def make(method, path, body):
        header = {"Authorization": basic(api.keys.public_key, api.keys.secret_key)}
        return EnvironBuilder(path, method=method, data=json.dumps(body), headers=header).get_environ()

    return make


@pytest.fixture
def commits(app):
    """Counts the commits of the connection of this thread."""
    seen = []
    db.connection().set_commit_hook(lambda: bool(seen.append(1)))
    yield seen
    db.connection().set_commit_hook(None)


def statuses(replies):
    return [int(status[:3]) for status, _, _ in replies]


def test_many_writes_are_one_commit_and_each_gets_its_own_reply(app, api, environ, commits):
    uids = [fresh() for _ in range(3)]
    group = [environ("PUT", f"/v1/users/{uid}", {"first_name": uid}) for uid in uids]
    group += [environ("POST", f"/v1/users/{uids[0]}/events", EVENT), environ("POST", "/v1/users", {"id": fresh()})]
    replies = GroupCommit(app)(group)
    assert statuses(replies) == [200] * 5
    assert len(commits) == 1
    assert [json.loads(body).get("first_name") for _, _, body in replies[:3]] == uids
    assert api.get(f"users/{uids[0]}").json["last_interaction"]


def test_what_is_refused_undoes_only_itself(app, api, environ):
    good, bad = fresh(), fresh()
    replies = GroupCommit(app)(
        [
            environ("PUT", f"/v1/users/{bad}", {"first_name": "x", "accounts": [{"id": "nobody"}]}),
            environ("PUT", f"/v1/users/{good}", {"first_name": "Ada"}),
        ]
    )
    assert statuses(replies) == [400, 200]
    assert (api.get(f"users/{bad}").status_code, api.get(f"users/{good}").status_code) == (404, 200)


def test_a_fault_of_one_costs_the_others_nothing(app, api, environ, monkeypatch):
    good, bad = fresh(), fresh()
    record = events.record

    def fail_for_one(workspace, uid, **event):
        record(workspace, uid, **event)
        if uid == bad:
            raise RuntimeError("a fault")

    monkeypatch.setattr(events, "record", fail_for_one)
    group = [
        environ("PUT", f"/v1/users/{good}", {"first_name": "Ada"}),
        environ("POST", f"/v1/users/{bad}/events", EVENT),
    ]
    assert statuses(GroupCommit(app)(group)) == [200, 500]
    assert api.get(f"users/{good}").json["first_name"] == "Ada"


def test_a_commit_that_fails_is_acknowledged_to_nobody(app, api, environ, monkeypatch):
    uids = [fresh(), fresh()]
    with monkeypatch.context() as patch:
        patch.setattr(type(db.obj), "commit", _fail)
        replies = GroupCommit(app)([environ("PUT", f"/v1/users/{uid}", {"first_name": "Ada"}) for uid in uids])
    assert statuses(replies) == [503, 503]
    assert json.loads(replies[0][2])["code"] == StorageUnavailable.code
    assert [api.get(f"users/{uid}").status_code for uid in uids] == [404, 404]


def _fail(database):
    with peewee_errors:
        raise apsw.FullError("the disk is full")


def test_the_lines_of_requests_are_written_when_they_are_on_disk(app, environ, monkeypatch, capfdbinary):
    monkeypatch.setitem(logs._settings, "tells_requests", True)
    group = [environ("PUT", f"/v1/users/{fresh()}", {"first_name": "Ada"}) for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(type(db.obj), "commit", _fail)
        GroupCommit(app)(group)
    lines = [json.loads(line) for line in capfdbinary.readouterr().err.splitlines()]
    assert [line["status"] for line in lines if line["event"] == "request"] == [503, 503]


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("POST", "/v1/users", True),
        ("POST", "/users/x/events", True),
        ("PUT", "/v1/users/a@b.co", True),
        ("PATCH", "/v1/users/x", True),
        ("GET", "/v1/users/x", False),
        ("DELETE", "/v1/users/x", False),  # writes the journal of erasures after its commit
        ("POST", "/v1/users/merge", False),
        ("POST", "/v1/batch", False),
        ("POST", "/v1/users/x/lists", False),
    ],
)
def test_only_routes_that_do_nothing_but_write_rows_share(app, method, path, may):
    assert may_share(EnvironBuilder(path, method=method).get_environ()) is may


@pytest.mark.ci
def test_writers_of_one_moment_are_all_answered_and_stored(new_database):
    uids = [fresh() for _ in range(48)]
    with Service(new_database("sqlite"), ROLLCALL_HOT_PATH="false") as service:
        threads = [threading.Thread(target=_write, args=(service, uids[start::16])) for start in range(16)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        found = [service.call("GET", f"users/{uid}")[1] for uid in uids]
    assert [(one["uid"], one["meta"], bool(one["last_interaction"])) for one in found] == [
        (uid, {"a": 1, "b": 2}, True) for uid in uids
    ]


def _write(service, uids):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)) as connection:
        _write_all(service, connection, uids)


def _write_all(service, connection, uids):
    for uid in uids:
        for method, path, body in (
            ("PUT", f"/v1/users/{uid}", {"meta": {"a": 1}}),
            ("PUT", f"/v1/users/{uid}", {"meta": {"b": 2}}),
            ("POST", f"/v1/users/{uid}/events", EVENT),
        ):
            connection.request(method, path, json.dumps(body), {"Authorization": basic(service.public, service.secret)})
            response = connection.getresponse()
            assert response.status == 200, response.read()
            response.read()
