"""What slow requests cost the reads beside them: one worker, SQLite, 200,000 users.

    python -m benchmarks.beside [--users 200000] [--seconds 4]

For each slow request, which one client sends again and again, the latency of reads of one user beside it: the median as
a ratio to that with nobody beside, and the worst. Wanted: at most 2, and under 100 ms.
"""

import argparse
import base64
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from app.config import Settings
from app.models.database import forget_connection
from app.services import storage
from benchmarks import filling, tables

PUBLIC, SECRET = "pk_beside_00", "sk_beside_00000000"
_BATCH = {"data": [{"type": "update", "id": f"u{number}", "last_name": "Love"} for number in range(1, 1001)]}
_RULE = {"attribute": "meta.plan", "is": "silver"}
SLOW: dict[str, tuple[str, str, object]] = {
    "a filter that meets nobody": ("GET", "/v1/users?meta.plan=nobody", None),
    "a filter that meets few": ("GET", "/v1/users?meta.age=19&meta.city=Oslo", None),
    "the preview of a segment": ("POST", "/v1/segments/preview", {"rule": _RULE}),
    "a batch of 1,000 updates": ("POST", "/v1/batch", _BATCH),
    "the OpenAPI document": ("GET", "/openapi.json", None),
}


class Reads(NamedTuple):
    """Latencies of reads, in milliseconds."""

    median: float
    worst: float


class Client:
    """One connection to the service."""

    def __init__(self, port: int):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        credentials = base64.b64encode(f"{PUBLIC}:{SECRET}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}"}

    def send(self, method: str, path: str, body: object = None) -> int:
        """Send a request; return the status of the reply, which is read to its end."""
        self._connection.request(method, path, None if body is None else json.dumps(body), self._headers)
        response = self._connection.getresponse()
        response.read()
        return response.status


@contextmanager
def served(users: int) -> Iterator[int]:
    """Serve a database of so many users with one worker; yield the port."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        probe.close()
        url = f"sqlite:///{folder}/rollcall.db"
        settings = Settings(database_url=url, public_key=PUBLIC, secret_key=SECRET, log_level="warning")
        storage.open(settings)
        storage.prepare(settings)
        forget_connection()
        filling.fill(url, users, 0)
        own = {
            "DATABASE_URL": url,
            "PORT": str(port),
            "WEB_CONCURRENCY": "1",
            "LOG_LEVEL": "warning",
        }
        command = [sys.executable, "-m", "app", "serve"]
        process = subprocess.Popen(command, env={**os.environ, **own}, cwd=Path(__file__).parent.parent)
        try:
            _wait(port)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _wait(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise SystemExit("the service does not start")


def read(port: int, seconds: float) -> Reads:
    """Read a user again and again for so long."""
    client, found, end = Client(port), [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        assert client.send("GET", "/v1/users/u77") == 200
        found.append((time.perf_counter() - began) * 1000)
    return Reads(statistics.median(found), max(found))


def beside(port: int, seconds: float, slow: tuple[str, str, object]) -> tuple[Reads, int]:
    """Read while somebody sends a slow request again and again; return the reads, and how many of those there were."""
    stop, sent = threading.Event(), []

    def disturb() -> None:
        client = Client(port)
        while not stop.is_set():
            sent.append(client.send(*slow))

    thread = threading.Thread(target=disturb)
    thread.start()
    reads = read(port, seconds)
    stop.set()
    thread.join()
    assert set(sent) == {200}, sent[:3]
    return reads, len(sent)


def main(show: Callable[[str], object] = print) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each slow request")
    options = parser.parse_args()
    rows = []
    with served(options.users) as port:
        read(port, 1.0)
        for name, slow in SLOW.items():
            alone = read(port, options.seconds)
            reads, times = beside(port, options.seconds, slow)
            rows.append([name, str(times), f"{reads.median / alone.median:.2f}", f"{reads.worst:.0f}"])
    show(tables.render(["beside", "times", "median, x", "worst, ms"], rows))


if __name__ == "__main__":
    main()
