"""What a contender is: something that installs itself, starts with the same people, and answers five requests."""

import base64
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.people import PAGE, PUBLIC_KEY, SECRET_KEY
from benchmarks.postgres import Postgres
from benchmarks.wrk import Request

ROOT = Path(__file__).parent.parent.parent
PEERS = ROOT / "benchmarks/.peers"
SOURCES = Path(__file__).parent / "sources"
START_SECONDS = 60
BASIC = "Basic " + base64.b64encode(f"{PUBLIC_KEY}:{SECRET_KEY}".encode()).decode()


class Contender:
    """Subclasses say what differs. durability: what an acknowledged write has been through. note: what to know."""

    name = ""
    durability = ""
    note = ""
    needs_postgres = False

    def __init__(self, folder: Path, users: int):
        self.folder, self.users = folder / "".join(filter(str.isalnum, self.name)), users
        self.folder.mkdir(exist_ok=True)  # it may be there from an earlier run
        self.folder.chmod(0o755)
        self.port = free_port()
        self.postgres = Postgres(self.folder / "postgres") if self.needs_postgres else None
        self.processes: list[subprocess.Popen[bytes]] = []

    @classmethod
    def install(cls) -> None:
        """Install what it needs, once, under benchmarks/.peers."""

    def start(self) -> None:
        """Start it and fill it with the people."""
        raise NotImplementedError

    def requests(self) -> dict[str, Request]:
        """Return the request of each action."""
        raise NotImplementedError

    # ---- for subclasses --------------------------------------------------------------------------------------------

    def launch(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Start a process whose output goes to a file."""
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    [str(part) for part in command], cwd=self.folder, env={**os.environ, **(environment or {})},
                    stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                )
            )  # fmt: skip

    def await_port(self) -> None:
        """Wait until somebody listens."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.processes[-1].poll() is not None:
                    raise RuntimeError(f"{self.name} does not start: {self.output()[-2000:]}") from None
                time.sleep(0.05)

    def output(self) -> str:
        """Return what its processes have printed."""
        return "".join(file.read_text(errors="replace") for file in sorted(self.folder.glob("*.log")))

    # ---- for the runner --------------------------------------------------------------------------------------------

    def pids(self) -> list[int]:
        """Return the first processes of all that works for it."""
        return [one.pid for one in self.processes] + ([self.postgres.pid] if self.postgres else [])

    def send(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
        """Send one request; return status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text

    def check(self) -> None:
        """See that it does the work: every request succeeds, a read shows the user, a page has all of its rows."""
        for action, request in self.requests().items():
            path, body = request.once(user=7, fresh=os.getpid())
            status, text = self.send(request.method, path, body, **request.all_headers)
            shown = {"get": 1, "page": PAGE}.get(action, 0)
            if status not in (200, 201, 204) or text.count("@example.com") < shown:
                raise RuntimeError(f"{self.name} {action} answers {status} {text[:300]}\n{self.output()[-2000:]}")

    def stop(self) -> None:
        """Stop all of it."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self.postgres:
            self.postgres.stop()


def python_environment(name: str, packages: Sequence[str]) -> Path:
    """Make a virtual environment with these packages unless it is there; return its folder of programs."""
    folder = PEERS / name
    if not (folder / ".installed").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run(
            [folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", *packages],
            check=True,
            timeout=600,
        )
        (folder / ".installed").touch()
    return folder / "bin"


def node_folder(name: str, packages: Sequence[str]) -> Path:
    """Make a folder of npm packages unless it is there; return it."""
    folder = PEERS / name
    if not (folder / ".installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", *packages], cwd=folder, check=True, timeout=600)
        (folder / ".installed").touch()
    return folder


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
