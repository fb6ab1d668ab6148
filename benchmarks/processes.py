"""What a contender's processes use: all of them, the database server's too."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

import psutil

MIB = 1024 * 1024


def tree(roots: Iterable[int]) -> list[psutil.Process]:
    """Return the processes of these ids and all that they have started."""
    found: dict[int, psutil.Process] = {}
    for root in roots:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(root)
            found |= {one.pid: one for one in (process, *process.children(recursive=True))}
    return list(found.values())


def cpu_seconds(roots: Iterable[int]) -> float:
    """Return the CPU time the tree has used so far, that of children that have ended included; ticks are 10 ms."""
    total = 0.0
    for process in tree(roots):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def memory(roots: Iterable[int]) -> float:
    """Return what the tree occupies, in MiB: proportional set size, so that shared pages count once."""
    total = 0
    for process in tree(roots):
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            total += _kib(Path(f"/proc/{process.pid}/smaps_rollup").read_text(), "Pss:")
    return total / 1024


def peak_resident(pid: int) -> float:
    """Return the most that one process has had resident, in MiB."""
    return _kib(Path(f"/proc/{pid}/status").read_text(), "VmHWM:") / 1024


def _kib(text: str, name: str) -> int:
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(name)), 0)
