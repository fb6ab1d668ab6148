"""What Rollcall is held to by itself: its routes beside what they could cost at least, in ratios of one run.

    python -m benchmarks.floors [--only PART,...] [--rounds 5] [--seconds 2]

The parts: flask, naive, commits, sqlite, postgres, lone, depth, latency. Each stands alone and takes one to four
minutes; its servers are up together and each round takes them in turn. The parts of a day are kept together in
benchmarks/results/.
"""

import argparse
import itertools
import json
import math
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import psutil

from benchmarks import filling, processes, tables, wrk
from benchmarks.peers.contender import BASIC, SOURCES, Contender
from benchmarks.peers.fastify import Fastify, FastifyOne, FastifyPostgres
from benchmarks.peers.naive import Naive
from benchmarks.peers.pocketbase import PocketBase
from benchmarks.peers.rollcall import Rollcall, RollcallFlask, RollcallPostgres
from benchmarks.people import ACTIONS, PAGE
from benchmarks.run import MANY, RESULTS, keep, machine

_USERS = 100_000  # preloaded, but for the page at depth
_DEEP = 1_000_000  # the row at which a deep page begins
_STRACE_SECONDS = 3
_SHOWN = ("rate", "p50", "p99", "cpu_ms")  # of what each round measured


class Goal(NamedTuple):
    """A ratio and the limit it must keep. least: whether it must be at least that, else at most."""

    part: str
    what: str
    value: float
    limit: float
    least: bool = True

    @property
    def is_met(self) -> bool:
        """Whether it keeps the limit."""
        return self.value >= self.limit if self.least else self.value <= self.limit


def _served_by(module: str) -> tuple[str, ...]:
    return ("-m", "gunicorn", "-c", "python:app.serving.defaults", "--pythonpath", str(SOURCES), f"{module}:app")


class Constant(RollcallFlask):
    """The service through Flask alone, with a route that asks no database, and one that only runs the statement."""

    name = "Flask alone and a constant"
    command: ClassVar[tuple[str, ...]] = _served_by("constant_app")


class OneByOne(Rollcall):
    """A commit for each write."""

    name = "a commit each"
    command: ClassVar[tuple[str, ...]] = _served_by("one_by_one_app")


class Statements(Rollcall):
    """Nothing of ours but the statements, behind our event loop: what is at most to be had beside peers."""

    name = "statements alone, SQLite"
    command: ClassVar[tuple[str, ...]] = _served_by("statements_app")


class StatementsPostgres(Statements, RollcallPostgres):
    """The same on Postgres."""

    name = "statements alone, Postgres"


class Filled(Rollcall):
    """Users enough for a page at depth, put there by SQL."""

    name = "a million, SQLite"

    def start(self) -> None:
        """Start and fill it."""
        self.serve()
        filling.fill(self.url, _DEEP + 2 * PAGE, events=0)


class FilledPostgres(Filled, RollcallPostgres):
    """The same on Postgres."""

    name = "a million, Postgres"


class Part(NamedTuple):
    """Servers, what each of them is asked, and what is made of the medians of the rounds."""

    contenders: Sequence[type[Contender]]
    requests: Callable[[Contender], Mapping[str, wrk.Request]]
    goals: Callable[[dict[tuple[str, str], dict[str, float]], dict[str, Any]], Iterator[Goal]]
    look: Callable[[Sequence[Contender]], dict[str, Any]] = lambda contenders: {}
    connections: int = MANY


# ---- the parts -----------------------------------------------------------------------------------------------------

_AS = {"Authorization": BASIC}
Medians = dict[tuple[str, str], dict[str, float]]  # by contender and request


def _read_and_constant(contender: Contender) -> dict[str, wrk.Request]:
    return {name: wrk.Request("GET", f"/v1/{name}/u@user@", None, _AS) for name in ("users", "statement", "constant")}


def _flask_goals(found: Medians, seen: dict[str, Any]) -> Iterator[Goal]:
    for what, shown in (("users", "GET /users/{uid}"), ("statement", "its statement alone")):
        ratio = found[Constant.name, what]["rate"] / found[Constant.name, "constant"]["rate"]
        yield Goal("flask", f"{shown} / a constant, both through Flask", ratio, 0.85)


def _naive_goals(found: Medians, seen: dict[str, Any]) -> Iterator[Goal]:
    for action in ACTIONS:
        ratio = found[RollcallFlask.name, action]["rate"] / found[Naive.name, action]["rate"]
        yield Goal("naive", f"{action} through Flask / the naive build", ratio, 10 if action in ("get", "page") else 6)


def _commit_goals(found: Medians, seen: dict[str, Any]) -> Iterator[Goal]:
    ratio = found[Rollcall.name, "create"]["rate"] / found[OneByOne.name, "create"]["rate"]
    syncs = ", ".join(f"{name} {seen['syncs'][name]:.3f}" for name in (Rollcall.name, OneByOne.name))
    yield Goal("commits", f"creates on SQLite / those of a commit each (fsyncs a create: {syncs})", ratio, 2.5)


