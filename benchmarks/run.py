"""Rollcall beside its peers: the same machine, the same run, the same work, the same promise of durability.

    python -m benchmarks.run [--rounds 5] [--seconds 2] [--users 100000] [--only NAME,...]

Every contender is up with its own data, only one is loaded at a time, and each round takes all of them in turn, so that
a slow moment of the machine meets all alike. Prints a table and keeps it, with every figure behind it, in
benchmarks/results/.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks import processes, tables, wrk
from benchmarks.peers import CONTENDERS, Contender
from benchmarks.people import ACTIONS

RESULTS = Path(__file__).parent / "results"
MANY = 32  # connections
_SINGLE_EVERY = 2  # one connection is measured in every second round, for a second


def main() -> None:
    """Measure, print, keep."""
    options = _options()
    chosen = [one for one in CONTENDERS if not options.only or one.__name__ in options.only]
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-benchmark-", ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        Path(folder).chmod(0o755)
        ready, left_out = _prepare(chosen, Path(folder), options.users, stack)
        rounds = list(_measure(ready, options.rounds, options.seconds))
        report = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": "python -m benchmarks.run " + " ".join(sys.argv[1:]),
            "machine": machine(),
            "users": options.users,
            "contenders": {one.name: {"durability": one.durability, "note": one.note} for one in ready},
            "left_out": left_out,
            "rounds": rounds,
        }
    # Some alone must not take the place of a whole run of the same day.
    keep("peers-some" if options.only else "peers", report, tables.peers(report))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of load for each action with many connections")
    parser.add_argument("--users", type=int, default=100_000, help="preloaded")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=[], help="classes of benchmarks/peers, as Rollcall,Fastify"
    )
    return parser.parse_args()


def _prepare(
    chosen: list[type[Contender]], folder: Path, users: int, stack: ExitStack
) -> tuple[list[Contender], dict[str, str]]:
    """Start all that start; return them, and why each of the others is left out."""
    ready, left_out = [], {}
    for kind in chosen:
        print(f"starting {kind.name}", flush=True)
        began = time.monotonic()
        contender = None
        try:
            kind.install()
            contender = kind(folder, users)
            stack.callback(contender.stop)
            contender.start()
            contender.check()
            ready.append(contender)
            print(f"  {time.monotonic() - began:.1f} s", flush=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are measured
            traceback.print_exc()
            left_out[kind.name] = str(error)[-500:]
    return ready, left_out


def _measure(contenders: list[Contender], rounds: int, seconds: int) -> Iterator[dict[str, Any]]:
    """Yield what each contender did with each action in each round; round 0 warms up and is not yielded."""
    requests = [(contender, contender.requests()) for contender in contenders]  # while nobody is under load
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}", flush=True)
        for contender, by_action in requests:
            for action in ACTIONS:
                if number == 0:
                    wrk.run(contender.port, by_action[action], contender.users, MANY, 1)
                    continue
                yield _round(contender, action, by_action[action], number, MANY, seconds)
                if number % _SINGLE_EVERY:
                    yield _round(contender, action, by_action[action], number, 1, 1)


def _round(
    contender: Contender, action: str, request: wrk.Request, number: int, connections: int, seconds: int
) -> dict[str, Any]:
    before = processes.cpu_seconds(contender.pids())
    load = wrk.run(contender.port, request, contender.users, connections, seconds)
    used = processes.cpu_seconds(contender.pids()) - before
    return {
        "contender": contender.name,
        "action": action,
        "round": number,
        "connections": connections,
        **asdict(load),
        "rate": load.rate,
        "cpu_ms": used * 1000 / max(load.requests, 1),
        "memory_mib": processes.memory(contender.pids()),
        "peak_process_mib": max(map(processes.peak_resident, contender.pids())),
    }


def machine() -> dict[str, str]:
    """Return what a figure depends on."""
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    versions = {name: _output(name, "--version") for name in ("node", "wrk")}
    commit = _output("git", "rev-parse", "--short", "HEAD")
    return {
        "cpu": f"{psutil.cpu_count()} x {model.partition(':')[2].strip()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "disk": _output("findmnt", "-n", "-o", "SOURCE,FSTYPE", "-T", tempfile.gettempdir()),
        "python": f"{platform.python_version()} of {sys.base_prefix}, built {platform.python_build()[1]}",
        "load_before": f"{psutil.getloadavg()[0]:.2f}",
        "commit": commit,
        **versions,
    }


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).partition("\n")[0].strip()


def keep(name: str, report: dict[str, Any], text: str) -> None:
    """Print a report and keep it: all figures as JSON, and the table."""
    print(text, flush=True)
    stem = f"{datetime.now(UTC):%Y-%m-%d}-{name}"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{stem}.json").write_text(json.dumps(report, indent=1) + "\n")
    (RESULTS / f"{stem}.txt").write_text(text)


if __name__ == "__main__":
    main()
