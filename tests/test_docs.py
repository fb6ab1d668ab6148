"""What the docs promise."""

import re

from app import errors
from app.api.errors import STATUS


def test_the_errors_page_has_every_code_with_its_status(root):
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", (root / "docs/errors.md").read_text(), re.M)
    assert sorted(rows) == sorted((failure.code, str(status)) for failure, status in STATUS.items())
    assert errors.InternalError.code in dict(rows)


def test_links_between_pages_lead_somewhere(root):
    pages = [*root.glob("*.md"), *root.glob("docs/*.md")]
    broken = [
        f"{page.name} -> {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert pages and not broken
