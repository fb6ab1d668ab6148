"""The garbage collector does not stop a worker to look at what stays."""

import gc
import time

import pytest

from app.serving import worker


@pytest.fixture
def spared():
    """A process whose objects are spared, until the test is over."""
    usual = gc.get_threshold()
    worker._collect_less()
    yield
    gc.unfreeze()
    gc.set_threshold(*usual)


def test_a_collection_looks_at_nothing_that_was_there_at_the_start(spared):
    assert gc.get_freeze_count() > 10_000
    started = time.thread_time()  # of the CPU, as the machine may be busy
    gc.collect()
    assert time.thread_time() - started < 0.02


def test_garbage_that_is_made_later_is_still_collected(spared):
    for _ in range(100_000):
        ring = []
        ring.append(ring)
    assert len(gc.get_objects()) < 60_000
