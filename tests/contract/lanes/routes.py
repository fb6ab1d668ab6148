"""The Flask routes: the reference, by which the state that other lanes leave is read."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.contract.lanes.lane import MAX_PAGES, Fields, HttpLane
from tests.contract.outcome import Outcome

LAST_OF_ALL = "f" * 24  # a cursor behind every id


class Answer(NamedTuple):
    """The reply to one request."""

    status: int
    json: dict[str, Any]
    headers: dict[str, str]


class Routes(HttpLane):
    """POST, PUT, PATCH and GET of `/v1/users` with the secret."""

    name = "routes"

    def create(self, uid: Any, fields: Fields) -> Outcome:
        return self._write("POST", "users", {"id": uid, **fields})

    def update(self, uid: Any, fields: Fields) -> Outcome:
        return self._write("PUT", path_of(uid), dict(fields))

    def patch(self, uid: Any, fields: Fields) -> Outcome:
        return self._write("PATCH", path_of(uid), dict(fields))

    def record(self, uid: Any, event: Fields) -> Outcome:
        return self._write("POST", f"{path_of(uid)}/events", dict(event))

    def merge(self, source: str, destination: str) -> Outcome:
        return self._write("POST", "users/merge", {"source": source, "destination": destination})

    def read(self, uid: str) -> dict[str, Any] | None:
        answer = self.ask("GET", path_of(uid))
        return None if answer.status == 404 else answer.json

    def tag(self, uid: str) -> str:
        """Return the ETag of a user."""
        return self.ask("GET", path_of(uid)).headers["ETag"]

    def events(self, uid: str) -> list[dict[str, Any]]:
        """Return the events of a user, newest first, without our ids."""
        found = self.ask("GET", f"{path_of(uid)}/events?limit=100").json["data"]
        return [{name: one[name] for name in one if name != "id"} for one in found]

    def walk(self, limit: int) -> list[str]:
        return [uid for page in self._pages(limit, "next_cursor", "") for uid in page]

    def walk_back(self, limit: int) -> list[str]:
        pages = self._pages(limit, "previous_cursor", LAST_OF_ALL)
        return [uid for page in reversed(list(pages)) for uid in page]

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Send one request."""
        return self.ask_route(method, path, body)

    def ask_route(self, method: str, path: str, body: Any, **more: Any) -> Answer:
        """Send one request to the Flask app. more: what its test client takes besides."""
        response = self.api.call(method, path, body, headers=self.headers, **more)
        return Answer(response.status_code, response.json, dict(response.headers))

    def _write(self, method: str, path: str, body: Any) -> Outcome:
        return outcome_of(self.ask(method, path, body))

    def _pages(self, limit: int, name: str, cursor: str) -> Iterator[list[str]]:
        for _ in range(MAX_PAGES):
            page = self.ask("GET", f"users?limit={limit}" + (f"&{name}={cursor}" if cursor else "")).json
            assert len(page["data"]) <= limit
            yield [user["uid"] for user in page["data"]]
            cursor = page.get(name)
            if cursor is None:
                return
        raise AssertionError("a walk never ends")


def path_of(uid: Any) -> str:
    """Return the path of a user."""
    return f"users/{quote(str(uid), safe='')}"


def outcome_of(answer: Answer) -> Outcome:
    """Return what a reply in the shape of Engage says of a write. The uid is `id` in a body, and `uid` in a path."""
    if answer.status == 200:
        return Outcome(True, status=200, said=answer.json)
    named = frozenset("uid" if one == "id" else one for one in answer.json.get("details", ()))
    return Outcome(False, named, answer.json["code"], answer.status, answer.json)
