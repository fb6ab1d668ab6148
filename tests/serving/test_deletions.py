"""Deletions survive a kill -9 between the request and the job, and leave nothing on the disk."""

import json
import os
import signal
import time

import pytest

from tests.conftest import ENGINES
from tests.factories import Service
from tests.serving.test_erasure import Person, files, scan  # noqa: F401 - a fixture

CLIENT = {
    "ROLLCALL_ENVIRONMENT_ID": "XQ19azQe",
    "ROLLCALL_PURGE_HOUR": "-1",
    "ROLLCALL_ERASURE_DELAY": "3",
}
PATIENCE = 40  # seconds; a worker that was killed leaves its claims alone for ten


@pytest.fixture(scope="module", params=ENGINES)
def service(request, new_database):
    """The service, which erases three seconds after it was asked."""
    with Service(new_database(request.param), **CLIENT) as running:
        running.engine = request.param
        yield running


@pytest.fixture
def atomic(service):
    """Call the Atomic face with a client of its own."""
    made = json.loads(service.rollcall("credentials", "create", "events", "--json"))
    pair = f"client_id={made['client_id']}&client_secret={made['client_secret']}"
    reply = service.call("POST", f"/oauth2/token?grant_type=client_credentials&{pair}", by=None)[1]

    def call(method, path, body=None):
        with service.connection() as connection:
            headers = {"Authorization": f"Bearer {reply['access_token']}"}
            return service.send(connection, method, f"/v1/XQ19azQe/{path}", body, by=None, **headers)

    return call


def kill(service):
    """Kill everything that the service is, at once."""
    os.killpg(service.process.pid, signal.SIGKILL)
    service.process.wait()


def states(atomic):
    status, reply = atomic("GET", "deletions?limit=1000")
    assert status == 200
    return [one["state"] for one in reply["data"]["deletions"]]


def wait_until_erased(atomic):
    deadline = time.monotonic() + PATIENCE
    while set(states(atomic)) != {"erased"}:
        assert time.monotonic() < deadline, states(atomic)
        time.sleep(0.2)


def test_killed_between_the_request_and_the_job_it_erases_after_the_restart(service, atomic, files):  # noqa: F811
    person, bystander = Person(service), Person(service)
    for one in (person, bystander):
        one.plant()
        zone = {"timezone": "Africa/Lagos"}
        assert atomic("PUT", "userPreferences", {"data": {one.uid: zone}})[0] == 200
        assert atomic("POST", "users", {"users": [{"id": one.uid, "profile": {"city": one.mark()}}]})[0] == 200
    assert atomic("PUT", "delete-users", {"data": [person.uid]}) == (200, {"userIds": [person.uid]})
    assert set(service.walk(30)) & {person.uid, bystander.uid} == {bystander.uid}
    assert not [uid for uid in service.walk(30, backwards=True) if uid.startswith("/")]
    kill(service)
    service.start()
    assert states(atomic)[0] == "pending" and service.call("GET", f"users/{person.uid}")[0] == 404
    wait_until_erased(atomic)
    assert service.rollcall("purge") == "purged\n"
    assert scan(files(), person.markers) == {}
    assert service.call("GET", f"users/{bystander.uid}")[1]["meta"]["city"] == bystander.markers[-1]


def test_killed_in_the_middle_of_many_it_goes_on(service, atomic):
    uids = [f"many{number}" for number in range(400)]
    for start in range(0, len(uids), 200):
        users = [{"id": uid, "profile": {"city": "Lagos"}} for uid in uids[start : start + 200]]
        assert atomic("POST", "users", {"users": users})[0] == 200
    assert atomic("PUT", "delete-users", {"data": uids})[0] == 200
    deadline = time.monotonic() + PATIENCE
    while states(atomic).count("pending") in (0, len(uids)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    kill(service)
    service.start()
    wait_until_erased(atomic)
    assert len(states(atomic)) >= len(uids)
    assert not [uid for uid in service.walk(30) if uid.startswith(("many", "/"))]
