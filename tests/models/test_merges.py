"""A merge knows every table of a user (docs/merging.md)."""

import re

from app.models.database import db

NAMES_A_USER = {"user_id", "account_id", "uid_hash", "subject_hash", "subject"}


def test_docs_merging_has_a_line_for_every_table_of_a_user(app, root):
    tables = {
        table for table in db.get_tables()
        if table == "users" or not NAMES_A_USER.isdisjoint(column.name for column in db.get_columns(table))
    }  # fmt: skip
    rows = re.findall(r"^\| (`.+`) \| \S", (root / "docs/merging.md").read_text(), re.M)
    written = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert tables <= written, "say in docs/merging.md, and in app/models/merges.py, what a merge does with it"
    assert written - {"replies"} <= tables
