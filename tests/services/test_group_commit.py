"""What is done together is done as each by itself would be."""

import json
import threading
import time

import pytest

from app.models import database
from app.models.database import db, forget_connection
from app.services import audit, events, users, workspaces
from app.services.users import group_commit
from tests.factories import fresh

EVENT = {"event": "Paid", "value": 1, "properties": {}}


@pytest.fixture
def other_workspace(other_api):
    return workspaces.find(other_api.keys.workspace)


def save(workspace, uid, **fields):
    return group_commit.Upsert(workspace, uid, fields)


def event(workspace, uid):
    return group_commit.Append(workspace, uid, dict(EVENT))


def meta(upserted):
    return json.loads(upserted.user)["meta"]


def test_a_user_may_be_written_many_times_in_one_moment(workspace):
    writes = [save(workspace, "ada", meta={"n": n, f"k{n}": n}) for n in range(3)]
    writes += [
        event(workspace, "ada"),
        event(workspace, "bob"),
        event(workspace, "ada"),
        save(workspace, "bob", tz="UTC"),
    ]
    first, second, third, *_, bob = group_commit.write(writes)
    assert [one.created for one in (first, second, third)] == [True, False, False]
    assert [meta(one)["n"] for one in (first, second, third)] == [0, 1, 2]
    assert meta(third) == {"n": 2, "k0": 0, "k1": 1, "k2": 2}
    assert json.loads(bob.user)["id"] == users.retrieve(workspace, "bob").id
    assert [len(events.page(workspace, uid, 10).rows) for uid in ("ada", "bob")] == [2, 1]


def test_events_of_the_archived_and_the_erased_are_left_to_the_routes_among_others(workspace):
    group_commit.write([save(workspace, uid, meta={"a": 1}) for uid in ("ada", "bob", "eve")])
    users.archive(workspace, "ada")
    users.delete(workspace, "eve", audit.SHELL)
    written = group_commit.write([event(workspace, uid) for uid in ("ada", "bob", "eve", "new")])
    assert [one is None for one in written] == [True, False, True, False]
    assert [len(events.page(workspace, uid, 10).rows) for uid in ("ada", "bob", "new")] == [0, 1, 1]


def test_a_write_that_a_rule_forbids_leaves_the_others(workspace):
    group_commit.write([save(workspace, "ada", meta={str(n): n for n in range(300)})])
    refused, done = group_commit.write(
        [save(workspace, "ada", meta={"more": 1}), save(workspace, "bob", meta={"more": 1})]
    )
    assert refused is None and meta(done) == {"more": 1}


def test_whoever_would_get_the_uid_of_another_is_left_to_the_routes(api, workspace):
    for known in ({"email": "Ada@x.io"}, {"number": "+15550001"}):
        users.make_without_uid(workspace, known)
    by_email, by_number, by_its_email, free, changed = group_commit.write(
        [
            save(workspace, "a", email="ada@X.io", number="+15559999"),
            save(workspace, "b", email=None, number="+1 555 0001"),
            save(workspace, "c", email="c@x.io", number="+15550001"),  # the email goes first, and is nobody's
            save(workspace, "d", email="d@x.io"),
            save(workspace, "e", meta={"n": 1}),
        ]
    )
    assert (by_email, by_number) == (None, None)
    assert [one.created for one in (by_its_email, free, changed)] == [True, True, True]
    assert len(api.get("users").json["data"]) == 5


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_create_is_one_round_trip(workspace, monkeypatch):
    trips = []
    for name in ("run_all", "commit_all"):
        run = getattr(group_commit, name)
        monkeypatch.setattr(
            group_commit,
            name,
            lambda calls, name=name, run=run, **more: trips.append((name, len(calls))) or run(calls, **more),
        )
    group_commit.write([save(workspace, "a", email="a@x.io", number="+15550001", meta={"n": 1})])
    assert trips == [("commit_all", 1)]


@pytest.mark.parametrize("cursors", [(None, None), (0, 2, None, 1, 2)])
def test_pages_of_one_moment_are_kept_apart(api, workspace, cursors):
    for number in range(4):
        api.put(f"users/u{number}", {"device_token": f"t{number}", "device_platform": "ios"})
        api.put(f"users/u{number}", {"device_token": f"s{number}", "device_platform": "ios"})
    data = api.get("users").json["data"]
    pages = group_commit.look(
        [group_commit.Listing(workspace, 2, "" if at is None else data[at]["id"]) for at in cursors]
    )
    for at, page in zip(cursors, pages, strict=True):
        first = 0 if at is None else at + 1
        assert json.loads(f"[{','.join(page.rows)}]") == data[first : first + 2]
        assert page.next == (data[first + 1]["id"] if first + 2 < len(data) else None)
        assert page.previous == (data[first]["id"] if first else None)


