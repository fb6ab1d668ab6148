"""A CSV file of customers through `rollcall import`, beside the running service: a tenth of it, all of it, and again.

    python -m benchmarks.imports [--rows 100000]

Rows a second of the whole process, its start included, and the most memory it had: it must not grow with the file.
Prints a table and keeps it in benchmarks/results/.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.customers import AtomicPostgres, AtomicSqlite
from benchmarks.peers.contender import ROOT
from benchmarks.peers.rollcall import Rollcall
from benchmarks.run import keep, machine

_PART = 10  # the smaller file has one in so many rows
_KIB = 1024
_HEADER = ("id", "email", "name", "city", "country")


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-imports-", ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        Path(folder).chmod(0o755)
        runs: list[dict[str, Any]] = []
        for name, kind in (("SQLite", AtomicSqlite), ("Postgres", AtomicPostgres)):
            contender = kind(Path(folder), 0)
            stack.callback(contender.stop)
            contender.start()
            runs += [{"database": name, **one} for one in _measure(contender, rows)]
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python -m benchmarks.imports " + " ".join(sys.argv[1:]),
        "machine": machine(),
        "runs": runs,
    }
    keep("imports", report, table(report))


def _measure(contender: Rollcall, rows: int) -> Iterator[dict[str, Any]]:
    small, large = contender.folder / "small.csv", contender.folder / "large.csv"
    write(small, rows // _PART)
    write(large, rows)
    yield {"what": "new customers", "rows": rows // _PART, **_run(contender, small)}
    yield {"what": "new customers, a tenth of them known", "rows": rows, **_run(contender, large)}
    yield {"what": "known customers", "rows": rows, **_run(contender, large, "--again")}


def write(path: Path, rows: int) -> None:
    """Write a file of so many customers, always the same."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        writer.writerows((f"i{n}", f"i{n}@example.com", f"Ada {n}", "Lagos", "NG") for n in range(rows))


def _run(contender: Rollcall, path: Path, *options: str) -> dict[str, float]:
    environment = {**os.environ, "DATABASE_URL": contender.url, "LOG_LEVEL": "warning", "PYTHONPATH": str(ROOT)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "import", str(path), "--environment", "XQ19azQe", *options],
        env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"rollcall import ended with {process.returncode}")
    return {"seconds": seconds, "peak_mib": used.ru_maxrss / _KIB}


def table(report: dict[str, Any]) -> str:
    """Return the runs of a report."""
    rows = [
        [
            f"{one['database']}, {one['rows']:,} rows: {one['what']}",
            f"{one['seconds']:.1f}",
            f"{one['rows'] / one['seconds']:,.0f}",
            f"{one['peak_mib']:.0f}",
        ]
        for one in report["runs"]
    ]
    head = f"{report['date']}  {report['command']}\n" + ", ".join(f"{k} {v}" for k, v in report["machine"].items())
    return f"{head}\n\n{tables.render(['rollcall import customers.csv', 'seconds', 'rows/s', 'most MiB'], rows)}\n"


if __name__ == "__main__":
    main()
