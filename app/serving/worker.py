"""The gunicorn worker: gunicorn's asgi worker, parsing and connections its own, with the bridge as its application."""

from concurrent.futures import ThreadPoolExecutor

from gunicorn.workers.gasgi import ASGIWorker

from app.serving.bridge import Bridge


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
        self.asgi = Bridge(self.app.wsgi(), executor)

    def handle_quit_signal(self) -> None:
        """Drain on Ctrl-C as on SIGTERM: requests take milliseconds, and the terminal signals the workers too."""
        self.handle_exit_signal()
