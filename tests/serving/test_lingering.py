"""The event loop stays awake for who asks quickly, and for nobody else."""

import asyncio
import itertools

import pytest

from app.serving import lingering
from app.serving.gathering import Gathering
from app.serving.lingering import Lingering

QUICK, SLOW = 0.000_2, 0.01  # seconds between two answers


@pytest.fixture
def turns(monkeypatch):
    """Run a coroutine function with a clock that a turn moves by 20 us; return how many turns were made by then."""
    clock, made = itertools.count(0.0, 0.000_02), []
    monkeypatch.setattr(lingering, "_cores", lambda: 2)
    monkeypatch.setattr(lingering.os, "sched_yield", lambda: made.append(1))
    monkeypatch.setattr(lingering.time, "perf_counter", lambda: turns.shift + next(clock))
    turns.shift = 100.0

    def run(work):
        asyncio.run(work())
        return len(made)

    return run


def _answers(pauses):
    async def work():
        kept = Lingering()
        for pause in pauses:
            turns.shift += pause
            kept.answered()
        await asyncio.sleep(0.05)

    return work


def test_two_quick_answers_keep_the_loop_awake_and_it_falls_asleep_when_no_third_comes(turns):
    assert 10 < turns(_answers([SLOW, QUICK])) < 30


@pytest.mark.parametrize("pauses", [[SLOW], [SLOW, SLOW, SLOW]])
def test_it_sleeps_between_answers_that_come_slowly(turns, pauses):
    assert turns(_answers(pauses)) == 0


def test_it_sleeps_where_there_is_one_core(turns, monkeypatch):
    monkeypatch.setattr(lingering, "_cores", lambda: 1)
    assert turns(_answers([SLOW, QUICK, QUICK])) == 0


@pytest.mark.parametrize(("most", "expected"), [(1, True), (2, False)])
def test_it_stays_awake_for_one_connection_only(turns, most, expected):
    async def work():
        gathering = Gathering(lambda requests: requests, "fault")
        gathering.most = lambda: most
        for _ in range(3):
            gathering.offer("a", lambda answer: None)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)

    assert bool(turns(work)) == expected
