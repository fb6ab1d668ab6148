"""The naive build of Rollcall's six routes: what one writes first with the same libraries."""

from benchmarks.peers.contender import SOURCES, python_environment
from benchmarks.peers.handmade import Handmade

_PACKAGES = ("flask", "flask-smorest", "marshmallow", "peewee", "gunicorn")


class Naive(Handmade):
    """Two workers of gthread with four threads each."""

    name = "naive Flask, SQLite"
    durability = "SQLite WAL, synchronous=FULL"

    @classmethod
    def install(cls) -> None:
        """Install."""
        python_environment("naive", _PACKAGES)

    def serve(self, environment: dict[str, str]) -> None:
        """Serve."""
        gunicorn = python_environment("naive", _PACKAGES) / "gunicorn"
        options = ["-k", "gthread", "-w", "2", "--threads", "4", "--no-control-socket"]
        self.launch(
            [gunicorn, *options, "-b", f"127.0.0.1:{self.port}", "--chdir", SOURCES, "naive_app:app"], environment
        )
