"""Bulk writing beside what the database reaches by itself: the driver's own bulk insert into the same table.

    python -m benchmarks.bulk [--rounds 5] [--rows 20000] [--users 100000]

What is compared: rows of the same content (new users; events of random users who are there), written in turn in each
round into the same table of the same file or server, with the same indexes, keys and number of rows already there. Both
sides make a commit for 1,000 rows that is on disk (SQLite: WAL, synchronous=FULL, and whatever else a connection of the
service sets, its checkpoints too; Postgres: synchronous_commit=on). Two are exceptions: an import on Postgres makes a
commit for 5,000 rows, and so is held as well against "COPY, one commit": the whole round in a single COPY.

The rows of the driver are tuples prepared before the clock starts, and nothing looks at them. Ours come as JSON, are
checked, get their ids, and are merged into whoever is there; an event moves its user's last_interaction on, too. On
SQLite one way of the driver does that as well: what ours takes beside it is HTTP and Python.
`POST /batch` goes through HTTP to the service with its two workers, one request after the other; "four at a time" are
four connections that do so, held against four of COPY on Postgres, and on SQLite, which has one writer, against one of
the driver. The import is what `rollcall import` does, without the start of its process.

Prints a table of medians and keeps it in benchmarks/results/.
"""

import argparse
import http.client
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import psycopg

from app import clock
from app.cli.imports import load
from app.config import Settings
from app.domain import ids
from app.models import stores
from app.services import imports, storage
from app.services.imports import NdjsonFile, Plan
from benchmarks import tables, wrk
from benchmarks.peers.contender import BASIC
from benchmarks.peers.rollcall import Rollcall, RollcallPostgres
from benchmarks.people import person
from benchmarks.run import keep, machine

BATCH = 1_000  # rows a commit, and items a request
CLIENTS, AT_ONCE = 4, "four at a time"
WHOLE = "one commit"  # for the whole of a round
RAW = "raw"  # how the names of the driver's own ways begin
TOUCHED = f"{RAW} executemany, users touched"  # the statements of a batch of events, with nothing around them
_COLUMNS = {
    "users": "workspace_id, id, uid, first_name, last_name, number, number_digits, email, email_key, meta, created_at",
    "events": "workspace_id, user_id, timestamp, id, event, value, properties",
}
Way = Callable[[int], Callable[[], object]]  # prepares so many rows, returns what writes them


def main() -> None:
    """Measure, print, keep."""
    options = _options()
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-bulk-", ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        Path(folder).chmod(0o755)
        ways: dict[tuple[str, str, str], Way] = {}
        for kind in (Rollcall, RollcallPostgres):
            contender = kind(Path(folder), options.users)
            stack.callback(contender.stop)
            contender.start()
            ways |= _ways(contender, stack)
        report = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": "python -m benchmarks.bulk " + " ".join(sys.argv[1:]),
            "machine": machine(),
            "users": options.users,
            "rounds": list(_measure(ways, options.rounds, options.rows)),
        }
    keep("bulk", report, table(report))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20_000, help="that each way writes in a round")
    parser.add_argument("--users", type=int, default=100_000, help="preloaded")
    return parser.parse_args()


def _measure(ways: dict[tuple[str, str, str], Way], rounds: int, rows: int) -> Iterator[dict[str, Any]]:
    """Yield the rate of each way in each round; round 0 warms up and is not yielded."""
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}", flush=True)
        for (database, what, name), prepare in ways.items():
            run = prepare(rows)
            began = time.perf_counter()
            run()
            rate = rows / (time.perf_counter() - began)
            if number:
                yield {"database": database, "what": what, "way": name, "round": number, "rate": rate}


