"""Which processes ask the database in vain, as all of them see it."""

import os
import time

import pytest

from app.models.stores import pulse


@pytest.fixture(autouse=True)
def table(monkeypatch):
    """A table of this test alone."""
    monkeypatch.setattr(pulse, "_table", pulse._Table())


def test_who_asks_without_an_answer_is_found_until_there_is_one():
    assert pulse.in_vain(0.0) is None
    pulse.asks()
    time.sleep(0.02)
    pulse.asks()
    found = pulse.in_vain(0.01)
    assert found.process == os.getpid() and found.seconds > 0.01
    pulse.answered()
    assert pulse.in_vain(0.0) is None


def test_who_has_not_asked_for_a_while_does_not_count():
    pulse.asks()
    time.sleep(0.02)
    assert pulse.in_vain(0.01) is None


def test_a_child_is_seen_by_its_parent_until_it_is_dead():
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        pulse.asks()
        os.write(writing, b".")
        time.sleep(60)
        os._exit(0)
    os.read(reading, 1)
    seconds = 0.000_001
    assert pulse.in_vain(seconds) is None or pulse.in_vain(seconds).process == child
    assert (
        pulse._SLOT.unpack_from(pulse._table.memory, pulse._SCARCE.size + child % pulse._MOST * pulse._SLOT.size)[0]
        == child
    )
    os.kill(child, 9)
    os.waitpid(child, 0)
    assert pulse.in_vain(0.0) is None
    os.close(reading)
    os.close(writing)


def test_scarcity_is_known_to_all_for_a_while(monkeypatch):
    assert not pulse.is_scarce()
    pulse.note_scarcity()
    assert pulse.is_scarce()
    monkeypatch.setattr(pulse, "_SCARCE_SECONDS", 0.0)
    assert not pulse.is_scarce()
