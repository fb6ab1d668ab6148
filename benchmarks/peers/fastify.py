"""Hand-written Fastify: prepared statements, a JSON schema on each body, one statement for each read."""

from benchmarks.peers.contender import SOURCES, node_folder
from benchmarks.peers.handmade import Handmade

_PACKAGES = ("fastify", "better-sqlite3", "pg")


class Fastify(Handmade):
    """With better-sqlite3."""

    name = "Fastify + better-sqlite3, 2 workers"
    durability = "SQLite WAL, synchronous=FULL"
    workers = 2
    store = "sqlite"
    side_tables = True

    @classmethod
    def install(cls) -> None:
        """Install."""
        node_folder("fastify", _PACKAGES)

    def serve(self, environment: dict[str, str]) -> None:
        """Serve."""
        more = {
            "WORKERS": str(self.workers),
            "STORE": self.store,
            "SIDE_TABLES": "1" if self.side_tables else "",
            "MODULES": str(node_folder("fastify", _PACKAGES)),
        }
        self.launch(["node", SOURCES / "fastify_app.js"], {**environment, **more, "NODE_ENV": "production"})


class FastifyOne(Fastify):
    """In one process."""

    name = "Fastify + better-sqlite3, 1 worker"
    workers = 1


class FastifyFlat(Fastify):
    """Without devices, accounts and lists: less work than the others do."""

    name = "Fastify + better-sqlite3, 2 workers, no side tables"
    note = "answers empty devices, accounts and lists without looking"
    side_tables = False


class FastifyPostgres(Fastify):
    """With pg."""

    name = "Fastify + pg, 2 workers"
    durability = "Postgres, synchronous_commit=on"
    store = "pg"
    needs_postgres = True
