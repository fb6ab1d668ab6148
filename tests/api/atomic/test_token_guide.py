"""docs/atomic-tokens.md: its lines are sent to a running service, and answer what the page shows."""

import json
import os
import re
import subprocess

import pytest

from tests.conftest import in_one_process
from tests.factories import ROOT, Service
from tests.issuers import EC_KEYS, pem, token

pytestmark = pytest.mark.ci

ENVIRONMENT = "XQ19azQe"
KEY = EC_KEYS["ES256"]
SAID = {"iss": "https://id.example.com/", "sub": "grace", "city": "Arlington", "ph": 15551234567}
SHOWN = re.findall(r"```console\n\$ (curl .*?)\n(.*?)```", (ROOT / "docs/atomic-tokens.md").read_text(), re.S)


@pytest.fixture(scope="module", params=in_one_process("token-guide"))
def service(request, new_database):
    """The service at its first start."""
    with Service(new_database(request.param), ROLLCALL_ENVIRONMENT_ID=ENVIRONMENT) as running:
        yield running


@pytest.fixture
def run(service):
    """Run a line of the page in a shell and return the reply; the id that it makes is the SDK key of the tokens."""
    environment = {
        "PATH": os.environ["PATH"],
        "ROLLCALL": f"http://127.0.0.1:{service.port}",
        "ENVIRONMENT": ENVIRONMENT,
    }
    environment["PEM"] = pem(KEY).replace("\n", "\\n")

    def run(line):
        quiet = line.replace("curl", "curl -s", 1)
        reply = json.loads(
            subprocess.run(["bash", "-c", quiet], env=environment, capture_output=True, timeout=30).stdout
        )
        if "publicKey" in line:
            said = {**SAID, "apiKey": reply["data"]["id"]}
            environment.update(TOKEN=token(KEY, "ES256", **said), EXPIRED=token(KEY, "ES256", **said, exp=1))
        return reply

    for role in ("workbench", "events"):
        made = json.loads(service.rollcall("credentials", "create", role, "--json"))
        pair = f"{made['client_id']}:{made['client_secret']}"
        environment[role.upper()] = run(f'curl -u "{pair}" -d grant_type=client_credentials $ROLLCALL/oauth2/token')[
            "access_token"
        ]
    return run


def like(reply):
    """The reply with ids, keys and times made equal."""
    text = re.sub(r'"[0-9a-f]{24}"', '"an id"', json.dumps(reply, sort_keys=True))
    text = re.sub(r'"publicKey": "[^"]*"', '"publicKey": "a key"', text)
    return re.sub(r'"\d{4}-\d\d-\d\dT\d\d:[\d:.]+Z"', '"a time"', text)


def test_every_line_of_the_guide_answers_what_it_shows(run):
    assert len(SHOWN) == 4
    for line, shown in SHOWN:
        assert like(run(line)) == like(json.loads(shown)), line
