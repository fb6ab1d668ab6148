"""Rollcall itself, as `rollcall serve` starts it; without rate limits and request lines, as the peers have none."""

import json
import sys
from pathlib import Path
from typing import ClassVar

from benchmarks.peers.contender import BASIC, ROOT, Contender, python_environment
from benchmarks.people import CHANGE, EVENT, NEW_USER, PAGE, PUBLIC_KEY, SECRET_KEY, person
from benchmarks.wrk import Request

_BATCH = 1000  # what one request may hold
_GUNICORN = ("-m", "gunicorn", "-c", "python:app.serving.defaults")
_WITH_GEVENT = (str(ROOT), "gevent")


class Rollcall(Contender):
    """On SQLite."""

    name = "Rollcall, SQLite"
    durability = "SQLite WAL, synchronous=FULL"
    settings: ClassVar[dict[str, str]] = {}
    command: ClassVar[tuple[str, ...]] = ("-m", "app", "serve")

    @property
    def url(self) -> str:
        """The URL of its database."""
        return self.postgres.url if self.postgres else f"sqlite:///{self.folder}/rollcall.db"

    def start(self) -> None:
        """Start it and fill it through its own API."""
        self.serve()
        for start in range(1, self.users + 1, _BATCH):
            self._fill(range(start, min(start + _BATCH, self.users + 1)))
        if self.postgres:
            self.postgres.settle()

    def serve(self) -> None:
        """Start it as it is."""
        environment = {
            "DATABASE_URL": self.url,
            "PYTHONPATH": str(ROOT),
            "PORT": str(self.port),
            "ROLLCALL_PUBLIC_KEY": PUBLIC_KEY,
            "ROLLCALL_SECRET_KEY": SECRET_KEY,
            "ROLLCALL_RATE_KEY": "0",
            "ROLLCALL_RATE_ADDRESS": "0",
            "LOG_LEVEL": "warning",
            **self.settings,
        }
        self.launch([self.python(), *self.command], environment)
        self.await_port()

    def python(self) -> Path:
        """Return the interpreter that it runs on."""
        return Path(sys.executable)

    def _fill(self, numbers: range) -> None:
        items = [person(number) for number in numbers]
        data = [{"type": "update", "id": one.pop("uid"), **one} for one in items]
        status, text = self.send("POST", "/v1/batch", json.dumps({"data": data}), Authorization=BASIC)
        if status != 200:
            raise RuntimeError(text)

    def requests(self) -> dict[str, Request]:
        """Return the five."""
        user = json.loads(self.send("GET", f"/v1/users/u{self.users // 2}", Authorization=BASIC)[1])
        by = {"Authorization": BASIC}
        return {
            "create": Request("POST", "/v1/users", NEW_USER, by),
            "get": Request("GET", "/v1/users/u@user@", None, by),
            "update": Request("PUT", "/v1/users/u@user@", CHANGE, by),
            "event": Request("POST", "/v1/users/u@user@/events", EVENT, by),
            "page": Request("GET", f"/v1/users?limit={PAGE}&next_cursor={user['id']}", None, by),
        }


class RollcallPostgres(Rollcall):
    """On Postgres."""

    name = "Rollcall, Postgres"
    durability = "Postgres, synchronous_commit=on"
    needs_postgres = True


class RollcallLimited(Rollcall):
    """With limits that nobody reaches, and a line of the log for each request: what they cost."""

    name = "Rollcall, SQLite, limits and log on"
    settings: ClassVar[dict[str, str]] = {
        "LOG_LEVEL": "info",
        "ROLLCALL_RATE_KEY": "1000000/second",
        "ROLLCALL_RATE_ADDRESS": "1000000/second",
    }


class RollcallFlask(Rollcall):
    """Through Flask alone: the reference path."""

    name = "Rollcall, SQLite, Flask alone"
    settings: ClassVar[dict[str, str]] = {"ROLLCALL_HOT_PATH": "false"}


class RollcallThreads(RollcallFlask):
    """Through Flask alone, on gunicorn's worker of threads."""

    name = "Rollcall, SQLite, Flask alone, gthread"
    command: ClassVar[tuple[str, ...]] = (*_GUNICORN, "-k", "gthread", "--threads", "4", "wsgi:app")


class RollcallGevent(RollcallFlask):
    """Through Flask alone, on gunicorn's worker of greenlets."""

    name = "Rollcall, SQLite, Flask alone, gevent"
    command: ClassVar[tuple[str, ...]] = (*_GUNICORN, "-k", "gevent", "wsgi:app")

    @classmethod
    def install(cls) -> None:
        """Install."""
        python_environment("gevent", _WITH_GEVENT)

    def python(self) -> Path:
        """Return the interpreter that it runs on."""
        return python_environment("gevent", _WITH_GEVENT) / "python"
