"""Every hostile request gets the answer it must get, stores what it may store, and nothing that cannot be read.

A case passes when the status is as expected; the error has the documented shape, stays under 16 KiB and shows nothing
of the inside; a refused request has changed no table and an accepted one reads back; nothing that the credential may
not read is in the reply, and nothing of another workspace has changed; and the answer came within 5 seconds.
"""

import itertools
import json
import secrets
from urllib.parse import quote

import pytest

from tests.conftest import in_one_process
from tests.factories import Service
from tests.hostile.cases import cases
from tests.hostile.sending import send
from tests.hostile.stored import Stored
from tests.hostile.target import Target

pytestmark = pytest.mark.ci  # 1,114 requests to each engine, each with a look at all that is stored before and after

GROUPS = {name: list(group) for name, group in itertools.groupby(cases(), lambda case: case["group"])}
CLIENT = {
    "ROLLCALL_ENVIRONMENT_ID": "XQ19azQe",
    "ROLLCALL_CLIENT_ID": "hostile-auth",
    "ROLLCALL_CLIENT_SECRET": secrets.token_urlsafe(24),
}


@pytest.fixture(scope="module", params=in_one_process("hostile"))
def target(request, new_database):
    """The service with two workspaces, on a database whose tables can be looked at; at the end, all in it is read."""
    url = new_database(request.param)
    with Service(url, LOG_LEVEL="warning", **CLIENT) as service, Stored(url) as stored:
        other = json.loads(service.rollcall("workspace", "create", "other", "--json"))
        pairs = (service.public, service.secret), (other["public_key"], other["secret_key"])
        target = Target(
            f"127.0.0.1:{service.port}", *pairs, snapshot=stored.fingerprint,
            env=CLIENT["ROLLCALL_ENVIRONMENT_ID"], env_b=other["environment_id"],
            clients={"auth": (CLIENT["ROLLCALL_CLIENT_ID"], CLIENT["ROLLCALL_CLIENT_SECRET"])},
        )  # fmt: skip
        yield target
        read_all(target, stored.uids())
        target.close()
        assert '"event":"fault"' not in service.read_output()


def read_all(target, uids):
    """Read every user that is stored, by uid and in a walk, each with its events: there is no row that cannot be."""
    for workspace, credential in ((1, "secret"), (2, "secret_b")):
        expected = sorted(uid for owner, uid in uids if owner == workspace)
        for uid in expected:
            status, user = target.call("GET", f"/v1/users/{quote(uid, safe='')}", credential=credential)
            assert (status, user["uid"]) == (200, uid)
            path = f"/v1/users/{quote(uid, safe='')}/events?limit=100"
            status, events = target.call("GET", path, credential=credential)
            assert status == 200 and isinstance(events["data"], list)
        assert sorted(user["uid"] for user in target.walk("/v1/users", credential)) == expected


def test_the_look_at_what_is_stored_sees_a_write_and_no_read(target):
    before = target.snapshot()
    for method, path, body, is_write in (
        ("PUT", "/v1/users/seen", {"first_name": "Ada"}, True),
        ("GET", "/v1/users/seen", None, False),
        ("PUT", "/v1/users/seen", {"email": "no address"}, False),
        ("PUT", "/v1/users/seen", {"first_name": "Eve"}, True),
        ("POST", "/v1/users/seen/events", {"event": "Paid"}, True),
    ):
        target.call(method, path, body)
        before, previous = target.snapshot(), before
        assert (before != previous) == is_write, (method, path, body)


@pytest.mark.parametrize("group", GROUPS)
def test_each_hostile_request_of_a_group_is_answered_as_it_must_be(target, group):
    results = [send(case, target) for case in GROUPS[group]]
    failed = [_told(one) for one in results if one.problems or one.skipped]
    assert not failed, f"{len(failed)} of {len(results)} failed\n" + "\n".join(failed)


def _told(result):
    """The case, what it is about, and a line for each thing that is wrong."""
    problems = [*result.problems, *filter(None, [result.skipped])]
    return "\n    ".join([f"{result.case['id']}: {result.case['note']}", *problems])
