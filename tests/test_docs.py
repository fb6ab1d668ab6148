"""What the docs promise."""

import json
import os
import re
import subprocess

from app import errors
from app.actions import Action
from app.api.errors import STATUS


def test_the_errors_page_has_every_code_with_its_status(root):
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", (root / "docs/errors.md").read_text(), re.M)
    assert sorted(rows) == sorted((failure.code, str(status)) for failure, status in STATUS.items())
    assert errors.InternalError.code in dict(rows)


def test_the_audit_page_has_every_action(root):
    rows = re.findall(r"^\| `([a-z_.]+)` \|", (root / "docs/audit.md").read_text(), re.M)
    assert rows == list(Action)


def test_links_between_pages_lead_somewhere(root):
    pages = [*root.glob("*.md"), *root.glob("docs/*.md")]
    broken = [
        f"{page.name} -> {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert pages and not broken


def test_the_readmes_curl_lines_answer_what_it_shows(root, service):
    environment = {"PATH": os.environ["PATH"], "ROLLCALL": f"http://127.0.0.1:{service.port}/v1"}
    environment["KEYS"] = f"{service.public}:{service.secret}"
    shown = re.findall(r"```console\n\$ (curl .*?)\n(.*?)```", (root / "README.md").read_text(), re.S)
    assert len(shown) == 5
    for line, reply in shown:
        answered = subprocess.run(
            ["bash", "-c", line.replace("curl", "curl -s", 1)], env=environment, capture_output=True
        )
        assert like(json.loads(answered.stdout)) == like(json.loads(reply)), line


def test_the_readmes_commands_are_the_makefiles(root):
    readme, makefile = (root / "README.md").read_text(), (root / "Makefile").read_text()
    assert (
        {"run", "test"} <= set(re.findall(r"^make (\w+)", readme, re.M)) <= set(re.findall(r"^(\w+):", makefile, re.M))
    )
    assert "make ci" in (root / ".ci/run").read_text()


def like(reply):
    """The reply with ids and times made equal."""
    text = re.sub(r'"[0-9a-f]{24}"', '"an id"', json.dumps(reply, sort_keys=True))
    return re.sub(r'"\d{4}-\d\d-\d\dT[\d:.+]+"', '"a time"', text)
