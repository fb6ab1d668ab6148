"""A machine whose clock is set ahead and back: ids never go back, and no kept reply is forgotten early."""

import pytest

from app import clock, logs
from app.domain import ids
from app.models import jobs
from app.models.database import db
from app.services import marks, users
from tests.factories import fresh

DAY = 24 * 3_600_000  # milliseconds
pytestmark = pytest.mark.usefixtures("unmarked")
KEYED = {"headers": {"Idempotency-Key": "order-1"}}


@pytest.fixture
def at(monkeypatch):
    """Make it so many milliseconds later than it is."""
    real = clock.now()
    return lambda later: monkeypatch.setattr(clock, "now", lambda: real + later)


@pytest.fixture
def restarted(workspace, monkeypatch):
    """Start as a new process: it knows of no id. The users of another day go with the test."""

    def restart():
        monkeypatch.setattr(ids, "_last", (0, 0))
        marks.keep_ids_ahead()

    yield restart
    db.execute_sql(f"DELETE FROM users WHERE workspace_id = {workspace}")


@pytest.fixture
def warned(monkeypatch):
    """The names of the warnings that are logged."""
    names = []
    monkeypatch.setattr(logs, "warning", lambda name, **fields: names.append(name))
    return names


@pytest.mark.parametrize("by", ["a user", "the worker"])
def test_ids_do_not_go_back_with_the_clock(workspace, at, restarted, warned, by):
    at(2 * DAY)
    newest = ids.new()
    if by == "a user":
        newest = users.update(workspace, fresh(), {"first_name": "Ada"}, full=True).user.id
    else:
        marks.move(elapsed=0)
    at(0)
    restarted()
    assert ids.new() > newest and warned == ["clock_behind"]


def test_a_clock_that_is_a_little_behind_is_no_warning(workspace, at, restarted, warned):
    at(4 * 60_000)
    users.update(workspace, fresh(), {"first_name": "Ada"}, full=True)
    at(0)
    restarted()
    assert warned == []


def test_a_clock_that_jumps_ahead_forgets_no_reply_early(api, at):
    marks.move(elapsed=0)
    uid = fresh()
    api.post(f"users/{uid}/events", {"event": "e"}, **KEYED)
    at(2 * DAY)
    for _ in range(60):  # an hour of the monotonic clock
        marks.move(elapsed=60_000)
        again = api.post(f"users/{uid}/events", {"event": "e"}, **KEYED)
        assert again.headers["Idempotent-Replayed"] == "true"
    at(0)
    marks.move(elapsed=60_000)
    assert len(api.get(f"users/{uid}/events").json["data"]) == 1


def test_the_horizon_follows_the_clock_at_twice_its_speed_and_never_passes_it(app, at):
    at(0)
    marks.move(elapsed=0)
    first = jobs.last_run("replies")
    at(DAY)
    marks.move(elapsed=60_000)
    assert jobs.last_run("replies") == first + 120_000
    marks.move(elapsed=DAY)
    assert jobs.last_run("replies") == clock.now() - DAY
