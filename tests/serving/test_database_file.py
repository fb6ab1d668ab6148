"""The SQLite file is moved away, replaced, or may not be opened: the service says so, in one line."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import needs
from tests.factories import ROOT, Service, free_port, wait_until

pytestmark = pytest.mark.ci  # starts the service


@pytest.fixture
def service(tmp_path):
    with Service(f"sqlite:///{tmp_path}/data/rollcall.db") as running:
        yield running


def children(service):
    """The processes that the service has started."""
    return {
        int(child)
        for task in Path(f"/proc/{service.process.pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    }


@pytest.mark.parametrize("how", ["moved away", "replaced"])
def test_a_database_file_that_is_another_one_is_noticed(service, tmp_path, how):
    path = tmp_path / "data" / "rollcall.db"
    assert service.call("PUT", "users/a", {})[0] == 200
    os.rename(path, tmp_path / "away.db")
    if how == "replaced":
        shutil.copy(tmp_path / "away.db", path)
    for _ in range(10):  # each of both workers
        status, reply = service.call("GET", "/readyz", by=None)
        assert (status, reply["code"]) == (503, "storage_unavailable") and how in reply["error"]
        assert service.call("GET", "/healthz", by=None)[0] == 200
    os.replace(tmp_path / "away.db", path)
    assert service.call("GET", "/readyz", by=None)[0] == 200


def test_a_new_worker_makes_no_new_file_in_the_place_of_one_that_was_moved_away(service, tmp_path):
    path = tmp_path / "data" / "rollcall.db"
    os.rename(path, tmp_path / "away.db")
    workers = children(service)
    for worker in workers:  # that of the jobs among them
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(children(service)) == len(workers) and workers.isdisjoint(children(service)), 20)
    time.sleep(2)  # they look for the database; to see that none is made takes a wait
    for _ in range(10):
        with contextlib.suppress(OSError):
            assert service.call("PUT", "users/b", {})[0] == 503
    assert workers and not path.exists()


# Root may open anything: without these rights it is as any other user of its files.
AS_ANYBODY = ("--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-dac_override,-dac_read_search")


@pytest.mark.parametrize("words", [("serve",), ("migrate",), ("workspace", "list")])
@pytest.mark.parametrize(("what", "mode"), [("folder", 0o500), ("folder", 0o000), ("file", 0o400), ("file", 0o000)])
def test_missing_rights_at_the_start_are_one_line(tmp_path, words, what, mode):
    path = tmp_path / "data" / "rollcall.db"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{path}", "PORT": str(free_port())}
    command = [sys.executable, "-m", "app"]
    subprocess.run([*command, "migrate"], env=environment, cwd=ROOT, check=True, capture_output=True)
    if what == "file" and mode == 0:
        path.unlink()
        path.touch()
    target = path if what == "file" else path.parent
    target.chmod(mode)
    as_anybody = [needs.program("setpriv"), *AS_ANYBODY] if os.geteuid() == 0 else []
    ended = subprocess.run(
        [*as_anybody, *command, *words], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    target.chmod(0o700)
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert ended.returncode == 1 and len(lines) == 1, ended.stderr
    assert lines[0].startswith("rollcall: DATABASE_URL: ") and str(path.parent) in lines[0]
