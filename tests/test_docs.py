"""What the docs promise."""

import json
import re

from app import errors
from app.api.errors import STATUS
from app.domain.actions import Action
from tests import guides


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
    keys = f"{service.public}:{service.secret}"
    environment = {"ROLLCALL": f"http://127.0.0.1:{service.port}/v1", "KEYS": keys}
    shown = guides.shown(root / "README.md")
    assert len(shown) == 5
    for line, reply in shown:
        assert guides.like(guides.run(line, environment)) == guides.like(json.loads(reply)), line


def test_the_readmes_commands_are_the_makefiles(root):
    readme, makefile = (root / "README.md").read_text(), (root / "Makefile").read_text()
    assert (
        {"run", "test"} <= set(re.findall(r"^make (\w+)", readme, re.M)) <= set(re.findall(r"^(\w+):", makefile, re.M))
    )
    assert "make ci" in (root / ".ci/run").read_text()
