"""What the builds that were written by hand have in common: Rollcall's routes, and Basic auth with one fixed key."""

from benchmarks.peers import schema
from benchmarks.peers.contender import BASIC, Contender
from benchmarks.people import CHANGE, EVENT, NEW_USER, PAGE
from benchmarks.wrk import Request


class Handmade(Contender):
    """A build with the tables of schema.py. Subclasses add `serve`."""

    def start(self) -> None:
        """Fill the database and serve it."""
        if self.postgres:
            schema.fill_postgres(self.postgres, self.users)
        else:
            schema.fill_sqlite(self.folder / "users.db", self.users)
        self.serve(
            {
                "PORT": str(self.port),
                "AUTHORIZATION": BASIC,
                "DATABASE": self.postgres.url if self.postgres else str(self.folder / "users.db"),
            }
        )
        self.await_port()

    def serve(self, environment: dict[str, str]) -> None:
        """Start the server. environment: PORT, AUTHORIZATION and DATABASE."""
        raise NotImplementedError

    def requests(self) -> dict[str, Request]:
        """Return the five."""
        by = {"Authorization": BASIC}
        return {
            "create": Request("POST", "/v1/users", NEW_USER, by),
            "get": Request("GET", "/v1/users/u@user@", None, by),
            "update": Request("PUT", "/v1/users/u@user@", CHANGE, by),
            "event": Request("POST", "/v1/users/u@user@/events", EVENT, by),
            "page": Request("GET", f"/v1/users?limit={PAGE}&next_cursor={self.users // 2}", None, by),
        }