def table(report: dict[str, Any]) -> str:
    """Return the medians of a report, and the ratio of our ways to the driver's."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for one in report["rounds"]:
        found.setdefault((one["database"], one["what"], one["way"]), []).append(one["rate"])
    rates = {key: statistics.median(several) for key, several in found.items()}
    rows = []
    for (database, what, way), rate in rates.items():
        raw = {
            name: of for (db, of_what, name), of in rates.items() if (db, of_what) == (database, what) and "raw" in name
        }
        beside = [name for name in raw if (AT_ONCE in name) == (AT_ONCE in way)] or list(raw)
        beside = [name for name in beside if WHOLE not in name or "import" in way]
        ratios = "" if way in raw else "  ".join(f"{rate / raw[name]:.2f} of {name}" for name in beside)
        rows.append([f"{database}, {what}: {way}", f"{rate:,.0f}", ratios])
    head = f"{report['date']}  {report['command']}\n" + ", ".join(f"{k} {v}" for k, v in report["machine"].items())
    return f"{head}\n\n{tables.render(['medians', 'rows/s', 'ratio'], rows)}\n"


# ---- the ways ------------------------------------------------------------------------------------------------------


def _ways(contender: Rollcall, stack: ExitStack) -> dict[tuple[str, str, str], Way]:
    found: dict[tuple[str, str, str], Way] = {}
    apis = [
        stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", contender.port, timeout=60)))
        for _ in range(CLIENTS)
    ]
    raw = _raw_postgres(contender, stack) if contender.postgres else _raw_sqlite(contender, stack)
    if contender.postgres:
        write, known = raw[f"{RAW} COPY"]
        found[_database(contender), "users", f"{RAW} COPY, {WHOLE}"] = _raw("users", write, known, sys.maxsize)
    found[_database(contender), "users", "import NDJSON"] = _import(contender)
    for what in ("users", "events"):
        for name, (write, known) in raw.items():
            if (what, name) != ("users", TOUCHED):
                found[_database(contender), what, name] = _raw(what, write, known)
        found[_database(contender), what, "POST /batch"] = _batches(what, apis[0], contender.users)
        if contender.postgres:
            found[_database(contender), what, f"{RAW} COPY, {AT_ONCE}"] = _at_once(
                [_raw(what, *_raw_postgres(contender, stack)[f"{RAW} COPY"]) for _ in range(CLIENTS)]
            )
        found[_database(contender), what, f"POST /batch, {AT_ONCE}"] = _at_once(
            [_batches(what, api, contender.users) for api in apis]
        )
    return found


def _at_once(ways: Sequence[Way]) -> Way:
    """Each way on a thread of its own, with its part of the rows."""

    def prepare(count: int) -> Callable[[], object]:
        runs = [way(count // len(ways)) for way in ways]

        def run() -> None:
            with ThreadPoolExecutor(len(runs)) as pool:
                for done in [pool.submit(one) for one in runs]:
                    done.result()

        return run

    return prepare


def _database(contender: Rollcall) -> str:
    return "Postgres" if contender.postgres else "SQLite"


def _raw(
    what: str, write: Callable[[str, Sequence[tuple[Any, ...]]], None], known: tuple[int, list[str]], batch: int = BATCH
) -> Way:
    def prepare(count: int) -> Callable[[], object]:
        size = min(batch, count)
        chunks = [[_row(what, *known) for _ in range(size)] for _ in range(count // size)]
        return lambda: [write(what, chunk) for chunk in chunks]

    return prepare


def _batches(what: str, api: http.client.HTTPConnection, users: int) -> Way:
    headers = {"Authorization": BASIC, "Content-Type": "application/json"}

    def send(body: bytes) -> None:
        api.request("POST", "/v1/batch", body, headers)
        reply = json.loads(api.getresponse().read())
        if (reply["accepted"], reply["rejected"]) != (BATCH, 0):
            raise RuntimeError(str(reply)[:300])

    def prepare(count: int) -> Callable[[], object]:
        bodies = [
            json.dumps({"data": [_item(what, users) for _ in range(BATCH)]}).encode() for _ in range(count // BATCH)
        ]
        api.close()  # the server ended the connection while others were measured
        api.connect()
        return lambda: [send(body) for body in bodies]

    return prepare


def _import(contender: Rollcall) -> Way:
    """What `rollcall import` does, without the second that its process takes to start."""
    settings = Settings(database_url=_url(contender), log_level="critical")
    path = contender.folder / f"{contender.name}.ndjson"

    def prepare(count: int) -> Callable[[], object]:
        storage.open(settings)
        path.write_text("\n".join(json.dumps(person(next(_numbers))) for _ in range(count)))
        return lambda: run(count)

    def run(count: int) -> None:
        plan = Plan(1, NdjsonFile(path), imports.fingerprint(path), load, path.with_suffix(".csv"))
        *_, ended = imports.run(plan, imports.begin(plan))
        if ended.stored != count:
            raise RuntimeError(str(ended))

    return prepare


def _url(contender: Rollcall) -> str:
    return contender.postgres.url if contender.postgres else f"sqlite:///{contender.folder}/rollcall.db"


def _raw_sqlite(contender: Rollcall, stack: ExitStack) -> dict[str, Any]:
    """Apsw's executemany, on a connection as the service's are."""
    store = stores.make(Settings(database_url=_url(contender)))
    store.connect()
    stack.callback(store.close)
    connection = store.connection()

    def write(what: str, rows: Sequence[tuple[Any, ...]], touched: Sequence[tuple[Any, ...]] = ()) -> None:
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        cursor.executemany(_insert(what, "?"), rows)
        cursor.executemany(_TOUCH, touched)
        cursor.execute("COMMIT")

    def write_and_touch(what: str, rows: Sequence[tuple[Any, ...]]) -> None:
        latest = {(workspace, id): timestamp for workspace, id, timestamp, *_ in rows}
        write(what, rows, [(timestamp, *key) for key, timestamp in sorted(latest.items())])

    known = _known(lambda sql: list(connection.execute(sql)))
    return {f"{RAW} executemany": (write, known), TOUCHED: (write_and_touch, known)}


def _raw_postgres(contender: Rollcall, stack: ExitStack) -> dict[str, Any]:
    """Psycopg's executemany, which pipelines, and its COPY."""
    assert contender.postgres
    connection = stack.enter_context(psycopg.connect(contender.postgres.url))
    known = _known(lambda sql: connection.execute(sql).fetchall())  # type: ignore[arg-type]
    connection.commit()

    def write_many(what: str, rows: Sequence[tuple[Any, ...]]) -> None:
        connection.cursor().executemany(_insert(what, "%s"), rows)  # type: ignore[arg-type]
        connection.commit()

    def copy(what: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with connection.cursor().copy(f"COPY {what} ({_COLUMNS[what]}) FROM STDIN") as stream:  # type: ignore[arg-type]
            for row in rows:
                stream.write_row(row)
        connection.commit()

    return {f"{RAW} executemany": (write_many, known), f"{RAW} COPY": (copy, known)}


def _known(select: Callable[[str], list[tuple[Any, ...]]]) -> tuple[int, list[str]]:
    """The workspace and the ids of its users."""
    found = select("SELECT workspace_id, id FROM users")
    return found[0][0], [id for _, id in found]


_TOUCH = "UPDATE users SET last_interaction = ? WHERE workspace_id = ? AND id = ?"


def _insert(what: str, place: str) -> str:
    columns = _COLUMNS[what]
    return f"INSERT INTO {what} ({columns}) VALUES ({', '.join([place] * (columns.count(',') + 1))})"


# ---- the rows ------------------------------------------------------------------------------------------------------

_numbers = iter(range(wrk.take_fresh(), sys.maxsize))


def _row(what: str, workspace: int, user_ids: list[str]) -> tuple[Any, ...]:
    if what == "events":
        return workspace, random.choice(user_ids), clock.now(), ids.new(), "Paid", "49.5", '{"currency":"USD"}'
    one = person(next(_numbers))
    meta, digits = orjson.dumps(one["meta"]).decode(), one["number"][1:]
    names = (one["first_name"], one["last_name"])
    email, now = one["email"], clock.now()
    return workspace, ids.new(), one["uid"], *names, one["number"], digits, email, email, meta, now


def _item(what: str, users: int) -> dict[str, Any]:
    if what == "events":
        event = {"event": "Paid", "value": 49.5, "properties": {"currency": "USD"}}
        return {"type": "event", "id": f"u{random.randint(1, users)}", **event}
    one = person(next(_numbers))
    return {"type": "create", "id": one.pop("uid"), **one}


if __name__ == "__main__":
    main()
