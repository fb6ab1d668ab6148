"""Deletions survive a kill -9 between the request and the job, and leave nothing on the disk.

Slow: an erasure is due three seconds after it was asked for, and a worker that was killed keeps its claims for ten.
"""

import json

import pytest

from tests.conftest import in_one_process
from tests.factories import Service, wait_until
from tests.serving.test_erasure import Person, files, scan  # noqa: F401 - a fixture

CLIENT = {
    "ROLLCALL_ENVIRONMENT_ID": "XQ19azQe",
    "ROLLCALL_PURGE_HOUR": "-1",
    "ROLLCALL_ERASURE_DELAY": "3",
}
pytestmark = pytest.mark.ci


@pytest.fixture(scope="module", params=in_one_process("deletions"))
def service(request, new_database):
    """The service, which erases three seconds after it was asked."""
    with Service(new_database(request.param), **CLIENT) as running:
        running.engine = request.param
        yield running


@pytest.fixture
def atomic(service):
    """Call the Atomic API with a client of its own."""
    made = json.loads(service.rollcall("credentials", "create", "events", "--json"))
    pair = f"client_id={made['client_id']}&client_secret={made['client_secret']}"
    reply = service.call("POST", f"/oauth2/token?grant_type=client_credentials&{pair}", by=None)[1]

    def call(method, path, body=None):
        with service.connection() as connection:
            headers = {"Authorization": f"Bearer {reply['access_token']}"}
            return service.send(connection, method, f"/v1/XQ19azQe/{path}", body, by=None, **headers)

    return call


def states(atomic):
    status, reply = atomic("GET", "deletions?limit=1000")
    assert status == 200
    return [one["state"] for one in reply["data"]["deletions"]]


def wait_until_erased(atomic):
    wait_until(lambda: set(states(atomic)) == {"erased"})


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
    service.kill()
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
    wait_until(lambda: states(atomic).count("pending") not in (0, len(uids)))
    service.kill()
    service.start()
    wait_until_erased(atomic)
    assert len(states(atomic)) >= len(uids)
    assert not [uid for uid in service.walk(30) if uid.startswith(("many", "/"))]
