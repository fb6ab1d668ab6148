"""Connections are shared out among the workers, and none waits for that."""

import contextlib
import os
import signal
import socket
import time

import psutil
import pytest

CLIENTS = 32
TIMES = 5


@pytest.fixture
def both(service):
    """The service when both workers accept: the first one to start answers for both."""
    _await(lambda: min(_come(service), default=0))
    return service


def _await(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _come(service):
    """Let clients come at once; return how many connections each worker has while all of them are there."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(_connect(service)) for _ in range(CLIENTS)]
        assert all(_ask(one).startswith(b"HTTP/1.1 200") for one in clients)
        return _connections(service)


def _connect(service):
    return socket.create_connection(("127.0.0.1", service.port), timeout=5)


def _ask(client):
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    return client.recv(65_536)


def _connections(service):
    return [
        sum(1 for c in one.net_connections("tcp") if c.status == "ESTABLISHED" and c.laddr.port == service.port)
        for one in _workers(service)
    ]


def _workers(service):
    return [one for one in psutil.Process(service.process.pid).children() if "app.jobs" not in one.cmdline()]


def test_clients_who_come_at_once_are_shared_out(both):
    assert _fewest(both) > 0.35 * CLIENTS


def test_a_worker_in_the_place_of_one_that_died_gets_its_share(both):
    killed = _workers(both)[0]
    killed.kill()
    _await(lambda: killed not in _workers(both) and len(_workers(both)) == 2 and min(_come(both)))
    assert _fewest(both) > 0.35 * CLIENTS


def _fewest(service):
    """How many the worker with the fewest has, on average."""
    return sum(min(_come(service)) for _ in range(TIMES)) / TIMES


def test_a_worker_that_hangs_keeps_no_client_waiting_for_long(both):
    """They come one after the other: of two at once the hanging one may have accepted one before it hung."""
    hanging = _workers(both)[0]
    hanging.suspend()
    try:
        with contextlib.ExitStack() as stack:
            started = time.monotonic()
            for _ in range(CLIENTS):
                assert _ask(stack.enter_context(_connect(both))).startswith(b"HTTP/1.1 200")
            assert time.monotonic() - started < 2
    finally:
        os.kill(hanging.pid, signal.SIGCONT)
