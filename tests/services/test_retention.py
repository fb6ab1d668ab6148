"""How long events are kept, and which partitions they lie in."""

import threading
from datetime import UTC, datetime

import pytest

from app import clock
from app.config import Settings
from app.domain import ids
from app.models import expiry, locks, months
from app.models.database import db, forget_connection
from app.models.months import Month
from app.services import events, merges, retention, storage, users, workspaces
from app.services.audit import SHELL

partitioned = pytest.mark.parametrize("engine", ["postgres"])  # SQLite has no partitions


def moment(*date):
    """A moment of UTC in epoch milliseconds."""
    return int(datetime(*date, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def at(monkeypatch):
    """Make it that time; ids made then do not stay ahead of those of the tests that follow."""
    monkeypatch.setattr(ids, "_last", ids._last)
    return lambda *date: monkeypatch.setattr(clock, "now", lambda: moment(*date))


@pytest.fixture
def alone(new_database, engine, at):
    """A database of this test alone, made in May 2031; the id of its workspace."""
    at(2031, 5, 15)
    settings = Settings(database_url=new_database(engine), log_level="critical")
    storage.open(settings)
    storage.prepare(settings)
    yield workspaces.everything()[0].id
    forget_connection()


def record(workspace, uid, *date):
    events.record(workspace, uid, f"at {date}", timestamp=moment(*date))


def kept(workspace, uid):
    """The names of a user's events, oldest first."""
    return [row.event for row in reversed(events.page(workspace, uid, 100).rows)]


def rows_in(table):
    return db.execute_sql(f"SELECT count(*) FROM {table}").fetchone()[0]


def tables_of(month):
    return [one.table for one in month]


def test_no_event_older_than_the_days_is_readable_after_a_sweep(alone):
    for uid in ("ada", "eve"):
        for date in [(1900, 1, 2), (1969, 12, 31), (2029, 1, 1), (2031, 4, 14, 23, 59, 59), (2031, 4, 15), (2031, 5, 1),
                     (2031, 5, 15), (2031, 9, 1), (2199, 12, 31)]:  # fmt: skip
            record(alone, uid, *date)
    assert retention.sweep(days=30).events == 8
    left = [f"at {date}" for date in [(2031, 4, 15), (2031, 5, 1), (2031, 5, 15), (2031, 9, 1), (2199, 12, 31)]]
    assert kept(alone, "ada") == kept(alone, "eve") == left
    assert retention.sweep(days=30) == (0, 0)


def test_a_sweep_is_of_every_workspace(alone):
    other = workspaces.find(workspaces.create("other").workspace)
    for workspace in (alone, other):
        record(workspace, "ada", 2029, 1, 1)
    assert retention.sweep(days=30).events == 2
    assert kept(alone, "ada") == kept(other, "ada") == []


def test_a_sweep_goes_through_users_and_events_a_few_at_a_time(alone, monkeypatch):
    monkeypatch.setattr(expiry, "_USERS", 2)
    monkeypatch.setattr(expiry, "_ROWS", 3)
    for number in range(5):
        for day in range(1, 8):
            record(alone, f"u{number}", 2029, 1, day)
        record(alone, f"u{number}", 2031, 5, 14)
    step, steps = expiry.Step("", 0), []
    while step.after is not None:
        step = expiry.sweep(alone, step.after, moment(2031, 5, 1))
        steps.append(step.deleted)
    assert sum(steps) == 35 and max(steps) == 3
    assert all(len(kept(alone, f"u{number}")) == 1 for number in range(5))


def test_it_is_swept_once_an_hour_by_one_process(alone, at):
    done = []
    for hour, minute in [(1, 0), (1, 59), (2, 0), (2, 1), (9, 0)]:
        at(2031, 5, 15, hour, minute)
        done.append(retention.sweep_when_due(days=30))
    assert done == [True, False, True, False, True]
    at(2031, 5, 15, 11)
    held, over = threading.Event(), threading.Event()

    def hold():
        with locks.claim(locks.WORKING):
            held.set()
            over.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    assert not retention.sweep_when_due(days=30)
    over.set()
    thread.join()


def test_the_id_of_an_event_that_is_gone_is_still_taken(alone):
    for _ in range(2):
        events.record(alone, "ada", "Paid", timestamp=moment(2029, 1, 1), id="payment-1")
        retention.sweep(days=30)
    events.record(alone, "ada", "Paid", id="payment-1")
    assert kept(alone, "ada") == []


def test_a_retry_is_applied_once_also_with_another_month(alone):
    for month in (5, 6, 7):
        events.record(alone, "ada", "Paid", timestamp=moment(2031, month, 1), id="payment-1")
    assert kept(alone, "ada") == ["Paid"]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_on_sqlite_there_are_no_months(alone):
    assert (retention.make_months(), months.kept()) == ([], [])


@partitioned
def test_a_month_is_dropped_whole_once_all_of_it_is_too_old(alone, at):
    record(alone, "ada", 2031, 5, 31, 23, 59)
    record(alone, "ada", 2031, 6, 1)
    assert [rows_in(f"events_2031_0{number}") for number in (5, 6)] == [1, 1]
    at(2031, 6, 30)
    assert retention.sweep(days=30) == (0, 0)
    at(2031, 7, 1)
    assert retention.sweep(days=30) == (1, 0)
    assert kept(alone, "ada") == ["at (2031, 6, 1)"]
    assert Month(2031, 5) not in months.kept()
    record(alone, "ada", 2031, 5, 31)  # late, and not refused
    assert len(kept(alone, "ada")) == 2


@partitioned
def test_a_month_that_cannot_be_dropped_now_is_emptied(alone, at, monkeypatch):
    monkeypatch.setattr(months, "_LOCK_WAIT", 100)
    record(alone, "ada", 2031, 5, 20)
    at(2032, 1, 1)
    reading, over = threading.Event(), threading.Event()

    def read():
        with db.connection_context(), db.atomic():
            db.execute_sql("SELECT count(*) FROM events").fetchall()
            reading.set()
            over.wait(20)

    thread = threading.Thread(target=read)
    thread.start()
    reading.wait(10)
    assert retention.sweep(days=30) == (0, 1)
    over.set()
    thread.join()
    assert kept(alone, "ada") == [] and retention.sweep(days=30).months == 4


@partitioned
def test_this_month_and_the_next_three_have_a_partition(alone, at):
    assert tables_of(months.kept()) == [f"events_2031_0{number}" for number in (5, 6, 7, 8)]
    assert retention.make_months() == []
    at(2031, 11, 30, 23, 59, 59)
    assert tables_of(retention.make_months()) == [
        "events_2031_11",
        "events_2031_12",
        "events_2032_01",
        "events_2032_02",
    ]
    assert retention.make_months() == []


@partitioned
def test_events_from_before_their_month_had_a_partition_move_there(alone, at):
    dates = [(2031, 10, 31, 23, 59, 59), (2031, 11, 1), (2031, 11, 30), (2031, 12, 31), (2032, 1, 1)]
    for date in dates:
        record(alone, "ada", *date)
    assert rows_in("events_default") == 5
    at(2031, 9, 1)
    assert tables_of(retention.make_months()) == [f"events_2031_{number:02d}" for number in (9, 10, 11, 12)]
    assert [rows_in(f"events_2031_{number}") for number in (10, 11, 12)] == [1, 2, 1] and rows_in("events_default") == 1
    assert kept(alone, "ada") == [f"at {date}" for date in dates]
    users.delete(alone, "ada", SHELL)
    assert rows_in("events") == 0


@partitioned
def test_a_past_month_with_many_events_gets_a_partition_and_one_with_too_many_does_not(alone, monkeypatch):
    monkeypatch.setattr(months, "_WORTH", 2)
    monkeypatch.setattr(months, "_MOST", 3)
    for date in [(1969, 12, 1), (1969, 12, 31, 23, 59, 59), (1970, 1, 1), *[(2020, 2, day) for day in range(1, 5)],
                 *[(2024, 2, day) for day in (1, 28, 29)]]:  # fmt: skip
        record(alone, "ada", *date)
    before = kept(alone, "ada")
    assert tables_of(retention.make_months()) == ["events_1969_12", "events_2024_02"]
    assert (rows_in("events_1969_12"), rows_in("events_2024_02"), rows_in("events_default")) == (2, 3, 5)
    assert kept(alone, "ada") == before


@partitioned
def test_one_month_that_cannot_be_made_holds_up_no_other(alone, at):
    at(2031, 6, 15)
    db.execute_sql("CREATE TABLE events_2031_09 (a TEXT)")
    assert retention.make_months() == []
    at(2031, 7, 15)
    assert tables_of(retention.make_months()) == ["events_2031_10"]


@partitioned
def test_a_merge_moves_the_events_of_all_months(alone):
    for uid in ("ada", "eve"):
        for month in (1, 5, 6, 12):
            record(alone, uid, 2031, month, 1)
    merges.merge(alone, "eve", "ada", full=True, caller=SHELL)
    assert len(kept(alone, "ada")) == 8


@partitioned
def test_events_are_recorded_while_months_come_and_go(alone, at):
    """Whoever writes waits for the partitions at most, and loses nothing."""
    stop, written, failures = threading.Event(), [], []

    def write(number):
        try:
            while not stop.is_set():
                record(alone, f"w{number}", 2031, 9 + len(written) % 3, 1)
                written.append(number)
        except Exception as error:  # noqa: BLE001 - told by the assertion
            failures.append(error)
        finally:
            forget_connection()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for one in writers:
        one.start()
    for number in range(6, 13):
        at(2031, number, 1)
        for _ in range(20):  # a month that cannot be locked within a second is left for the next time
            retention.make_months()
            if not months.missing(clock.now()):
                break
    stop.set()
    for one in writers:
        one.join()
    assert not failures and rows_in("events") == len(written) > 0
    assert Month(2031, 9) in months.kept() and rows_in("events_2031_09") > 0
