"""The Atomic API: users are customers, whose profiles hold some of their fields."""

from typing import Any
from urllib.parse import quote

from app.services.atomic import clients
from app.services.audit import SHELL
from tests.contract.lanes import profiles
from tests.contract.lanes.lane import MAX_PAGES, Fields, HttpLane
from tests.contract.outcome import Outcome


class Atomic(HttpLane):
    """`POST` and `GET` of customers, by a client with the role events."""

    name = "atomic"

    def __init__(self, *where: Any):
        super().__init__(*where)
        client = clients.create(self.workspace, clients.EVENTS, SHELL)
        self.token = clients.issue(client.id, client.secret)

    def create(self, uid: Any, fields: Fields) -> Outcome:
        return self._write(uid, fields)

    def update(self, uid: Any, fields: Fields) -> Outcome:
        return self._write(uid, fields)

    def patch(self, uid: Any, fields: Fields) -> Outcome:
        return self._write(uid, fields)

    def read(self, uid: str) -> dict[str, Any] | None:
        response = self.call("GET", f"user?id={quote(uid, safe='')}")
        return None if response.status_code == 404 else _user(response.json["data"])

    def walk(self, limit: int) -> list[str]:
        found: list[str] = []
        cursor = ""
        for _ in range(MAX_PAGES):
            page = self.call("GET", f"users?limit={limit}{cursor and f'&cursor={cursor}'}").json["data"]
            assert len(page["users"]) <= limit
            found += [user["id"] for user in page["users"]]
            cursor = page.get("cursor")
            if cursor is None:
                return found
        raise AssertionError("a walk never ends")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request under the environment."""
        where = f"/v1/{self.api.keys.environment_id}/{path}"
        return self.api.call(method, where, body, f"Bearer {self.token}", headers=self.headers)

    def _write(self, uid: Any, fields: Fields) -> Outcome:
        profile = profiles.of_user(fields)
        profiles.define(self.workspace, profile)
        return self.send({"id": uid, "profile": profile})

    def send(self, customer: Any) -> Outcome:
        """Send one customer."""
        response = self.call("POST", "users", {"users": [customer]})
        if response.status_code == 200:
            return Outcome(True, status=200, said=response.json)
        told = response.json["errors"]
        places = [one["source"]["pointer"] for one in told if "pointer" in (one["source"] or {})]
        return Outcome(False, frozenset(map(_field, places)), told[0]["code"], response.status_code, told)


def _field(pointer: str) -> str:
    _, _, *names = pointer.removeprefix("/users").split("/")
    return profiles.in_engage(".".join(names).removeprefix("profile").removeprefix("."))


def _user(customer: dict[str, Any]) -> dict[str, Any]:
    own = {"email": None, "phone": None, **customer["profile"]}
    return {"uid": customer["id"], "email": own.pop("email"), "number": own.pop("phone"), "meta": own}
