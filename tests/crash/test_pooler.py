"""Behind a pgbouncer in transaction mode each insert is durable and bounded, whatever the server connection was before."""

import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from app.config import Settings
from app.models.database import forget_connection
from app.services import workspaces
from tests import needs
from tests.crash.test_cut_connections import Batch, Group, Import, Route, Statement
from tests.factories import Api, free_port, fresh

pytestmark = pytest.mark.ci  # starts pgbouncer
THREADS, ROUNDS = 6, 5
# The settings of each insert, as the one who makes it has them.
NOTE = """
    CREATE TABLE noted (durable text, statement_timeout text, lock_timeout text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO noted VALUES (current_setting('synchronous_commit'), current_setting('statement_timeout'),
                                  current_setting('lock_timeout'));
        RETURN NULL;
    END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER note AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION note();
"""


@pytest.fixture
def pooled(migrated_database, tmp_path):
    """The URL of a database that is not durable by default, and that of a pgbouncer before it with two connections."""
    program = needs.program("pgbouncer", "/usr/sbin/pgbouncer")
    url = migrated_database("postgres")
    parts, port = urlsplit(url), free_port()
    name = parts.path[1:]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        connection.execute(NOTE)
    (tmp_path / "users.txt").write_text('"postgres" ""\n')
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n{name} = host={parse_qs(parts.query)['host'][0]} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n"
        f"auth_file = {tmp_path}/users.txt\npool_mode = transaction\ndefault_pool_size = 2\n"
    )
    owner = next(Path(parse_qs(parts.query)["host"][0]).glob(".s.PGSQL.*[0-9]")).owner()  # pgbouncer will not be root
    command = [program, "-u", owner, tmp_path / "pgbouncer.ini"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    pooler = f"postgresql://postgres@127.0.0.1:{port}/{name}?sslmode=disable"
    _wait_for(pooler)
    yield url, pooler
    forget_connection()
    process.terminate()
    process.wait(10)


def _wait_for(url):
    deadline = time.monotonic() + 10
    while True:
        try:
            return psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize("setting", [{"pooler": "transaction"}, {"prepare_statements": False}])
def test_no_insert_is_without_durability_or_time_outs(pooled, use_app, tmp_path, setting):
    url, pooler = pooled
    app = use_app(Settings(database_url=pooler, log_level="critical", **setting))
    api = Api(app.test_client(), workspaces.create("pooled"))
    lanes = [one(app, api, tmp_path) for one in (Group, Route, Statement, Batch, Import)]
    wrong = []

    def write():
        try:
            for _ in range(ROUNDS):
                for lane in lanes:
                    uids = [fresh(), fresh()]
                    if lane(uids) != set(uids):
                        wrong.append(type(lane).__name__)
        finally:
            forget_connection()

    threads = [threading.Thread(target=write) for _ in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not wrong
    with psycopg.connect(url) as connection:
        noted = connection.execute(
            "SELECT durable, statement_timeout, lock_timeout, count(*) FROM noted GROUP BY 1, 2, 3"
        )
        [(*settings, inserts)] = noted.fetchall()
    assert settings == ["on", "15s", "5s"] and inserts > THREADS * ROUNDS * len(lanes)
