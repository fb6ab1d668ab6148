"""What the tests of batches share."""

import pytest

from app.models.database import db, transaction


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
