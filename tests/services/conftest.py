"""What the tests of batches and imports share."""

import csv

import pytest
from click.testing import CliRunner

from app import cli
from app.models.database import db, forget_connection, transaction
from app.services.atomic import fields
from app.services.atomic.fields import FieldRow
from app.services.audit import SHELL


@pytest.fixture
def bulk(monkeypatch, app):
    """The names of the ways in which many rows are written from now on."""
    seen = []

    def watch(name):
        run = getattr(type(db.obj), name)

        def watched(self, *call):
            seen.append(name)
            return run(self, *call)

        monkeypatch.setattr(type(db.obj), name, watched)

    for name in ("insert_new", "write_many"):
        watch(name)
    return seen


@pytest.fixture
def in_transaction(app):
    """Run a function in a transaction."""
    return lambda function, *words: transaction(function)(*words)


@pytest.fixture
def environment(api, workspace):
    """The id of an environment that has two custom fields."""
    fields.define(workspace, [FieldRow("plan", "Plan", "text"), FieldRow("since", "Since", "date")], SHELL)
    return api.keys.environment_id


@pytest.fixture
def import_csv(environment, settings, tmp_path, monkeypatch):
    """Run `rollcall import` on a file of this text; returns what it printed.

    `import_csv.errors`: the file of errors.
    """
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    path = tmp_path / "customers.csv"
    used = db.obj

    def run(text, *words, status=0, name="customers.csv"):
        file = path.with_name(name)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        result = CliRunner().invoke(cli.main, ["import", str(file), "--environment", environment, *words])
        forget_connection()
        db.initialize(used)
        assert result.exit_code == status, result.output
        return result.output

    def told():
        return list(csv.reader(path.with_name("customers.csv.errors.csv").read_text().splitlines()))

    run.errors = told
    return run
