"""An SQLite file whose writes, syncs and locks fail costs the answer, and no acknowledged write, and stores none twice."""

import itertools
import json

import apsw
import pytest

from app import errors
from app.api import auth
from app.config import Settings
from app.models.database import db, forget_connection
from app.services import imports, storage, workspaces
from app.services.imports import NdjsonFile, Plan, running
from tests.crash.test_cut_connections import TRIES, Batch, Group, Import, Route, Statement, load
from tests.factories import Api, fresh
from tests.serving.failing_files import KINDS, NAME, FailingFiles, Fault

ERRORS = (apsw.FullError, apsw.IOError, apsw.BusyError)
_STORED = "SELECT uid, count(*) FROM events JOIN users ON users.id = user_id WHERE uid IN (?, ?) GROUP BY uid"


class Portion(Import):
    """A portion of a file, stored by this thread: the thread of an import would want a connection of its own."""

    def __call__(self, uids):
        path = self.tmp_path / f"{uids[0]}.ndjson"
        path.write_text("".join(json.dumps({"type": "event", "uid": uid, "event": "Paid"}) + "\n" for uid in uids))
        workspace = workspaces.find(self.api.keys.workspace)
        plan = Plan(workspace, NdjsonFile(path), imports.fingerprint(path), load, path.with_suffix(".csv"))
        for _ in range(TRIES):
            try:
                progress = imports.begin(plan)
                for part in running._parts(plan, progress):
                    progress = running._store(plan, progress, part)
                return set(uids)
            except errors.StorageUnavailable:
                continue
        raise AssertionError("the portion was never stored")


@pytest.fixture(scope="module")
def files():
    """The VFS, installed once in this process."""
    return FailingFiles()


@pytest.fixture(params=(Group, Route, Statement, Batch, Portion), ids=lambda one: one.__name__.lower())
def lane(request, files, migrated_database, use_app, tmp_path, monkeypatch):
    """A lane of an app whose files may fail."""
    monkeypatch.setattr(auth, "_CACHE_SECONDS", 3600.0)
    settings = Settings(database_url=migrated_database("sqlite"), log_level="critical", lock_timeout=100)
    app = use_app(settings)
    db.obj.connect_params["vfs"] = NAME
    db.obj._pragmas.insert(0, ("locking_mode", "exclusive"))
    files.arm(None)
    storage.prepare(settings)
    yield request.param(app, Api(app.test_client(), workspaces.create("failing")), tmp_path)
    files.arm(None)
    forget_connection()


def counted(lane, files):
    """Return how many calls of each kind the lane makes on a new connection."""
    forget_connection()
    files.arm(None)
    assert len(lane([fresh(), fresh()])) == 2
    return files.counts


def check(lane, files, fault, forever):
    """Fail there, and check what is stored; return whether it failed."""
    forget_connection()
    uids = [fresh(), fresh()]
    files.arm(fault, forever)
    try:
        acknowledged = lane(uids)
    except (AssertionError, errors.StorageUnavailable):
        assert isinstance(lane, Portion)  # it could not begin, or is begun again in vain
        acknowledged = set()
    was_raised = files.was_raised  # not where this time there were fewer calls: pages split as they fill
    files.arm(None)
    forget_connection()
    stored = dict(db.execute_sql(_STORED, tuple(uids)).fetchall())
    assert all(stored.get(uid, 0) == 1 for uid in acknowledged), (fault, "acknowledged, and not stored once", stored)
    assert all(count <= 1 for count in stored.values()), (fault, "stored twice", stored)
    return was_raised


def test_a_file_that_fails_loses_nothing_and_stores_nothing_twice(lane, files):
    counts = counted(lane, files)
    assert counts["xWrite"] > 3 and counts["xSync"] > 1
    faults = 0
    for kind, error, forever in itertools.product(KINDS, ERRORS, (False, True)):
        for number in range(counts[kind]):
            faults += check(lane, files, Fault(kind, number, error), forever)
    print(f"{type(lane).__name__.lower()}: failed {faults} times")
    assert faults > len(ERRORS) * (counts["xWrite"] + counts["xSync"])
