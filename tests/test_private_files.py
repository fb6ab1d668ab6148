"""What we make on disk is its owner's alone, whatever the umask; what is there with wider rights is one warning."""

import fcntl
import json
import os
import stat
import subprocess
import sys

import pytest

from app import private_files
from app.models.erasures.journal import Entry, append
from tests.factories import ROOT, Service

UMASKS = (0o000, 0o022, 0o077, 0o277)


@pytest.fixture(params=UMASKS, ids=oct)
def umask(request):
    """Runs the test under each umask."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def rights(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def rights_below(folder):
    return {str(path.relative_to(folder)): oct(rights(path)) for path in sorted(folder.rglob("*"))}


def rollcall(folder, *words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "app", *words], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{folder}/deep/data/rollcall.db", **environment},
    )  # fmt: skip


def test_a_file_and_a_folder_are_their_owners_alone(umask, tmp_path):
    private_files.make_folder(tmp_path / "a" / "b")
    private_files.make_file(tmp_path / "a" / "b" / "c")
    assert rights_below(tmp_path) == {"a": "0o700", "a/b": "0o700", "a/b/c": "0o600"}


def test_what_is_there_keeps_its_rights(tmp_path):
    folder, file = tmp_path / "a", tmp_path / "a" / "b"
    folder.mkdir(0o755)
    file.write_bytes(b"x")
    file.chmod(0o644)
    private_files.make_folder(folder)
    private_files.make_file(file)
    assert (rights(file), file.read_bytes()) == (0o644, b"x")
    assert private_files.open_to_others([folder, file, tmp_path / "c"]) == [str(folder), str(file)]
    with pytest.raises(FileExistsError):
        private_files.open_file(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    with pytest.raises(FileNotFoundError):
        private_files.open_file(tmp_path / "c", os.O_RDWR)


def test_the_journal_is(umask, tmp_path):
    append(str(tmp_path / "journal"), [Entry(1, "0" * 64, 0)])
    assert rights_below(tmp_path) == {"journal": "0o600"}


def test_all_that_the_commands_make_is(umask, tmp_path):
    (tmp_path / "people.ndjson").write_text('{"uid": "a"}\n{"email": 1}\n')
    for words in (("migrate",), ("import", str(tmp_path / "people.ndjson")), ("backup", str(tmp_path / "backup.db"))):
        ended = rollcall(tmp_path, *words)
        assert "Traceback" not in ended.stderr, ended.stderr
    found = rights_below(tmp_path)
    del found["people.ndjson"]
    assert {"deep", "deep/data", "deep/data/rollcall.db", "backup.db"} < found.keys()
    assert any(name.endswith(".errors.csv") for name in found)
    wrong = {
        name: right for name, right in found.items() if right != ("0o700" if name in ("deep", "deep/data") else "0o600")
    }
    assert wrong == {}


@pytest.mark.ci  # starts the service
def test_all_that_the_service_makes_is_and_it_warns_of_nothing(umask, tmp_path):
    with Service(f"sqlite:///{tmp_path}/data/rollcall.db") as service:
        service.call("PUT", "users/a", {"first_name": "Ada"})
        service.call("DELETE", "users/a")
        found = rights_below(tmp_path)
        assert {"data/rollcall.db-wal", "data/rollcall.db-shm", "data/rollcall.db.erasures"} < found.keys()
        assert found.pop("data") == "0o700" and set(found.values()) == {"0o600"}
        assert "open_to_others" not in service.read_output()


@pytest.mark.ci  # starts the service
def test_wider_rights_are_one_warning_at_the_start(tmp_path):
    with Service(f"sqlite:///{tmp_path}/data/rollcall.db") as service:
        service.stop()
        (tmp_path / "data").chmod(0o755)
        for path in (tmp_path / "data").iterdir():
            path.chmod(0o644)
        service.start()
        lines = [json.loads(line) for line in service.read_output().splitlines() if "open_to_others" in line]
    [warning] = lines
    assert warning["level"] == "warning" and str(tmp_path / "data" / "rollcall.db") in warning["paths"]
    assert str(tmp_path / "data") in warning["paths"] and "chmod" in warning["hint"]


def test_a_file_that_is_there_is_not_opened_as_that_would_end_the_locks_on_it(tmp_path):
    path = tmp_path / "x"
    private_files.make_file(path)
    with path.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        private_files.make_file(path)
        others = subprocess.run(
            [sys.executable, "-c", f"import fcntl; fcntl.lockf(open({str(path)!r}, 'r+b'), 6)"], capture_output=True
        )
    assert b"BlockingIOError" in others.stderr
