"""Connections are shared out among the workers, and none waits for that."""

import asyncio
import contextlib
import os
import signal
import socket
import time

import pytest

from app.serving.accepting import Listener, Share
from tests.conftest import in_one_process
from tests.factories import Service, wait_until

CLIENTS = 32
PATIENCE = 10  # seconds, far below the 30 after which gunicorn replaces a worker that hangs


@pytest.fixture(scope="module", params=in_one_process("accepting"))
def both(request, migrated_database):
    """A service whose workers may be killed, when both accept: the first one to start answers for both."""
    with Service(migrated_database(request.param)) as service:
        wait_until(lambda: min(_come(service), default=0))
        yield service


def _come(service):
    """Let clients come at once; return how many connections each worker has while all of them are there."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(_connect(service)) for _ in range(CLIENTS)]
        assert all(_ask(one).startswith(b"HTTP/1.1 200") for one in clients)
        return _connections(service)


def _connect(service):
    return socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE)


def _ask(client):
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    return client.recv(65_536)


def _connections(service):
    return [
        sum(1 for c in one.net_connections("tcp") if c.status == "ESTABLISHED" and c.laddr.port == service.port)
        for one in service.workers()
    ]


def test_of_clients_who_come_at_once_whoever_has_fewer_takes_more():
    """Two workers in one loop, one of which has half as many connections already as come now."""
    counts = asyncio.run(_accepted([CLIENTS // 2, 0]))
    assert sum(counts) == CLIENTS * 3 // 2 and max(counts) - min(counts) <= 6


async def _accepted(had):
    shares = [Share(1), Share(2)]
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=CLIENTS))
        listening.setblocking(False)
        counts = list(had)

        class Noted(asyncio.Protocol):
            def __init__(self, at):
                counts[at] += 1
                shares[at].tell(counts[at])

        for share, count in zip(shares, had, strict=True):
            share.tell(count)
        workers = [Listener(listening.dup(), lambda at=at: Noted(at), None, shares[at]) for at in (0, 1)]
        for _ in range(CLIENTS):
            stack.enter_context(socket.create_connection(listening.getsockname()))
        while sum(counts) < sum(had) + CLIENTS:
            await asyncio.sleep(0.001)
        for one in workers:
            one.close()
            await one.wait_closed()
    return counts


def test_a_share_that_is_left_counts_no_more():
    one, other = Share(1), Share(2)
    one.tell(1)
    assert not one.may_grow()
    other.leave()
    other.tell(0)
    assert one.may_grow()
    one.leave()


@pytest.mark.ci
def test_a_worker_in_the_place_of_one_that_died_is_given_connections(both):
    killed = both.workers()[0]
    killed.kill()
    wait_until(lambda: killed not in both.workers() and len(both.workers()) == 2 and min(_come(both)) > 0)


@pytest.mark.ci
def test_a_worker_that_hangs_keeps_no_client_waiting_for_long(both):
    """They come one after the other: of two at once the hanging one may have accepted one before it hung."""
    hanging = both.workers()[0]
    hanging.suspend()
    try:
        with contextlib.ExitStack() as stack:
            started = time.monotonic()
            for _ in range(CLIENTS):
                assert _ask(stack.enter_context(_connect(both))).startswith(b"HTTP/1.1 200")
            assert time.monotonic() - started < PATIENCE
    finally:
        os.kill(hanging.pid, signal.SIGCONT)
