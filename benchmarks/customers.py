"""A thousand customers of the Atomic API in one request, beside a thousand requests of one.

    python -m benchmarks.customers [--rounds 5] [--known]

Both ways in turn on one connection, new customers each time (with --known the same ones again), on SQLite and on
Postgres, committed to disk. Prints the medians and their ratio and keeps them in benchmarks/results/.
"""

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.peers.rollcall import Rollcall, RollcallPostgres
from benchmarks.run import keep, machine

CUSTOMERS = 1_000
_CLIENT = {
    "ROLLCALL_CLIENT_ID": "bench-auth",
    "ROLLCALL_CLIENT_SECRET": "s" * 16,
    "ROLLCALL_ENVIRONMENT_ID": "XQ19azQe",
}
_GRANT = "/oauth2/token?grant_type=client_credentials&client_id={}&client_secret={}"


class AtomicSqlite(Rollcall):
    """With a client."""

    settings = _CLIENT


class AtomicPostgres(RollcallPostgres):
    """With a client, on Postgres."""

    settings = _CLIENT


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--known", action="store_true", help="the same customers again, not new ones")
    options = parser.parse_args()
    seconds: dict[str, dict[str, list[float]]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-customers-", ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        Path(folder).chmod(0o755)
        for name, kind in (("SQLite", AtomicSqlite), ("Postgres", AtomicPostgres)):
            contender = kind(Path(folder), 0)
            stack.callback(contender.stop)
            contender.start()
            seconds[name] = _measure(contender.port, options.rounds, options.known)
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python -m benchmarks.customers " + " ".join(sys.argv[1:]),
        "machine": machine(),
        "seconds": seconds,
    }
    keep("customers", report, table(report))


def _measure(port: int, rounds: int, known: bool) -> dict[str, list[float]]:
    """Return the seconds of each way in each round; round 0 warms up and is left out."""
    found: dict[str, list[float]] = {"one request": [], "a thousand requests": []}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as api:
        send = _sender(api)
        for number in range(rounds + 1):
            for way, size in (("one request", CUSTOMERS), ("a thousand requests", 1)):
                people = customers(way[0] + ("" if known else str(number)))
                bodies = [json.dumps({"users": people[at : at + size]}).encode() for at in range(0, CUSTOMERS, size)]
                began = time.perf_counter()
                for body in bodies:
                    send(body)
                if number:
                    found[way].append(time.perf_counter() - began)
    return found


def _sender(api: http.client.HTTPConnection) -> Any:
    def ask(method: str, path: str, body: bytes = b"", token: str = "") -> Any:
        api.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
        response = api.getresponse()
        reply = json.loads(response.read())
        if response.status != 200:
            raise RuntimeError(reply)
        return reply

    auth = ask("POST", _GRANT.format(*list(_CLIENT.values())[:2]))["access_token"]
    made = ask("POST", "/v1/XQ19azQe/credentials", b'{"role":"events"}', auth)["data"]
    token = ask("POST", _GRANT.format(made["clientId"], made["clientSecret"]))["access_token"]
    return lambda body: ask("POST", "/v1/XQ19azQe/users", body, token)


def customers(prefix: str) -> list[dict[str, Any]]:
    """Return CUSTOMERS customers whose ids begin with the prefix."""
    return [
        {
            "id": f"{prefix}x{number}",
            "profile": {"name": f"Ada {number}", "email": f"ada{number}@example.com", "city": "Lagos", "country": "NG"},
        }
        for number in range(CUSTOMERS)
    ]


def table(report: dict[str, Any]) -> str:
    """Return the medians of a report, and how many times faster one request is."""
    rows = []
    for name, ways in report["seconds"].items():
        one, many = (statistics.median(ways[way]) for way in ("one request", "a thousand requests"))
        rows.append([name, f"{one * 1000:,.0f}", f"{many * 1000:,.0f}", f"{many / one:.1f}"])
    head = f"{report['date']}  {report['command']}\n" + ", ".join(f"{k} {v}" for k, v in report["machine"].items())
    titles = [f"{CUSTOMERS} customers, medians", "one request, ms", "a thousand, ms", "times faster"]
    return f"{head}\n\n{tables.render(titles, rows)}\n"


if __name__ == "__main__":
    main()
