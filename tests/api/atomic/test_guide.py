"""docs/atomic.md: its lines are sent to a running service, and answer what the page shows."""

import json

import pytest

from tests import guides
from tests.conftest import in_one_process
from tests.factories import ROOT, Service, wait_until

pytestmark = pytest.mark.ci

CLIENT = {"ROLLCALL_CLIENT_ID": "guide-auth", "ROLLCALL_CLIENT_SECRET": "guide-secret-of-auth"}
ENVIRONMENT = "XQ19azQe"
SHOWN = guides.shown(ROOT / "docs/atomic.md")


@pytest.fixture(scope="module", params=in_one_process("guide"))
def service(request, new_database):
    """The service at its first start, with a client."""
    with Service(new_database(request.param), ROLLCALL_ENVIRONMENT_ID=ENVIRONMENT, **CLIENT) as running:
        yield running


@pytest.fixture
def run(service):
    """Run a line of the page in a shell and return the reply."""
    environment = {
        "ROLLCALL": f"http://127.0.0.1:{service.port}",
        "KEYS": f"{service.public}:{service.secret}",
        "CLIENT": ":".join(CLIENT.values()),
        "ENVIRONMENT": ENVIRONMENT,
    }

    def run(line):
        return guides.run(line, environment)

    for role in ("auth", "workbench", "events"):
        made = json.loads(service.rollcall("credentials", "create", role, "--json"))
        pair = f"{made['client_id']}:{made['client_secret']}"
        line = f'curl -u "{pair}" -d grant_type=client_credentials $ROLLCALL/oauth2/token'
        environment[role.upper()] = run(line)["access_token"]
    run.environment = environment
    return run


def test_every_line_of_the_guide_answers_what_it_shows(run):
    assert len(SHOWN) == 16
    for line, shown in SHOWN:
        if "/deletions" in line:
            wait_until(lambda line=line: run(line)["data"]["deletions"][0]["state"] != "pending")
        reply = run(line)
        if "/segments" in line:
            run.environment["SEGMENT"] = reply["id"]
        assert guides.like(reply) == guides.like(json.loads(shown)), line
