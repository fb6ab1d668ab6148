"""docs/atomic.md: its lines are sent to a running service, and answer what the page shows."""

import json
import os
import re
import subprocess

import pytest

from tests.conftest import in_one_process
from tests.factories import ROOT, Service, wait_until

pytestmark = pytest.mark.ci

PAGE = ROOT / "docs/atomic.md"
CLIENT = {"ROLLCALL_CLIENT_ID": "guide-auth", "ROLLCALL_CLIENT_SECRET": "guide-secret-of-auth"}
ENVIRONMENT = "XQ19azQe"
SHOWN = re.findall(r"```console\n\$ (curl .*?)\n(.*?)```", PAGE.read_text(), re.S)


@pytest.fixture(scope="module", params=in_one_process("guide"))
def service(request, new_database):
    """The service at its first start, with a client."""
    with Service(new_database(request.param), ROLLCALL_ENVIRONMENT_ID=ENVIRONMENT, **CLIENT) as running:
        yield running


@pytest.fixture
def run(service):
    """Run a line of the page in a shell and return the reply."""
    environment = {
        "PATH": os.environ["PATH"],
        "ROLLCALL": f"http://127.0.0.1:{service.port}",
        "KEYS": f"{service.public}:{service.secret}",
        "CLIENT": ":".join(CLIENT.values()),
        "ENVIRONMENT": ENVIRONMENT,
    }

    def run(line):
        quiet = line.replace("curl", "curl -s", 1)
        done = subprocess.run(["bash", "-c", quiet], env=environment, capture_output=True, timeout=30)
        return json.loads(done.stdout)

    for role in ("auth", "workbench", "events"):
        made = json.loads(service.rollcall("credentials", "create", role, "--json"))
        pair = f"{made['client_id']}:{made['client_secret']}"
        line = f'curl -u "{pair}" -d grant_type=client_credentials $ROLLCALL/oauth2/token'
        environment[role.upper()] = run(line)["access_token"]
    run.environment = environment
    return run


def like(reply):
    """The reply with ids, tokens and times made equal."""
    text = re.sub(r'"[0-9a-f]{24}"', '"an id"', json.dumps(reply, sort_keys=True))
    text = re.sub(r'"(access_token|clientId|clientSecret)": "[^"]*"', r'"\1": "a secret"', text)
    return re.sub(r'"\d{4}-\d\d-\d\dT\d\d:[\d:.]+(Z|\+00:00)"', '"a time"', text)


def test_every_line_of_the_guide_answers_what_it_shows(run):
    assert len(SHOWN) == 16
    for line, shown in SHOWN:
        if "/deletions" in line:
            wait_until(lambda line=line: run(line)["data"]["deletions"][0]["state"] != "pending")
        reply = run(line)
        if "/segments" in line:
            run.environment["SEGMENT"] = reply["id"]
        assert like(reply) == like(json.loads(shown)), line
