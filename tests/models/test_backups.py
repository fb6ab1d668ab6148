"""What a restore does when its file turns bad after it was checked."""

import os
import time

import pytest

from app import errors
from app.config import Settings
from app.models import backups
from app.models.database import db, forget_connection, open_database
from app.services import storage
from tests.factories import postgres_programs


def test_a_dump_that_is_not_read_to_its_end_is_not_committed(new_database, tmp_path, monkeypatch):
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "pg_restore").write_text(f'#!/bin/sh\n{postgres_programs()}/pg_restore "$@"\nexit 1\n')
    (programs / "pg_restore").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{postgres_programs()}:{os.environ['PATH']}")
    path, settings = tmp_path / "backup", Settings(database_url=new_database("postgres"))
    storage.open(settings)
    storage.prepare(settings)
    backups.write(str(path))
    db.execute_sql("INSERT INTO users (workspace_id, id, uid, created_at) VALUES (1, 'later', 'later', 0)")
    with pytest.raises(errors.StorageUnavailable, match="as it was"):
        backups.replace(str(path))
    assert db.execute_sql("SELECT count(*) FROM users").fetchone()[0] == 1
    forget_connection()


def test_a_program_that_hangs_is_killed_at_its_deadline(new_database, monkeypatch):
    monkeypatch.setattr(backups, "_PROGRAM_SECONDS", 0.2)
    open_database(Settings(database_url=new_database("postgres")))
    began = time.monotonic()
    with pytest.raises(errors.StorageUnavailable, match="sleep"):
        backups._run("sleep", "60")
    assert time.monotonic() - began < 20