def test_what_reads_must_ask_a_second_time_they_ask_together(api, workspace, monkeypatch):
    group_commit.write([save(workspace, uid, meta={"plan": "gold"}) for uid in "abc"])
    api.post("segments", {"name": "gold", "rule": {"attribute": "meta.plan", "is": "gold"}})
    trips, run_all = [], group_commit.run_all
    monkeypatch.setattr(group_commit, "run_all", lambda calls: trips.append(len(calls)) or run_all(calls))
    found = group_commit.look([group_commit.Retrieval(workspace, uid) for uid in "abc"])
    assert [len(one.segments) for one in found] == [1, 1, 1]
    assert trips == [1, 1]  # one statement for all of them, and one more for what the database cannot write


PLANNED = {
    "reads": (group_commit.look, lambda workspace, uid: group_commit.Retrieval(workspace, uid)),
    "updates": (group_commit.write, lambda workspace, uid: save(workspace, uid, first_name=uid, meta={"n": 1})),
    "events": (group_commit.write, event),
}


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
@pytest.mark.parametrize("kind", PLANNED)
def test_what_comes_one_by_one_is_not_planned_each_time(workspace, kind):
    """Planning takes longer than the statement: Postgres does it while a plan for these parameters seems to be better."""
    group_commit.write([save(workspace, f"u{n}", meta={"plan": "gold"}) for n in range(500)])
    db.execute_sql("ANALYZE users")
    forget_connection()
    run, operation = PLANNED[kind]
    for n in range(30):
        assert all(run([operation(workspace, f"u{n + more}") for more in range(1 + (n > 25))]))
    planned = db.execute_sql("SELECT statement, custom_plans FROM pg_prepared_statements").fetchall()
    assert planned and [one for one in planned if one[1] >= 10] == []  # it plans the first five anew, whatever they are


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_pages_alone_are_read_in_a_transaction(workspace):
    group_commit.write([save(workspace, "ada", first_name="Ada")])
    run, connection = [], db.connection()
    connection.exec_trace = lambda cursor, sql, values: bool(run.append(sql.split()[0])) or True
    group_commit.look([group_commit.Retrieval(workspace, "ada")])
    group_commit.look([group_commit.Listing(workspace, 1, "")])
    connection.exec_trace = None
    assert run == ["SELECT", "BEGIN", "SELECT", "SELECT", "SELECT", "COMMIT"]


def test_users_of_several_workspaces_are_kept_apart(workspace, other_workspace):
    mine, theirs = group_commit.write([save(one, "ada", meta={"of": one}) for one in (workspace, other_workspace)])
    assert (meta(mine)["of"], meta(theirs)["of"]) == (workspace, other_workspace)
    both = group_commit.look(
        [group_commit.Retrieval(one, uid) for one in (workspace, other_workspace) for uid in ("ada", "eve")]
    )
    assert both == [mine.user, None, theirs.user, None]


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_groups_that_make_the_same_users_take_them_in_one_order(workspace, other_workspace, monkeypatch):
    """Nobody can lock a user who is made only now: whoever has the first one has all of them."""
    ran, commit_all = [], group_commit.commit_all
    monkeypatch.setattr(
        group_commit, "commit_all", lambda calls, retries: ran.append(calls) or commit_all(calls, retries)
    )
    p, q = fresh(), fresh()
    p, q = sorted((p, q))
    for group in (
        [save(workspace, p, tz="UTC"), event(workspace, q)],
        [save(workspace, q, tz="UTC"), event(workspace, p)],
        [save(workspace, q, app_version="1"), save(workspace, p, tz="UTC")],
        [event(other_workspace, q), event(workspace, p)],
    ):
        group_commit.write(group)
        writes = [call for call in ran.pop() if call.columns]
        named = [next(uid for uid in (p, q) if [uid] in map(list, call.columns)) for call in writes]
        assert named == [p, q]


def test_groups_of_several_kinds_do_not_block_each_other(workspace, monkeypatch):
    group_commit.write([save(workspace, uid, meta={"n": 0}) for uid in "abcd"])
    conflicts, is_conflict = [], database._is_conflict
    monkeypatch.setattr(database, "_is_conflict", lambda error: conflicts.append(error) or is_conflict(error))
    results = []

    def write(*operations):
        results.extend(group_commit.write(operations))
        forget_connection()

    # Without an order, the one has b and c and wants d, the other has a and d and wants b.
    one = [save(workspace, "b", tz="UTC"), save(workspace, "c", tz="UTC"), event(workspace, "d")]
    other = [save(workspace, "a", tz="UTC"), save(workspace, "d", tz="UTC"), event(workspace, "b")]
    threads = [threading.Thread(target=write, args=group) for group in (one, other)]
    with db.atomic():
        users.lock(workspace, "c")
        for thread in threads:
            thread.start()
            time.sleep(0.3)  # until it waits
    for thread in threads:
        thread.join()
    assert not conflicts
    assert len(results) == 6 and None not in results
