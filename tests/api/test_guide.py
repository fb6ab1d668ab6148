"""docs/engage.md: its lines are sent to running services and answer what the page shows, and its tests pass."""

import json
import os
import re
import subprocess
import sys

import pytest

from app.api.errors import STATUS
from tests import guides
from tests.conftest import in_one_process
from tests.factories import ROOT, Service

pytestmark = pytest.mark.ci  # starts the service

PAGE = ROOT / "docs/engage.md"
SHOWN = guides.shown(PAGE)
OTHER = re.search(r"^((?:ROLLCALL_\w+=\w+ )+)make run$", PAGE.read_text(), re.M)[1]
KEPT = {  # what a line has: which part of its reply the page calls by which name
    '"title": "Monthly"': ("LIST", "id"),
    '"title": "Waitlist"': ("WAITLIST", "id"),
    '/users?limit=1"': ("CURSOR", "next_cursor"),
}
CODES = {failure.code: int(status) for failure, status in STATUS.items()}
SECONDS = 120  # a run of pytest; only a hang takes so long


@pytest.fixture(scope="module", params=in_one_process("engage-guide"))
def names(request, new_database):
    """What the lines of the page name: the service, the one with the settings turned round, and the keys of both."""
    settings = dict(one.split("=") for one in OTHER.split())
    with Service(new_database(request.param)) as service:
        keys = {"ROLLCALL_PUBLIC_KEY": service.public, "ROLLCALL_SECRET_KEY": service.secret}
        with Service(new_database(request.param), **settings, **keys) as other:
            yield {
                "ROLLCALL": f"http://127.0.0.1:{service.port}/v1",
                "OTHER": f"http://127.0.0.1:{other.port}/v1",
                "KEYS": f"{service.public}:{service.secret}",
                "PUBLIC": service.public,
            }


def test_every_line_of_the_page_answers_what_it_shows(names):
    assert len(SHOWN) == PAGE.read_text().count("```console")
    for line, shown in SHOWN:
        status, reply = guides.ask(line, names)
        assert guides.like(reply) == guides.like(json.loads(shown)), line
        assert status == CODES.get(reply.get("code"), 200), line
        names.update({name: reply[key] for part, (name, key) in KEPT.items() if part in line})


def test_the_tests_of_the_page_pass_as_they_are_written(tmp_path):
    [written] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    [fixture] = re.findall(r"^@pytest.fixture.*?\n\n", written, re.M | re.S)
    assert len(fixture.strip().splitlines()) == 5
    (tmp_path / "test_page.py").write_text(written)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ROLLCALL_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout
