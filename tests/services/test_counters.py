"""app/services/rates/counters.py: counting across processes that may die at any time."""

import multiprocessing
import os
import signal
import time

import pytest

from app import clock
from app.services.rates.counters import Counters

WINDOW = 60_000
PROCESSES, TIMES = 4, 5_000
fork = multiprocessing.get_context("fork")


@pytest.fixture
def at(monkeypatch):
    """Say what time it is."""
    return lambda now: monkeypatch.setattr(clock, "now", lambda: now)


def _count(counters, seen):
    seen.put([counters.add("somebody", WINDOW).times for _ in range(TIMES)])


def test_no_two_processes_get_the_same_count():
    counters, seen = Counters(), fork.Queue()
    children = [fork.Process(target=_count, args=(counters, seen)) for _ in range(PROCESSES)]
    for child in children:
        child.start()
    counts = sorted(count for _ in children for count in seen.get(timeout=30))
    for child in children:
        child.join()
    assert counts == list(range(1, PROCESSES * TIMES + 1))


def _die_with_the_lock(counters):
    import fcntl

    fcntl.lockf(counters._lock, fcntl.LOCK_EX)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_killed_leaves_no_lock():
    counters = Counters()
    child = fork.Process(target=_die_with_the_lock, args=(counters,))
    child.start()
    child.join()
    started = time.monotonic()
    assert child.exitcode == -signal.SIGKILL and counters.add("somebody", WINDOW).times == 1
    assert time.monotonic() - started < 1


def test_a_count_ends_with_its_window(at):
    counters = Counters()
    at(1_000)
    assert [counters.add("a", 500) for _ in range(2)] == [(1, 1_500), (2, 1_500)]
    at(1_499)
    assert counters.read("a") == (2, 1_500)
    at(1_500)
    assert counters.read("a") == (0, 1_500) and counters.add("a", 500) == (1, 2_000)


def test_a_clock_that_is_set_back_does_not_lengthen_a_window(at):
    counters = Counters()
    at(100_000)
    counters.add("a", 500)
    at(1_000)
    assert counters.add("a", 500) == (1, 1_500)


def test_a_full_table_forgets_the_smallest_count_and_never_grows(at):
    counters = Counters(buckets=1)
    at(0)
    for times, name in enumerate("abcd", start=1):
        for _ in range(times):
            counters.add(name, WINDOW)
    assert counters.add("e", WINDOW).times == 1
    assert [counters.read(name).times for name in "abcde"] == [0, 2, 3, 4, 1]


def test_names_are_counted_apart():
    counters = Counters()
    # Of so many five share a bucket of four once in 300,000 runs; of 5,000 it was one run in seven.
    names = [f"address/10.0.{one >> 8}.{one & 255}" for one in range(500)]
    assert {counters.add(name, WINDOW).times for name in names} == {1}
    assert {counters.add(name, WINDOW).times for name in names} == {2}