def _goals_beside(
    part: str, ours: Sequence[type[Contender]], peers: Sequence[type[Contender]], least: Sequence[float]
) -> Callable[[Medians, dict[str, Any]], Iterator[Goal]]:
    """Return the goals of each of ours beside the best of the peers. least: of each action."""

    def goals(found: Medians, seen: dict[str, Any]) -> Iterator[Goal]:
        for one, (action, limit) in itertools.product(ours, zip(ACTIONS, least, strict=True)):
            ratio = found[one.name, action]["rate"] / max(found[peer.name, action]["rate"] for peer in peers)
            yield Goal(part, f"{action}: {one.name} / {' or '.join(peer.name for peer in peers)}", ratio, limit)

    return goals


_ON_SQLITE, _ON_POSTGRES = (Rollcall, Statements), (RollcallPostgres, StatementsPostgres)
_FASTIFY, _AHEAD = (Fastify, FastifyOne), [1] * len(ACTIONS)


def _sqlite_goals(found: Medians, seen: dict[str, Any]) -> Iterator[Goal]:
    yield from _goals_beside("sqlite", _ON_SQLITE, _FASTIFY, (2, 1.4, 1.5, 1.5, 2))(found, seen)
    yield from _goals_beside("sqlite", _ON_SQLITE, [PocketBase], (4, 6, 4, 4, 8))(found, seen)


def _lone_goals(found: Medians, seen: dict[str, Any]) -> Iterator[Goal]:
    yield from _goals_beside("lone", _ON_SQLITE, _FASTIFY, _AHEAD)(found, seen)
    yield from _goals_beside("lone", _ON_POSTGRES, [FastifyPostgres], _AHEAD)(found, seen)


def _first_and_deep(contender: Contender) -> dict[str, wrk.Request]:
    user = json.loads(contender.send("GET", f"/v1/users/u{_DEEP}", Authorization=BASIC)[1])
    page = f"/v1/users?limit={PAGE}"
    return {
        "first": wrk.Request("GET", page, None, _AS),
        "deep": wrk.Request("GET", f"{page}&next_cursor={user['id']}", None, _AS),
    }


def _depth_goals(found: Medians, seen: dict[str, Any]) -> Iterator[Goal]:
    for name in (Filled.name, FilledPostgres.name):
        ratio = found[name, "first"]["rate"] / found[name, "deep"]["rate"]
        yield Goal("depth", f"time of a page of {PAGE} at row {_DEEP:,} / of page one: {name}", ratio, 1.2, least=False)


def _latency_goals(found: Medians, seen: dict[str, Any]) -> Iterator[Goal]:
    for (name, action), one in found.items():
        yield Goal("latency", f"p99 / p50 with {MANY} connections: {name}, {action}", one["p99"] / one["p50"], 5, False)
    for name, mib in seen["worker_mib"].items():
        yield Goal("latency", f"MiB (PSS) of the largest worker: {name}", mib, 120, least=False)


def _look_at_workers(contenders: Sequence[Contender]) -> dict[str, Any]:
    return {"worker_mib": {one.name: max(map(_pss, _workers(one))) for one in contenders}}


def _look_at_syncs(contenders: Sequence[Contender]) -> dict[str, Any]:
    return {"syncs": {one.name: _syncs(one) for one in contenders}}


_PARTS = {
    "flask": Part([Constant], _read_and_constant, _flask_goals),
    "naive": Part([RollcallFlask, Naive], lambda one: one.requests(), _naive_goals),
    "commits": Part(
        [Rollcall, OneByOne], lambda one: {"create": one.requests()["create"]}, _commit_goals, _look_at_syncs
    ),
    "sqlite": Part([*_ON_SQLITE, *_FASTIFY, PocketBase], lambda one: one.requests(), _sqlite_goals),
    "postgres": Part(
        [*_ON_POSTGRES, FastifyPostgres],
        lambda one: one.requests(),
        _goals_beside("postgres", _ON_POSTGRES, [FastifyPostgres], [2.5] * len(ACTIONS)),
    ),
    "lone": Part(
        [*_ON_SQLITE, *_FASTIFY, *_ON_POSTGRES, FastifyPostgres],
        lambda one: one.requests(),
        _lone_goals,
        connections=1,
    ),
    "depth": Part([Filled, FilledPostgres], _first_and_deep, _depth_goals),
    "latency": Part([Rollcall, RollcallPostgres], lambda one: one.requests(), _latency_goals, _look_at_workers),
}


# ---- looking at processes ------------------------------------------------------------------------------------------


def _workers(contender: Contender) -> list[int]:
    """The worker processes of gunicorn, without the one for jobs."""
    children = psutil.Process(contender.processes[0].pid).children()
    return [one.pid for one in children if "app.jobs" not in one.cmdline()]


