"""The table of a run, from its figures."""

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.people import ACTIONS

MANY, ONE = 32, 1
_MEASURES = (
    ("requests/s with 32 connections", "rate", MANY, "{:,.0f}"),
    ("requests/s with 1 connection", "rate", ONE, "{:,.0f}"),
    ("p50 with 32 connections, ms", "p50", MANY, "{:.2f}"),
    ("p99 with 32 connections, ms", "p99", MANY, "{:.2f}"),
    ("CPU time a request, database included, ms", "cpu_ms", MANY, "{:.3f}"),
)
# Which of ours is compared with whom: with those on its own database.
OURS = {"SQLite": "Rollcall, SQLite", "Postgres": "Rollcall, Postgres"}


def peers(report: dict[str, Any]) -> str:
    """Return the tables of a run of benchmarks/run.py: medians of the rounds."""
    machine, rounds = report["machine"], report["rounds"]
    names = list(report["contenders"])
    head = f"{report['date']}  {report['command']}\n" + ", ".join(f"{key} {value}" for key, value in machine.items())
    parts = [head]
    for title, measure, connections, form in _MEASURES:
        rows = [
            [name, *(form.format(median(rounds, name, action, connections, measure)) for action in ACTIONS)]
            for name in names
        ]
        parts.append(render([title, *ACTIONS], rows))
    parts.append(render(["Rollcall on the same database / the peer", *ACTIONS], _ratios(report, names)))
    parts.append(
        render(["errors, memory", "errors", "of requests", "most MiB (PSS)"], [_totals(rounds, name) for name in names])
    )
    parts += [f"{name}: {'; '.join(filter(None, about.values()))}" for name, about in report["contenders"].items()]
    parts += [f"left out: {name}: {why}" for name, why in report["left_out"].items()]
    return "\n\n".join(parts) + "\n"


def median(rounds: Sequence[dict[str, Any]], name: str, action: str, connections: int, measure: str) -> float:
    """Return the median of one figure over the rounds; not a number where there is none."""
    found = [
        one[measure]
        for one in rounds
        if (one["contender"], one["action"], one["connections"]) == (name, action, connections)
    ]
    return statistics.median(found) if found else float("nan")


def _ratios(report: dict[str, Any], names: Sequence[str]) -> list[list[str]]:
    rows = []
    for name in names:
        database = "Postgres" if report["contenders"][name]["durability"].startswith("Postgres") else "SQLite"
        ours = OURS[database]
        if ours in names and name != ours:
            rates = [
                [median(report["rounds"], one, action, MANY, "rate") for one in (ours, name)] for action in ACTIONS
            ]
            rows.append([name, *(f"{mine / theirs:.2f}" for mine, theirs in rates)])
    return rows


def _totals(rounds: Sequence[dict[str, Any]], name: str) -> list[str]:
    mine = [one for one in rounds if one["contender"] == name]
    errors, requests = sum(one["errors"] for one in mine), sum(one["requests"] for one in mine)
    return [name, str(errors), f"{requests:,}", f"{max(one['memory_mib'] for one in mine):.0f}"]


def render(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text in columns: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(
            text.rjust(width) if column else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, *rows)
    ]
    return "\n".join((lines[0], "-" * len(lines[0]), *lines[1:]))
