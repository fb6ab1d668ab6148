"""The gunicorn worker: gunicorn's asgi worker with our parser, connections and bridge."""

import asyncio
import gc
import os
import signal
from concurrent.futures import ThreadPoolExecutor

from gunicorn.workers.gasgi import ASGIWorker

from app.services import storage
from app.serving.accepting import Listener, Share
from app.serving.bridge import Bridge
from app.serving.connections import Connections, most_connections, take_fast_parser
from app.serving.direct import DirectConnection
from app.serving.threads import Threads

_HEARTBEAT = 1.0  # seconds; how soon a worker sees that it should stop, far below gunicorn's `timeout`
_NEW_OBJECTS = 50_000  # between two collections; a batch of 1,000 makes 10,000
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class Worker(ASGIWorker):  # type: ignore[misc]
    """Serves a WSGI application whose clients may be as slow as they like.

    With gunicorn's `threads` at 1 the application is called on the event loop; with more it runs in so many threads.
    """

    @classmethod
    def check_config(cls, cfg, log):  # type: ignore[no-untyped-def]
        """Nothing to warn of: unlike the asgi worker this one uses `threads`."""

    def load_wsgi(self) -> None:
        """Load the WSGI application and put the bridge around it."""
        executor = ThreadPoolExecutor(self.cfg.threads, "request") if self.cfg.threads > 1 else None
        application = self.app.wsgi()
        hot = getattr(application, "extensions", {}).get("hot")
        self.asgi = Bridge(application, executor, hot, threads=None if executor else Threads())

    def init_signals(self) -> None:
        """Hold signals back until the event loop runs: uvloop loses one that comes before it does."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        super().init_signals()

    async def _serve(self) -> None:
        """As gunicorn's, with our connections in place of its own, and without the lifespan protocol."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
        take_fast_parser()
        storage.hurry()
        _collect_less()
        share = Share(self.age)
        self.connections = Connections(most_connections(self.cfg.worker_connections), share)
        if self.asgi.groups:
            self.asgi.groups.most = self.connections.__len__
        for listening in self.sockets:
            self.servers.append(
                Listener(listening.sock, lambda: DirectConnection(self), self._get_ssl_context(), share)
            )
        while self.alive and self.ppid == os.getppid():
            self.notify()
            storage.close_idle_connections()
            await asyncio.sleep(_HEARTBEAT)
        await self._shutdown()

    def handle_quit_signal(self) -> None:
        """Drain on Ctrl-C as on SIGTERM: requests take milliseconds, and the terminal signals the workers too."""
        self.handle_exit_signal()


def _collect_less() -> None:
    """Collect garbage less often, and not among what is there before the first request: a batch in two thirds.

    To look at the 100,000 objects of the application took 40 ms, in which nobody was answered: with 32 connections the
    99th percentile of a page was 14 times its median, and is 3 times without. A read takes a tenth less CPU time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


def stop_newborn_workers() -> None:
    """See that a worker which is asked to stop while it is being born does so. Call once, in the master.

    Until its own handlers are in place it has those of the master, which would note the signal and never look at it:
    the stop would then wait for the whole ROLLCALL_SHUTDOWN_TIMEOUT.
    """
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS),
        after_in_child=_die_when_asked,
    )


def _die_when_asked() -> None:
    for one in _STOP_SIGNALS:
        signal.signal(one, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
