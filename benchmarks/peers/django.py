"""Django REST framework on Postgres: serializers with nested ones, connections that are kept, gunicorn."""

from benchmarks.peers.contender import SOURCES, python_environment
from benchmarks.peers.handmade import Handmade

_PACKAGES = ("django", "djangorestframework", "psycopg[binary]", "gunicorn")


class Django(Handmade):
    """Two workers of gthread with four threads each."""

    name = "Django REST framework, 2 workers"
    durability = "Postgres, synchronous_commit=on"
    needs_postgres = True

    @classmethod
    def install(cls) -> None:
        """Install."""
        python_environment("django", _PACKAGES)

    def serve(self, environment: dict[str, str]) -> None:
        """Serve."""
        gunicorn = python_environment("django", _PACKAGES) / "gunicorn"
        options = ["-k", "gthread", "-w", "2", "--threads", "4", "--no-control-socket"]
        self.launch(
            [gunicorn, *options, "-b", f"127.0.0.1:{self.port}", "--chdir", SOURCES, "django_app:application"],
            environment,
        )
