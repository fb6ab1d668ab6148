"""FastAPI with SQLAlchemy's async ORM on asyncpg, served by uvicorn with uvloop."""

from benchmarks.peers.contender import SOURCES, python_environment
from benchmarks.peers.handmade import Handmade

_PACKAGES = ("fastapi", "sqlalchemy[asyncio]", "asyncpg", "uvicorn", "uvloop", "httptools", "orjson")


class FastApi(Handmade):
    """Two workers."""

    name = "FastAPI + SQLAlchemy, 2 workers"
    durability = "Postgres, synchronous_commit=on"
    needs_postgres = True

    @classmethod
    def install(cls) -> None:
        """Install."""
        python_environment("fastapi", _PACKAGES)

    def serve(self, environment: dict[str, str]) -> None:
        """Serve."""
        uvicorn = python_environment("fastapi", _PACKAGES) / "uvicorn"
        options = ["--workers", "2", "--no-access-log", "--log-level", "warning"]
        self.launch([uvicorn, "fastapi_app:app", "--app-dir", SOURCES, "--port", str(self.port), *options], environment)
