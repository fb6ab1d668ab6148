"""What SQLite's planner believes, and what it does with it."""

import re

import apsw
import pytest

from app.domain import ids
from app.models import users as store
from app.models.database import db, forget_connection
from app.services import events, storage, users
from app.services.users import group_commit


@pytest.fixture
def engine():
    """Only SQLite has to be told."""
    return "sqlite"


@pytest.fixture
def explained(app):
    """The (statement, line of its plan) of all that runs from now on."""
    found, connection = [], db.connection()

    def explain(cursor, sql, values):
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", sql):
            plan = connection.cursor().execute(f"EXPLAIN QUERY PLAN {sql}", values)
            found.extend((sql, line[3]) for line in plan.fetchall())
        return True

    connection.exec_trace = explain
    yield found
    connection.exec_trace = None


def test_nothing_reads_a_workspace_from_end_to_end(api, make_list, explained):
    title = make_list("news")
    api.post(
        "users",
        {
            "id": "a",
            "email": "a@x.io",
            "number": "+15551",
            "device_token": "t",
            "device_platform": "ios",
            "lists": [title],
        },
    )
    api.post("users/a/events", {"value": "Paid", "properties": {"n": 1}})
    api.put("users/a", {"last_name": "B"})
    api.get("users/a")
    api.get("users?email=a@x.io")
    api.get("users?limit=2")
    api.get("users/a/events")
    api.post("users", {"id": "b", "email": "b@x.io"})
    api.post(
        "batch",
        {"data": [{"type": "update", "id": "b", "first_name": "B"}, {"type": "event", "id": "b", "event": "Paid"}]},
    )
    api.post("users/merge", {"source": "b", "destination": "a"})
    api.delete("users/a")
    assert len(explained) > 50
    # A page stops at its LIMIT; a user without a uid of its own is looked for in a partial index, which holds those alone.
    big = "(users|devices|events|subscriptions|memberships|account)"
    whole = [
        one
        for one in explained
        if re.search(rf"^(SEARCH {big} .*\(workspace_id=\?\)$|SCAN {big})", one[1])
        and not (re.search(r"claims_by_email \(workspace_id=\?\)$", one[1]) or one[0].endswith("LIMIT ?"))
    ]
    assert whole == []


@pytest.mark.parametrize("known", [{"email": "none@x.io"}, {"number": "+15550"}])
@pytest.mark.parametrize(
    "look",
    [
        lambda workspace, known: group_commit.write([group_commit.Upsert(workspace, ids.new(), known)]),
        store.claimants,
        lambda workspace, known: store.find_claimable(workspace, store.keys_of(known), []),
    ],
)
def test_who_claims_a_uid_is_found_as_soon_when_many_share_what_is_given(workspace, look, known):
    def steps():
        counted = []
        db.connection().set_progress_handler(lambda: bool(counted.append(1)), 1)
        look(workspace, known)
        db.connection().set_progress_handler(None)
        return len(counted)

    first = steps()
    group_commit.write([group_commit.Upsert(workspace, f"u{n}", known) for n in range(300)])
    assert steps() < first + 100


def test_every_index_has_statistics(app):
    known = {name for (name,) in db.execute_sql("SELECT idx FROM sqlite_stat1").fetchall()}
    named = {name for (name,) in db.execute_sql("SELECT name FROM sqlite_schema WHERE type = 'index'").fetchall()}
    assert {"users", "events", "devices"} <= known and {one for one in named if "schema_migrations" not in one} <= known


def test_later_connections_know_them(app):
    forget_connection()
    plan = db.execute_sql(
        "EXPLAIN QUERY PLAN SELECT 1 FROM users WHERE workspace_id = 1 AND email_key = 'a'"
    ).fetchall()
    assert "users_by_email" in plan[0][3]


def test_migrating_again_leaves_them(app):
    before = db.execute_sql("SELECT * FROM sqlite_stat1").fetchall()
    storage.migrate()
    assert db.execute_sql("SELECT * FROM sqlite_stat1").fetchall() == before


def test_a_statement_is_planned_once_whatever_its_values(workspace):
    group_commit.write([group_commit.Upsert(workspace, uid, {"meta": {"n": 1}}) for uid in ("ada", "bob")])
    ids = {uid: users.retrieve(workspace, uid).id for uid in ("ada", "bob")}
    planned, connection = [], db.connection()

    def note(operation, *names):
        planned.append(names)
        return apsw.SQLITE_OK

    connection.authorizer = note  # which is asked whenever a statement is planned
    for uid, id in ids.items():
        planned.clear()
        group_commit.look([group_commit.Listing(workspace, 2, id), group_commit.Retrieval(workspace, uid)])
        events.page(workspace, uid, 2)
    connection.authorizer = None
    assert planned == []
