"""How the rate of each route changes as the users grow, with ten events each: ours, on both databases.

    python -m benchmarks.growth [--rounds 5] [--seconds 1] [--sizes 10000,100000,1000000] [--folder FOLDER]
                                [--databases sqlite,postgres] [--fill-only] [--shared-buffers 2GB]

All sizes of a database are up at once and each round takes them in turn, so that a slow moment of the machine meets all
alike. Draws benchmarks/results/growth.svg. With --folder the filled databases are kept, and used again by the next run.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import chart, filling, tables, wrk
from benchmarks.peers.rollcall import Rollcall, RollcallPostgres
from benchmarks.people import ACTIONS
from benchmarks.run import MANY, RESULTS, keep, machine

EVENTS = 10  # of each user
_FILLED = "filled"  # a file that says so
_WARM_SECONDS = 30  # until each process of a server has touched most pages of its memory
_CHART = RESULTS / "growth.svg"


class Grown(Rollcall):
    """On SQLite, filled by SQL instead of its own API."""

    def start(self) -> None:
        """Start it, and fill the database behind its back."""
        self.serve()
        marker = self.folder / _FILLED
        if not marker.exists():
            began = time.monotonic()
            filling.fill(self.url, self.users, EVENTS)
            marker.touch()
            print(f"  {self.users:,} users filled in {time.monotonic() - began:.0f} s", flush=True)


class GrownPostgres(Grown, RollcallPostgres):
    """On Postgres."""

    def give_memory(self, shared_buffers: str) -> None:
        """Start its database again with so much memory for pages."""
        assert self.postgres
        self.postgres.give_memory(shared_buffers)
        wrk.run(self.port, self.requests()["get"], self.users, MANY, _WARM_SECONDS)


_KINDS: dict[str, type[Grown]] = {"sqlite": Grown, "postgres": GrownPostgres}


def main() -> None:
    """Fill, measure, draw, keep."""
    options = _options()
    with ExitStack() as stack:
        folder = options.folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-growth-", ignore_cleanup_errors=True))
        )
        rounds = [one for name in options.databases for one in _measure(name, folder, options)]
    if options.fill_only:
        return
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python -m benchmarks.growth " + " ".join(sys.argv[1:]),
        "machine": machine(),
        "rounds": rounds,
    }
    if options.shared_buffers:  # another question, which leaves the answer to the first as it is
        keep("growth-memory", report, table(report))
        return
    report = _with_other_databases(report)
    keep("growth", report, table(report))
    _CHART.write_text(draw(report))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="of load for each route and size")
    parser.add_argument(
        "--sizes", type=lambda text: [int(one) for one in text.split(",")], default="10000,100000,1000000"
    )
    parser.add_argument("--databases", type=lambda text: text.split(","), default="sqlite,postgres")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--shared-buffers", help="of Postgres, in place of its default of 128 MiB; such as 2GB")
    parser.add_argument("--fill-only", action="store_true", help="measure nothing; the folder is for the next run")
    return parser.parse_args()


def _measure(database: str, folder: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the rate of each route at each size in each round; round 0 warms up and is not yielded."""
    with ExitStack() as stack:
        sizes = []
        for users in options.sizes:
            (folder / str(users)).mkdir(parents=True, exist_ok=True)
            (folder / str(users)).chmod(0o755)
            folder.chmod(0o755)
            contender = _KINDS[database](folder / str(users), users)
            stack.callback(contender.stop)
            contender.start()
            contender.check()
            if options.shared_buffers and isinstance(contender, GrownPostgres):
                contender.give_memory(options.shared_buffers)
            sizes.append(contender)
        for number in range(0 if options.fill_only else options.rounds + 1):
            for action in ACTIONS:
                for one in sizes:
                    load = wrk.run(one.port, one.requests()[action], one.users, MANY, options.seconds)
                    if number:
                        yield {"database": database, "action": action, "users": one.users, "round": number,
                               "rate": load.rate, "p50": load.p50, "p99": load.p99, "errors": load.errors}  # fmt: skip


def _with_other_databases(report: dict[str, Any]) -> dict[str, Any]:
    """Return the report with the figures that today's report has of databases that were not measured now."""
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-growth.json"
    measured = {one["database"] for one in report["rounds"]}
    old = json.loads(path.read_text())["rounds"] if path.exists() else []
    return report | {"rounds": [one for one in old if one["database"] not in measured] + report["rounds"]}


def medians(report: dict[str, Any]) -> dict[tuple[str, str], dict[int, float]]:
    """Return {(database, route): {users: median rate}}."""
    found: dict[tuple[str, str], dict[int, list[float]]] = {}
    for one in report["rounds"]:
        found.setdefault((one["database"], one["action"]), {}).setdefault(one["users"], []).append(one["rate"])
    return {key: {users: statistics.median(rates) for users, rates in of.items()} for key, of in found.items()}


def table(report: dict[str, Any]) -> str:
    """Return the medians, and the ratio of the largest size to the smallest."""
    found = medians(report)
    sizes = sorted({users for rates in found.values() for users in rates})
    rows = [
        [f"{database}, {action}", *(f"{rates[one]:,.0f}" for one in sizes), f"{rates[sizes[-1]] / rates[sizes[0]]:.2f}"]
        for (database, action), rates in found.items()
    ]
    errors = sum(one["errors"] for one in report["rounds"])
    head = f"{report['date']}  {report['command']}\n" + ", ".join(f"{k} {v}" for k, v in report["machine"].items())
    columns = ["requests/s by users", *(f"{one:,}" for one in sizes), "last / first"]
    return f"{head}\n\n{tables.render(columns, rows)}\n\nerrors: {errors}\n"


def draw(report: dict[str, Any]) -> str:
    """Return the chart: a panel a database, a line a route."""
    found = medians(report)
    titles = {"sqlite": "SQLite", "postgres": "Postgres"}
    return chart.draw(
        {
            title: {action: rates for (database, action), rates in found.items() if database == name}
            for name, title in titles.items()
        },
        y="requests/s, 32 connections",
        x="users, with 10 events each",
    )


if __name__ == "__main__":
    main()