def _pss(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss: +(\d+)", text, re.M)[1]) / 1024  # type: ignore[index]


def _syncs(contender: Contender) -> float:
    """How many times a create has its workers wait for the disk, counted by strace, which slows them down."""
    pids = [f"-p{pid}" for pid in _workers(contender)]
    with tempfile.NamedTemporaryFile("r") as said:
        strace = subprocess.Popen(
            ["strace", "-f", "-q", "-e", "trace=fsync,fdatasync", "-o", said.name, *pids], stderr=subprocess.DEVNULL
        )
        time.sleep(1)  # until it is attached
        load = wrk.run(contender.port, contender.requests()["create"], contender.users, MANY, _STRACE_SECONDS)
        strace.terminate()
        strace.wait()
        return len(re.findall(r"\b(?:fsync|fdatasync)\(", said.read())) / load.requests


# ---- measuring -----------------------------------------------------------------------------------------------------


def main() -> None:
    """Measure, print, keep."""
    options = _options()
    parts = {name: _measure(name, options) for name in options.only}
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python -m benchmarks.floors " + " ".join(sys.argv[1:]),
        "machine": machine(),
        "parts": _of_today() | parts,
    }
    keep("floors", report, table(report))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", type=lambda text: text.split(","), default=",".join(_PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of load for each request")
    parser.add_argument("--users", type=int, default=_USERS, help="preloaded")
    options = parser.parse_args()
    if unknown := set(options.only) - _PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    return options


def _measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return all rounds of a part; round 0 warms up and is not in it."""
    part, rounds = _PARTS[name], []
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-floors-", ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        Path(folder).chmod(0o755)
        contenders = []
        for kind in part.contenders:
            kind.install()
            contenders.append(kind(Path(folder), options.users))
            stack.callback(contenders[-1].stop)
            contenders[-1].start()
        asked = {one.name: part.requests(one) for one in contenders}
        for number in range(options.rounds + 1):
            print(f"{name}: round {number} of {options.rounds}", flush=True)
            for action in next(iter(asked.values())):
                for one in contenders:
                    found = _load(one, asked[one.name][action], part.connections, options.seconds)
                    if number:
                        rounds.append({"contender": one.name, "action": action, **found})
        seen = part.look(contenders)
    goals = [one._asdict() for one in part.goals(_medians(rounds), seen)]
    return {"date": datetime.now(UTC).isoformat(timespec="seconds"), "rounds": rounds, "seen": seen, "goals": goals}


def _load(contender: Contender, request: wrk.Request, connections: int, seconds: int) -> dict[str, float]:
    """Return what wrk saw, and the CPU time of a request, which other work on the machine changes least."""
    before = processes.cpu_seconds(contender.pids())
    load = wrk.run(contender.port, request, contender.users, connections, seconds)
    used = processes.cpu_seconds(contender.pids()) - before
    return {"rate": load.rate, "cpu_ms": used * 1000 / max(load.requests, 1), **asdict(load)}


def _medians(rounds: Sequence[dict[str, Any]]) -> Medians:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in rounds:
        found.setdefault((one["contender"], one["action"]), []).append(one)
    return {
        key: {name: statistics.median(one.get(name, math.nan) for one in several) for name in _SHOWN}
        for key, several in found.items()
    }


def _of_today() -> dict[str, Any]:
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-floors.json"
    return json.loads(path.read_text())["parts"] if path.exists() else {}  # type: ignore[no-any-return]


def table(report: dict[str, Any]) -> str:
    """Return the goals and whether each is met, and the medians behind them."""
    parts = report["parts"].items()
    goals = [Goal(**one) for _, part in parts for one in part["goals"]]
    rows = [
        [
            f"{one.part}: {one.what}",
            f"{one.value:.2f}",
            f"{'>=' if one.least else '<='} {one.limit:g}",
            "met" if one.is_met else "MISSED",
        ]
        for one in goals
    ]
    shown = [
        [f"{part_name}: {name}, {what}", f"{one['rate']:,.0f}", *(f"{one[column]:.2f}" for column in _SHOWN[1:])]
        for part_name, part in parts
        for (name, what), one in _medians(part["rounds"]).items()
    ]
    errors = sum(one["errors"] for _, part in parts for one in part["rounds"])
    head = f"{report['date']}  {report['command']}\n" + ", ".join(f"{k} {v}" for k, v in report["machine"].items())
    met = tables.render(["goal", "ratio", "limit", ""], rows)
    columns = [f"medians, {MANY} connections (lone: 1)", "requests/s", "p50 ms", "p99 ms", "CPU ms"]
    medians = tables.render(columns, shown)
    return f"{head}\n\n{met}\n\n{medians}\n\nerrors: {errors}\n"


if __name__ == "__main__":
    main()
