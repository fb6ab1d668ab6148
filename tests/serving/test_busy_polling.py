"""The event loop stays awake for who asks quickly, and for nobody else."""

import asyncio

import pytest

from app.serving import busy_polling
from app.serving.busy_polling import BusyPolling
from app.serving.groups import Groups

QUICK, SLOW = 0.000_2, 0.01  # seconds between two answers


class _Clock:
    """A clock in place of `time`, which a look at it moves by 20 us, and a count of the loop's turns."""

    def __init__(self):
        self.now, self.turns = 100.0, 0

    def perf_counter(self):
        self.now += 0.000_02
        return self.now

    def turn(self):
        self.turns += 1


@pytest.fixture
def clock(monkeypatch):
    clock = _Clock()
    monkeypatch.setattr(busy_polling, "_cores", lambda: 2)
    monkeypatch.setattr(busy_polling.os, "sched_yield", clock.turn)
    monkeypatch.setattr(busy_polling, "time", clock)
    return clock


def _turns(clock, pauses):
    """Answer after each of the pauses, in seconds; return how many turns the loop made that it need not."""

    async def work():
        kept = BusyPolling()
        for pause in pauses:
            clock.now += pause
            kept.answered()
        await _turn_often()

    asyncio.run(work())
    return clock.turns


async def _turn_often():
    """Let the event loop turn far more often than it stays awake for: by the clock here, 20 times."""
    for _ in range(200):
        await asyncio.sleep(0)


def test_two_quick_answers_keep_the_loop_awake_and_it_falls_asleep_when_no_third_comes(clock):
    assert 10 < _turns(clock, [SLOW, QUICK]) < 30


@pytest.mark.parametrize("pauses", [[SLOW], [SLOW, SLOW, SLOW]])
def test_it_sleeps_between_answers_that_come_slowly(clock, pauses):
    assert _turns(clock, pauses) == 0


def test_it_sleeps_where_there_is_one_core(clock, monkeypatch):
    monkeypatch.setattr(busy_polling, "_cores", lambda: 1)
    assert _turns(clock, [SLOW, QUICK, QUICK]) == 0


@pytest.mark.parametrize(("most", "expected"), [(1, True), (2, False)])
def test_it_stays_awake_for_one_connection_only(clock, most, expected):
    async def work():
        groups = Groups(lambda requests: requests, "fault")
        groups.most = lambda: most
        for _ in range(3):
            groups.offer("a", lambda answer: None)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await _turn_often()

    asyncio.run(work())
    assert bool(clock.turns) == expected
