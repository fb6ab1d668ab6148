"""Remove the bytes of deleted rows from the disk (docs/erasure.md)."""

import time
from collections.abc import Callable
from typing import Any, cast

import peewee

from app.models.database import be_patient, db, unrepeated

_PATIENCE = 60.0  # seconds that others who are reading or writing are waited for
_PAUSE = 0.2  # seconds
_STEP_SECONDS = 6 * 3600.0  # that one step may take: a table of a terabyte is written anew in that time
# The tables that hold something about a user.
_TABLES = (
    "users", "devices", "memberships", "subscriptions", "events", "replies", "reply_subjects", "merged_users",
    "preferences", "deletions", "segment_suppressions", "segment_members", "segment_changes", "segment_queue",
    "erased_uids",
)  # fmt: skip


@unrepeated
def purge() -> list[str]:
    """Remove what deleted rows have left; return a sentence for each step that could not be done.

    Call under a lock that ends with `forget_connection`, as the time-outs of the session are lifted. On SQLite writers
    wait while the file is written anew; on Postgres everybody waits, table by table. Raises errors.StorageUnavailable.
    """
    return _purge_sqlite() if db.dialect.name == "sqlite" else _purge_postgres()


# ---- SQLite -------------------------------------------------------------------------------------------------------


def _purge_sqlite() -> list[str]:
    """secure_delete overwrites what is deleted, but not the copies that a page keeps of rows which moved to another.

    Only VACUUM, which writes the file anew, leaves none of those; then the WAL has them still.
    """
    _insist(lambda: db.execute_sql("VACUUM") and True, peewee.OperationalError)
    if _insist(lambda: db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0] == 0):
        return []
    return ["The WAL is being read all the time and could not be emptied; run it again."]


def _insist(attempt: Callable[[], bool], *passing: type[Exception]) -> bool:
    """Try until it works or patience ends; the errors given are raised only then."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            if attempt():
                return True
        except passing:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)


# ---- Postgres -----------------------------------------------------------------------------------------------------


def _purge_postgres() -> list[str]:
    """Each step removes one of the places where the bytes were found: heap and indexes, statistics, the log."""
    be_patient(_STEP_SECONDS)
    patience = str(db.session_settings["lock_timeout"])  # while we wait for a table, everybody waits behind us
    db.execute_sql(
        "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', '0', false)", (patience,)
    )
    begin = db.execute_sql("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()[0]
    undone = (
        []
        if _insist(lambda: _is_alone_since(begin))
        else ["A transaction that began before has not ended; run it again."]
    )
    for table in _TABLES:
        undone += _warnings(f"VACUUM (FULL, ANALYZE) {table}")  # of a partitioned one: all parts
        for part in [table, *_partitions(table)]:
            if not db.execute_sql(f"SELECT EXISTS (SELECT FROM {part})").fetchone()[0]:
                undone += _clear_statistics(part)
    undone += _warnings("VACUUM (FULL) pg_catalog.pg_statistic")  # the most common values of every column stand there
    return undone + _overwrite_log()


def _is_alone_since(begin: str) -> bool:
    """Whether no transaction is left that began before: VACUUM would have to keep the rows that it may still see."""
    return not db.execute_sql(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND greatest(age(backend_xmin), age(backend_xid)) > age(%s::xid8::xid))",
        (begin,),
    ).fetchone()[0]


def _partitions(table: str) -> list[str]:
    parts = db.execute_sql("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", (table,))
    return [name for (name,) in parts.fetchall()]


def _clear_statistics(table: str) -> list[str]:
    """Forget what ANALYZE knew of a table that is empty now: it leaves that as it is."""
    clear = "SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited) FROM pg_stats "
    clear += f"WHERE tablename = '{table}' AND schemaname = current_schema()"
    if cast("Any", db.connection()).info.server_version < 18_00_00:
        clear = f"DELETE FROM pg_catalog.pg_statistic WHERE starelid = '{table}'::regclass"
    return _try(clear, f"The statistics of {table}, which is empty, could not be cleared.")


def _overwrite_log() -> list[str]:
    """Write over the WAL: a checkpoint only gives old segments new names, under which they wait with their content."""
    try:
        _switch_log()
        db.execute_sql("CHECKPOINT")
        names = [name for (name,) in db.execute_sql("SELECT name FROM pg_ls_waldir()").fetchall()]
        first = db.execute_sql("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()[0]
        for _ in names:
            _switch_log()
        db.execute_sql("CHECKPOINT")
        kept = db.execute_sql(
            "SELECT count(*) FROM pg_ls_waldir() WHERE name < %s AND name ~ '^[0-9A-F]{24}$'", (first,)
        ).fetchone()[0]
    except peewee.ProgrammingError:  # the rights that are missing
        return ["The write-ahead log was not written over: that needs the rights that docs/erasure.md names."]
    return [f"Postgres keeps {kept} old segments of its log, for a replica or an archive."] if kept else []


def _switch_log() -> None:
    db.execute_sql("SELECT pg_logical_emit_message(false, 'rollcall', '')")  # an empty segment is not switched
    db.execute_sql("SELECT pg_switch_wal()")


def _try(text: str, otherwise: str) -> list[str]:
    try:
        db.execute_sql(text)
    except peewee.ProgrammingError:  # the rights that are missing
        return [otherwise]
    return []


def _warnings(text: str) -> list[str]:
    """Run a VACUUM, which only warns when it leaves something undone."""
    heard: list[str] = []
    connection = cast("Any", db.connection())

    def hear(said: Any) -> None:
        if said.severity_nonlocalized == "WARNING":
            heard.append(f"{text}: {said.message_primary}.")

    connection.add_notice_handler(hear)
    try:
        _insist(lambda: db.execute_sql(text) and True, peewee.OperationalError)
    finally:
        connection.remove_notice_handler(hear)
    return heard
