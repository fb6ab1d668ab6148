"""The job process beside gunicorn: jobs never delay a request."""

import os
import subprocess
import sys
import threading

from app import logs
from app.services import storage

_LOOK = 1.0  # seconds between two looks whether it lives
_PAUSE = 5.0  # seconds until one that died is replaced; it may die of the same again
_STOP_SECONDS = 5.0  # that a job under way may take to end

_stop = threading.Event()
# A worker of gunicorn that is forked while Popen waits for the end of its pipe would hold the other end for life.
_starting = threading.Lock()
_keeper: threading.Thread | None = None


def start() -> None:
    """Start the worker, and start it again whenever it dies. Call once, in the master."""
    global _keeper
    os.register_at_fork(before=_starting.acquire, after_in_parent=_starting.release, after_in_child=_starting.release)
    _keeper = threading.Thread(target=_keep, name="job_process", daemon=True)
    _keeper.start()


def stop() -> None:
    """Stop the worker and wait until it is gone. A job that takes too long is killed; it will be done again."""
    _stop.set()
    if _keeper is not None:
        _keeper.join()


def _keep() -> None:
    while not _stop.is_set():
        with _starting:
            worker = subprocess.Popen(  # noqa: S603 - ours
                [sys.executable, "-m", "app.jobs", str(os.getpid()), storage.known_file()]
            )
        while worker.poll() is None and not _stop.wait(_LOOK):
            pass
        if _stop.is_set():
            _end(worker)
        else:
            _restart()


def _restart() -> None:
    """Wait; a process group that systemd stops is told to stop meanwhile."""
    if not _stop.wait(_PAUSE):
        logs.warning("worker_died", hint="starting another one")


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
