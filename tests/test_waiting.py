"""Code that waits in a greenlet: the event loop goes on, and nothing of it is left behind."""

import asyncio
import socket
import threading
import time

import pytest
import uvloop

from app import waiting

SECONDS = 10.0  # in which a file of these tests has something to say


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request):
    """Run a function by `waiting.run`; return what it returns, and how many turns the loop did meanwhile."""

    async def main(function):
        future, turns = asyncio.get_running_loop().create_future(), 0
        waiting.run(function, future.set_result)
        while not future.done():
            await asyncio.sleep(0)
            turns += 1
        return future.result(), turns

    with asyncio.Runner(loop_factory=request.param) as runner:
        yield lambda function: runner.run(asyncio.wait_for(main(function), 10))


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_what_waits_for_nothing_is_done_at_once():
    done = []
    waiting.run(lambda: "done", done.append)
    assert done == ["done"] and not waiting.may_stop()


def test_the_loop_goes_on_while_a_file_is_waited_for(run, pair):
    ours, theirs = pair

    def work():
        asyncio.get_running_loop().call_later(0.02, theirs.send, b"x")
        return waiting.until(ours.fileno(), waiting.READABLE, SECONDS), ours.recv(1)

    found, turns = run(work)
    assert found == (waiting.READABLE, b"x") and turns > 10


def test_a_file_that_says_nothing_is_waited_for_until_the_deadline(run):
    def work():
        ours, theirs = socket.socketpair()
        with ours, theirs:
            return waiting.until(ours.fileno(), waiting.READABLE, 0.02)

    event, turns = run(work)
    assert event == 0 and turns > 1


def test_either_of_two_events_is_enough_and_the_other_one_is_forgotten(run, pair):
    ours, theirs = pair
    theirs.send(b"x")

    def work():
        first = waiting.until(ours.fileno(), waiting.READABLE | waiting.WRITABLE, SECONDS)
        waiting.sleep(0.01)
        return first, waiting.until(ours.fileno(), waiting.READABLE, SECONDS)

    (first, second), _ = run(work)
    assert first in (waiting.READABLE, waiting.WRITABLE) and second == waiting.READABLE


def test_a_number_that_another_file_has_taken_over_is_waited_for_again(run):
    def work():
        for byte in (b"a", b"b"):
            ours, theirs = socket.socketpair()
            with ours, theirs:
                asyncio.get_running_loop().call_later(0.01, theirs.send, byte)
                numbers.append(ours.fileno())
                waiting.until(ours.fileno(), waiting.READABLE, SECONDS)
                received.append(ours.recv(1))

    numbers, received = [], []
    run(work)
    assert received == [b"a", b"b"] and numbers[0] == numbers[1]


def test_what_waits_in_a_way_of_its_own_does_so_in_a_thread(run):
    def work():
        thread = waiting.blocking(lambda: (time.sleep(0.02), threading.current_thread())[1])
        try:
            waiting.blocking(lambda: 1 / 0)
        except ZeroDivisionError:
            return thread
        return None

    thread, turns = run(work)
    assert thread is not threading.current_thread() and thread is not None and turns > 10


def test_several_wait_at_the_same_time(run):
    def work():
        waiting.run(lambda: waiting.sleep(0.02) or order.append("inner"), lambda _: order.append("inner done"))
        waiting.sleep(0.05)
        order.append("outer")

    order = []
    run(work)
    assert order == ["inner", "inner done", "outer"]


def test_elsewhere_the_same_functions_wait_as_any_other():
    began = time.monotonic()
    waiting.sleep(0.01)
    assert time.monotonic() - began >= 0.01
    assert waiting.blocking(threading.current_thread) is threading.current_thread()
