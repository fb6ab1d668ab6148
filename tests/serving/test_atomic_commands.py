"""`rollcall credentials`, `deletions` and `worker`, beside a service that runs."""

import contextlib
import json
import re
import subprocess
import sys
import time

import apsw
import psycopg
import pytest

from tests.conftest import in_one_process
from tests.factories import ROOT, STOP_SECONDS, Service, fresh, wait_until

ENVIRONMENT = "XQ19azQe"
FORGETS = 1  # seconds in which every worker forgets what it knew of a client


pytestmark = pytest.mark.ci


@pytest.fixture(scope="module", params=in_one_process("atomic-commands"))
def service(request, new_database):
    """The service, which erases nobody by itself within this hour."""
    settings = {"ROLLCALL_ENVIRONMENT_ID": ENVIRONMENT, "ROLLCALL_ERASURE_DELAY": "3600", "ROLLCALL_PURGE_HOUR": "-1"}
    with Service(new_database(request.param), **settings) as running:
        yield running


@pytest.fixture
def client(service):
    """Make a client of a role by the command, and return what it printed."""
    return lambda role, *words: json.loads(service.rollcall("credentials", "create", role, "--json", *words))


def grant(service, client):
    """Ask for a token; return the status and the reply."""
    pair = f"client_id={client['client_id']}&client_secret={client['client_secret']}"
    return service.call("POST", f"/oauth2/token?grant_type=client_credentials&{pair}", by=None)


def ask(service, token, method, path, body=None):
    """Call the Atomic API; return the status and the reply."""
    with service.connection() as connection:
        headers = {"Authorization": f"Bearer {token}"}
        return service.send(connection, method, f"/v1/{ENVIRONMENT}/{path}", body, by=None, **headers)


@pytest.mark.parametrize(("role", "path", "status"), [
    ("events", "users", 200), ("workbench", "users/custom-profile-fields", 200), ("auth", "users", 403),
])  # fmt: skip
def test_a_client_that_the_shell_made_has_its_role(service, client, role, path, status):
    made = client(role)
    assert list(made) == ["workspace", "role", "client_id", "client_secret"] and made["role"] == role
    granted, reply = grant(service, made)
    assert granted == 200 and ask(service, reply["access_token"], "GET", path)[0] == status


def test_clients_are_listed_without_their_secrets(service, client):
    made = client("events")
    lines = service.rollcall("credentials", "list")
    assert f"{made['client_id']}  events\n" in lines and made["client_secret"] not in lines


def test_what_is_printed_for_people_has_the_secret_once(service):
    said = service.rollcall("credentials", "create", "workbench")
    found = re.search("client_id: (.+)\nclient_secret: (.+)\n", said)
    assert grant(service, dict(zip(("client_id", "client_secret"), found.groups(), strict=True)))[0] == 200


def test_a_revoked_client_and_its_tokens_are_worthless_within_a_second_in_every_worker(service, client):
    made = client("events")
    token = grant(service, made)[1]["access_token"]
    assert {ask(service, token, "GET", "users")[0] for _ in range(20)} == {200}
    assert service.rollcall("credentials", "revoke", made["client_id"]) == f"revoked {made['client_id']}\n"
    revoked, began = time.monotonic(), 0.0
    while {ask(service, token, "GET", "users")[0] for _ in range(20)} != {401}:
        assert began < revoked + FORGETS
        began = time.monotonic()
    status, reply = grant(service, made)
    assert (status, reply["error"]) == (400, "invalid_client")
    assert made["client_id"] not in service.rollcall("credentials", "list")


def test_a_client_of_another_workspace_is_not_found_and_stays(service, client):
    service.rollcall("workspace", "create", "other" + fresh())
    other = json.loads(service.rollcall("workspace", "list", "--json").splitlines()[-1])["workspace"]
    made = client("events")
    assert "rollcall: " in service.rollcall("credentials", "revoke", made["client_id"], "--workspace", other, status=1)
    assert grant(service, made)[0] == 200
    assert "rollcall: " in service.rollcall("credentials", "revoke", "cl_nobody", status=1)
    assert "rollcall: " in service.rollcall("credentials", "list", "--workspace", "nobody", status=1)
    service.rollcall("credentials", "create", "owner", status=2)


def sql(service, text):
    """Run SQL on the database of the service; return the rows, if it answers some.

    With apsw, as commands in this process have the file open with it: two SQLites in a process end each other's locks.
    """
    url = service.environment["DATABASE_URL"]
    if url.startswith("sqlite:///"):
        with contextlib.closing(apsw.Connection(url.removeprefix("sqlite:///"))) as database:
            database.set_busy_timeout(10_000)
            return database.execute(text).fetchall()
    with psycopg.connect(url) as database:
        cursor = database.execute(text)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def deleted(service, client):
    """Delete a customer; return a function that tells the state of the deletion."""
    token, uid = grant(service, client("events"))[1]["access_token"], fresh()
    assert ask(service, token, "POST", "users", {"users": [{"id": uid}]})[0] == 200
    assert ask(service, token, "PUT", "delete-users", {"data": [uid]})[0] == 200
    return lambda: ask(service, token, "GET", "deletions?limit=1")[1]["data"]["deletions"][0]["state"]


def test_deletions_that_were_given_up_are_tried_again(service, deleted):
    assert "0 to be tried again" in service.rollcall("deletions", "retry")
    sql(service, "UPDATE deletions SET state = 'failed', attempts = 10 WHERE state = 'pending'")
    assert deleted() == "failed"
    assert service.rollcall("deletions", "retry") == "1 to be tried again\n"
    wait_until(lambda: deleted() == "erased")
    assert "0 to be tried again" in service.rollcall("deletions", "retry")
    assert "rollcall: " in service.rollcall("deletions", "retry", "--workspace", "nobody", status=1)


def test_a_worker_of_its_own_erases_what_is_due_and_stops_when_it_is_told(service, deleted):
    service.stop()
    sql(service, "UPDATE deletions SET next_at = 0 WHERE state = 'pending'")
    worker = subprocess.Popen([sys.executable, "-m", "app", "worker"], cwd=ROOT, env=service.environment)
    try:
        wait_until(lambda: sql(service, "SELECT count(*) FROM deletions WHERE state = 'pending'") == [(0,)])
    finally:
        worker.terminate()
    assert worker.wait(STOP_SECONDS) == 0
    service.start()
    assert deleted() == "erased"
