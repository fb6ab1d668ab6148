"""Limits that are taken in portions: never more than allowed, however many processes and threads count."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import clock
from app.services.rates import Policy
from app.services.rates.counters import Counters

PROCESSES, TIMES, ALLOWED = 4, 3_000, 5_000
PORTION = ALLOWED // 1_000
fork = multiprocessing.get_context("fork")


def _count(policy, seen):
    seen.put(sum(not policy.count("somebody").exceeded for _ in range(TIMES)))


def test_processes_together_get_what_is_allowed_less_what_lies_in_their_portions():
    policy, seen = Policy("key", f"{ALLOWED}/hour", Counters()), fork.Queue()
    children = [fork.Process(target=_count, args=(policy, seen)) for _ in range(PROCESSES)]
    for child in children:
        child.start()
    allowed = sum(seen.get(timeout=60) for _ in children)
    for child in children:
        child.join()
    assert ALLOWED - PROCESSES * PORTION <= allowed <= ALLOWED


def test_threads_never_get_the_same_time():
    policy = Policy("key", f"{ALLOWED}/hour", Counters())
    with ThreadPoolExecutor(8) as threads:
        times = [standing.times for standing in threads.map(lambda _: policy.count("somebody"), range(TIMES))]
    assert len(set(times)) == TIMES


@pytest.mark.parametrize("rate", ["3/minute", "3000/minute"])
def test_a_portion_ends_with_its_window(monkeypatch, rate):
    policy, now = Policy("key", rate, Counters()), clock.now()
    for minute in range(3):
        monkeypatch.setattr(clock, "now", lambda minute=minute: now + minute * 60_000)
        assert [policy.count("a").times for _ in range(4)] == [1, 2, 3, 4]
        assert policy.count("b").times == 1


def test_a_process_remembers_the_portions_of_so_many_only():
    policy = Policy("address", "10000/minute", Counters())
    assert {policy.count(str(number)).times for number in range(10_000)} == {1}
    assert len(policy._leases) <= 4_096
