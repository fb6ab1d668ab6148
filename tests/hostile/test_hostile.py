"""Every hostile request gets the answer it must get, stores what it may store, and nothing that cannot be read.

A case passes when the status is as expected; the error has the documented shape, stays under 16 KiB and shows nothing
of the inside; a refused request has changed no table and an accepted one reads back; nothing that the credential may
not read is in the reply, and nothing of another workspace has changed; and the answer came within 2 seconds.
"""

import json
import secrets
import subprocess
import sys
from urllib.parse import quote

import pytest

from tests.conftest import ENGINES
from tests.factories import ROOT, Service
from tests.hostile.cases import cases
from tests.hostile.sending import send
from tests.hostile.stored import Stored
from tests.hostile.target import Target

CLIENT = {
    "ROLLCALL_ENVIRONMENT_ID": "XQ19azQe",
    "ROLLCALL_CLIENT_ID": "hostile-auth",
    "ROLLCALL_CLIENT_SECRET": secrets.token_urlsafe(24),
}


@pytest.fixture(scope="module", params=ENGINES)
def target(request, new_database):
    """The service with two workspaces, on a database whose tables can be looked at; at the end, all in it is read."""
    url = new_database(request.param)
    with Service(url, LOG_LEVEL="warning", **CLIENT) as service, Stored(url) as stored:
        made = subprocess.run(
            [sys.executable, "-m", "app", "workspace", "create", "other", "--json"],
            env=service.environment, cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip
        other = json.loads(made.stdout)
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


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_a_hostile_request_is_answered_as_it_must_be(target, case):
    result = send(case, target)
    if result.skipped:
        pytest.skip(result.skipped)
    assert not result.problems, case["note"]
