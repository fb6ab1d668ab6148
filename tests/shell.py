"""`rollcall` in this process: a process of its own would spend half a second on imports."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from unittest import mock

import structlog
from click.testing import CliRunner, Result

from app import logs
from app.cli import main
from app.models.database import db, forget_connection
from app.services import erasures


def run(words: Sequence[str], environment: Mapping[str, str]) -> Result:
    """Run `rollcall` with these words in this environment alone; a fault of the command is raised here."""
    with mock.patch.dict(os.environ, environment, clear=True), _unchanged():
        return CliRunner(catch_exceptions=False).invoke(main, words, prog_name="rollcall")


@contextlib.contextmanager
def _unchanged() -> Iterator[None]:
    """Put back what a command sets for the whole process: the database in use, the journal of erasures, the log."""
    database, journal, log = db.obj, erasures._journal, structlog.get_config()
    with mock.patch.dict(logs._settings), mock.patch.object(logs, "_log", structlog.get_logger()):
        try:
            yield
        finally:
            if db.obj is not database:
                forget_connection()
                db.initialize(database)
            erasures.open_journal(journal)
            structlog.configure(**log)
