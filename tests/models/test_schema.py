"""The schema: one history for both databases, run once however many start, the workspace in every key."""

import multiprocessing
import sqlite3

import peewee
import pytest

from app.config import Settings
from app.errors import Misconfigured
from app.models import (
    accounts,
    audit,
    clients,
    deletions,
    devices,
    erasures,
    events,
    imports,
    jobs,
    lists,
    preferences,
    profile_fields,
    replies,
    schema,
    sdk_keys,
    segments,
    stores,
    users,
    workspaces,
)
from app.models.database import db, forget_connection, open_database
from app.models.erasures import erased_uids
from app.services import storage

MODELS = [
    workspaces.Workspace,
    workspaces.Key,
    workspaces.Origin,
    users.User,
    devices.Device,
    accounts.Membership,
    lists.List,
    lists.Subscription,
    events.Event,
    replies.Reply,
    replies.EventId,
    replies.ReplySubject,
    erasures.Erasure,
    erasures.MergedUser,
    erased_uids.ErasedUid,
    jobs.JobRun,
    audit.AuditRecord,
    imports.Import,
    sdk_keys.SdkKey,
    segments.Segment,
    segments.SegmentSet,
    segments.SegmentSuppression,
    segments.SegmentMember,
    segments.SegmentChange,
    segments.SegmentMark,
    segments.SegmentSweep,
    clients.Client,
    deletions.Deletion,
    profile_fields.ProfileField,
    preferences.Preferences,
]
# What a key is looked up in before there is a workspace, and what is done for the whole installation.
DIRECTORY = {"workspaces", "keys", "clients", "origins", "job_runs"}
STARTERS = 8


def _start(url, results):
    open_database(Settings(database_url=url))
    made = storage.prepare(Settings(database_url=url))
    results.put(made.secret_key if made else None)


@pytest.mark.ci  # eight processes start
def test_eight_processes_at_once_migrate_once_and_make_one_workspace(new_database, engine):
    url = new_database(engine)
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    starters = [spawn.Process(target=_start, args=(url, results)) for _ in range(STARTERS)]
    for one in starters:
        one.start()
    made = [results.get(timeout=60) for _ in starters]
    for one in starters:
        one.join()
    assert [one.exitcode for one in starters] == [0] * STARTERS
    assert len([secret for secret in made if secret]) == 1
    open_database(Settings(database_url=url))
    assert schema.pending() == [] and workspaces.Workspace.select().count() == 1
    forget_connection()


def test_migrating_again_does_nothing(app):
    assert storage.migrate() == []


def test_a_database_of_a_newer_release_is_refused(new_database, engine):
    open_database(Settings(database_url=new_database(engine)))
    storage.migrate()
    db.execute_sql("INSERT INTO schema_migrations (name, applied) VALUES ('9999_later', '2026-01-01')")
    with pytest.raises(Misconfigured, match="DATABASE_URL.*newer"):
        storage.prepare(Settings())
    forget_connection()


def test_the_models_are_the_tables(app):
    tables = {name for name in db.get_tables() if not name.startswith("sqlite_")} - {"schema_migrations"}
    assert tables == {model._meta.table_name for model in MODELS}
    for model in MODELS:
        columns = {column.name: column.null for column in db.get_columns(model._meta.table_name)}
        fields = {field.column_name: field.null for field in model._meta.sorted_fields}
        assert columns == fields, model


def test_the_workspace_stands_first_in_every_primary_and_unique_key(app):
    for table in {model._meta.table_name for model in MODELS} - DIRECTORY:
        unique = [index.columns for index in db.get_indexes(table) if index.unique]
        keys = [db.get_primary_keys(table), *unique]
        assert keys and all(columns[0] == "workspace_id" for columns in keys if columns), (table, keys)


def test_times_are_whole_numbers(app):
    for model in MODELS:
        for field in model._meta.sorted_fields:
            if field.name.endswith("_at") or field.name in ("timestamp", "last_interaction", "app_last_active"):
                assert isinstance(field, peewee.BigIntegerField), field


def test_sqlite_is_durable_and_erases(new_database):
    open_database(Settings(database_url=new_database("sqlite")))
    settings = {name: db.pragma(name) for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")}
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    forget_connection()


def test_the_sqlite_in_use_has_no_wal_reset_bug():
    assert stores.SqliteStore.server_version >= (3, 51, 3)
    assert sqlite3.sqlite_version  # the standard library's, which may have it, is not the one in use


def test_postgres_commits_to_disk_and_gives_up_in_time(new_database):
    settings = Settings(database_url=new_database("postgres"), statement_timeout=1234, lock_timeout=567)
    open_database(settings)
    db.execute_sql("ALTER ROLE postgres SET synchronous_commit = off")
    try:
        forget_connection()
        shown = {name: db.execute_sql(f"SHOW {name}").fetchone()[0] for name in ("synchronous_commit", "lock_timeout")}
        assert shown == {"synchronous_commit": "on", "lock_timeout": "567ms"}
        assert db.execute_sql("SHOW statement_timeout").fetchone()[0] == "1234ms"
    finally:
        db.execute_sql("ALTER ROLE postgres RESET synchronous_commit")
        forget_connection()
