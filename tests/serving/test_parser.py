"""The HTTP parser is gunicorn's own in C, not the one in Python that it falls back to without a word."""

import asyncio

from gunicorn.config import Config
from gunicorn_h1c import H1CProtocol

from app.serving.accepting import Share
from app.serving.connections import Connection, Connections, take_fast_parser
from app.serving.direct import DirectConnection


class _Worker:
    """What a connection needs of a worker until it is asked for something."""

    def __init__(self, loop):
        self.cfg, self.loop, self.connections = Config(), loop, Connections(10, Share(1))
        self.log = self.asgi = None
        self.nr_conns, self.max_requests, self.alive = 0, 1, True


class _Transport(asyncio.Transport):
    def set_write_buffer_limits(self, high=None, low=None):
        pass


def test_both_kinds_of_connection_use_it():
    async def parsers():
        take_fast_parser()
        found = []
        for kind in (Connection, DirectConnection):
            connection = kind(_Worker(asyncio.get_running_loop()))
            connection.connection_made(_Transport())
            found.append(type(connection._callback_parser))
            connection.connection_lost(None)
        return found

    assert asyncio.run(parsers()) == [H1CProtocol, H1CProtocol]
