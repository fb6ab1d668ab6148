"""Erasure that is real: unique markers in every field, a DELETE, a purge, and a scan of the raw files.

Slow: a purge rewrites every table, and the scan reads every file of Postgres.
"""

import secrets
from pathlib import Path

import psycopg
import pytest

from tests.conftest import in_one_process
from tests.factories import Service, fresh

pytestmark = pytest.mark.ci


@pytest.fixture(scope="module", params=in_one_process("erasure"))
def service(request, new_database):
    """The service, which does not purge by itself."""
    with Service(new_database(request.param), ROLLCALL_PURGE_HOUR="-1") as running:
        running.engine = request.param
        yield running


@pytest.fixture
def files(service):
    """Return every file that the data may be in: the database with what is beside it, and the log of the service."""

    def files():
        url = service.environment["DATABASE_URL"]
        if service.engine == "postgres":
            with psycopg.connect(url) as connection:
                folder = Path(connection.execute("SHOW data_directory").fetchone()[0])
        else:
            folder = Path(url.removeprefix("sqlite:///")).parent
        return [*(path for path in folder.rglob("*") if path.is_file()), Path(service.log.name)]

    return files


def scan(paths, markers):
    """Return {file name: how often any marker stands in it}."""
    found = {}
    for path in paths:
        try:
            content = path.read_bytes().lower()
        except FileNotFoundError:
            continue
        if hits := sum(content.count(marker.lower().encode()) for marker in markers):
            found[path.name] = hits
    return found


class Person:
    """Somebody with a marker in every field that takes text."""

    def __init__(self, service):
        self.service, self.markers = service, []
        self.uid, self.email = self.mark(), f"{self.mark()}@example.com"
        self.number = "+" + "".join(secrets.choice("123456789") for _ in range(14))
        self.markers.append(self.number[1:])

    def mark(self):
        self.markers.append("m" + secrets.token_hex(10))
        return self.markers[-1]

    def call(self, method, path, body=None, by="secret"):
        """Send the request under an Idempotency-Key of its own, so that its reply is kept."""
        with self.service.connection() as connection:
            headers = {"Idempotency-Key": self.mark()} if method != "DELETE" else {}
            status, reply = self.service.send(connection, method, path, body, by, **headers)
        assert status == 200, reply
        return reply

    def plant(self):
        """Write to every table that knows people."""
        news = self.service.call("POST", "lists", {"title": "News", "double_optin": True})[1]["id"]
        open_list = self.service.call("POST", "lists", {"title": "Open"})[1]["id"]
        account, member, other = fresh(), fresh(), self.mark()
        self.call("POST", "users", {"id": account})
        user = {"first_name": self.mark(), "last_name": self.mark(), "meta": {self.mark(): self.mark()}}
        user |= {"email": self.email, "number": self.number, "device_token": self.mark(), "device_platform": "ios"}
        user |= {"tz": "Africa/Lagos", "app_version": self.mark(), "app_build": self.mark()}
        user |= {"accounts": [{"id": account, "role": self.mark()}], "lists": [open_list]}
        self.call("PUT", f"users/{self.uid}", user)
        self.call("PUT", f"users/{self.uid}", {"first_name": self.mark()}, by="public")
        self.call("PUT", f"users/{member}", {"accounts": [{"id": self.uid, "role": self.mark()}]})
        event = {"event": self.mark(), "value": self.mark(), "properties": {self.mark(): self.mark()}}
        self.call("POST", f"users/{self.uid}/events", {**event, "id": self.mark()})
        refused = {"type": "update", "id": self.uid, "meta": {self.mark(): []}}
        self.call("POST", "batch", {"data": [refused, {"type": "update", "id": self.uid, "last_name": self.mark()}]})
        place = self.call("POST", f"lists/{news}/subscribers", {"email": self.email})
        self.markers.append(place["confirmation_url"].rsplit("/", 2)[1])
        self.service.call("GET", place["confirmation_url"].partition(str(self.service.port))[2], by=None)
        self.service.call("GET", f"users?email={self.email}&first_name={self.mark()}")
        self.call("PUT", f"users/{other}", {"first_name": self.mark(), "meta": {self.mark(): self.mark()}})
        self.call("POST", f"users/{other}/events", {"event": self.mark()})
        self.call("POST", "users/merge", {"source": other, "destination": self.uid})
        self.service.call("PUT", f"users/{self.uid}", {"email": self.mark()})  # refused, and quoted nowhere


def analyze(service):
    """Let Postgres remember the most common values, as it does by itself now and then."""
    if service.engine == "postgres":
        with psycopg.connect(service.environment["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("ANALYZE")


def test_nothing_of_an_erased_person_is_left_in_any_file(service, files):
    person, bystander = Person(service), Person(service)
    for one in (person, bystander):
        one.plant()
    analyze(service)
    assert service.call("DELETE", f"users/{person.uid}")[0] == 200
    assert scan(files(), person.markers)  # deleted is not gone yet, and the scan can see it
    assert service.rollcall("purge") == "purged\n"
    assert scan(files(), person.markers) == {}
    assert service.call("GET", f"users/{bystander.uid}")[1]["number"] == bystander.number
    assert scan(files(), [bystander.uid])


def test_the_last_one_leaves_nothing_either(service, files):
    person = Person(service)
    person.plant()
    analyze(service)
    for uid in list(service.walk(30)):
        assert service.call("DELETE", f"users/{uid}")[0] == 200
    service.rollcall("purge")
    assert scan(files(), person.markers) == {}
