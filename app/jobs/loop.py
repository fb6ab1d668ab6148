"""The worker loop: one thread, one job at a time, no state that a crash could lose.

Any number of workers may run, on any number of machines: each job sees to it that one of them does it.
"""

import os
import signal
import threading
from types import FrameType

from app import banner, errors, logs
from app.config import Settings
from app.jobs import upkeep
from app.services import storage

TICK = 1.0  # seconds between two looks at what is due
_AWAY = 5.0  # seconds to leave a database alone that is away


def run(settings: Settings, parent: int | None = None, file: str = "") -> None:
    """Work until SIGTERM or Ctrl-C, or until `parent`, the process that started this one, is gone.

    A job that is under way is left to its end but for the end of the parent. file: as of `storage.expect_file`.
    Raises errors.Misconfigured.
    """
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    for one in (signal.SIGINT, signal.SIGQUIT):  # a terminal sends them to the parent as well, which passes SIGTERM on
        signal.signal(one, ask if parent is None else signal.SIG_IGN)
    if parent is not None:
        threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    logs.configure(settings.log_level)
    storage.open(settings)
    if file:
        storage.expect_file(file)
    has_more = False
    while not stop.wait(0 if has_more else TICK):
        has_more = False
        try:
            made = storage.ensure_prepared(settings)
            if made:
                banner.show(settings, made)
            has_more = work(settings)
        except errors.StorageUnavailable:
            stop.wait(_AWAY)
        except errors.Failure as failure:
            logs.fault(failure)
    storage.disconnect()


def work(settings: Settings) -> bool:
    """Do what is due; return whether there is more to do at once."""
    results = [job(settings) for job in upkeep.JOBS]  # each of them, whatever the others say
    return any(results)


def _die_with(parent: int) -> None:
    """Like a kill -9, which every job survives: the parent may have died of one."""
    waiting = threading.Event()
    while os.getppid() == parent:
        waiting.wait(TICK)
    os._exit(0)
