"""Parse Server on Postgres, with a person's uid as the id of the object, and the master key."""

import json

from benchmarks.peers.contender import SOURCES, Contender, node_folder
from benchmarks.people import NEW_USER, PAGE, person
from benchmarks.wrk import Request

_PACKAGES = ("parse-server", "express")
_KEYS = {"X-Parse-Application-Id": "rollcall", "X-Parse-Master-Key": "benchmark"}


class Parse(Contender):
    """Two workers."""

    name = "Parse Server, 2 workers"
    durability = "Postgres, synchronous_commit=on"
    note = "an event does not touch the user; no side tables"
    needs_postgres = True

    @classmethod
    def install(cls) -> None:
        """Install."""
        node_folder("parse", _PACKAGES)

    def start(self) -> None:
        """Start it, make both classes by using them, fill the table, start it again."""
        assert self.postgres
        environment = {
            "PORT": str(self.port),
            "SOCKETS": self.postgres.url.partition("host=")[2],
            "MODULES": str(node_folder("parse", _PACKAGES)),
            "NODE_ENV": "production",
        }
        self.launch(["node", SOURCES / "parse_app.js"], environment)
        self.await_port()
        first = '{"objectId":"first","first_name":"","last_name":"","email":"","number":"","meta":{"plan":""}}'
        for name, body in (("Person", first), ("Event", '{"user":"","event":"","value":1.5,"properties":{}}')):
            status, text = self.send(
                "POST", f"/parse/classes/{name}", body, **_KEYS, **{"Content-Type": "application/json"}
            )
            if status != 201:
                raise RuntimeError(text + self.output())
        self._fill()
        self.postgres.settle()

    def _fill(self) -> None:
        assert self.postgres
        columns = '"objectId", "createdAt", "updatedAt", first_name, last_name, email, number, meta'
        day = "2026-01-01T00:00:00Z"
        statement = f'COPY "Person" ({columns}) FROM STDIN'
        with self.postgres.connect() as connection, connection.cursor().copy(statement) as copy:
            for number in range(1, self.users + 1):
                one = person(number)
                fields = [one[name] for name in ("first_name", "last_name", "email", "number")]
                copy.write_row((one["uid"], day, day, *fields, json.dumps(one["meta"])))

    def requests(self) -> dict[str, Request]:
        """Return the five."""
        people = "/parse/classes/Person"
        new = NEW_USER.replace('"id"', '"objectId"')
        event = '{"user":"u@user@","event":"Paid","value":49.5,"properties":{"currency":"USD"}}'
        after = f"where=%7B%22objectId%22%3A%7B%22%24gt%22%3A%22u{self.users // 2}%22%7D%7D&order=objectId&limit={PAGE}"
        return {
            "create": Request("POST", people, new, _KEYS),
            "get": Request("GET", f"{people}/u@user@", None, _KEYS),
            "update": Request("PUT", f"{people}/u@user@", '{"meta.plan":"p@fresh@"}', _KEYS),
            "event": Request("POST", "/parse/classes/Event", event, _KEYS),
            "page": Request("GET", f"{people}?{after}", None, _KEYS),
        }
