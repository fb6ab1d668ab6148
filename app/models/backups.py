"""Backup and restore: SQLite's VACUUM INTO, Postgres' pg_dump and pg_restore."""

import contextlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import apsw
import psycopg

from app import config, errors, private_files
from app.models import database_file, locks, schema
from app.models.database import db, forget_connection, statement, unrepeated
from app.models.erasures import journal

_BUSY = 2_000  # milliseconds that another connection to the SQLite file may take to go
_VERBATIM = ("--no-owner", "--no-privileges")  # whoever restores it owns it
_CONNECT_TIMEOUT = "5"  # seconds


def write(path: str) -> None:
    """Write all committed data to a new private file. Writers are not held up.

    Raises errors.Misconfigured when pg_dump is missing or will not do, errors.StorageUnavailable.
    """
    try:
        os.close(private_files.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        _write_sqlite(path) if db.dialect.name == "sqlite" else _write_postgres(path)
        with Path(path).open("rb") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise errors.StorageUnavailable(f"The backup cannot be written ({error.strerror}).") from None


def check(path: str) -> None:
    """Read the whole backup. Raises errors.InvalidInput when it is damaged, none of ours, or of a newer release."""
    names = _check_sqlite(path) if db.dialect.name == "sqlite" else _check_postgres(path)
    if not names:
        raise _bad("Must be a backup that this program made of a database of the same kind.")
    if unknown := schema.unknown(names):
        raise _bad(f"Must not be of a newer release than this program: it has {unknown[0]}.")


@contextlib.contextmanager
def nobody_else() -> Iterator[None]:
    """Keep the service from starting; raises errors.Conflict when it, or any other program, has the database open."""
    if db.dialect.name == "postgres":
        if _others_on_postgres():
            raise _in_use()
        yield
        return
    with locks.claim(locks.SERVING) as is_ours:
        if not is_ours:
            raise _in_use()
        yield


def replace(path: str) -> None:
    """Put what the backup holds in the place of the database, all or nothing. Call under `nobody_else`.

    Raises errors.Conflict when somebody has the database open after all, errors.InvalidInput, StorageUnavailable.
    """
    if db.dialect.name == "postgres":
        _replace_postgres(path)
        return
    forget_connection()
    database_file.forget()
    try:
        _replace_sqlite(path, str(db.database))
    except OSError as error:
        raise errors.StorageUnavailable(f"The database cannot be written ({error.strerror}).") from None


def _bad(message: str) -> errors.InvalidInput:
    return errors.InvalidInput({"FILE": [message]})


def _in_use() -> errors.Conflict:
    return errors.Conflict("The database is in use: stop the service first.")


# ---- SQLite -------------------------------------------------------------------------------------------------------


@unrepeated
def _write_sqlite(path: str) -> None:
    """Unlike the backup interface this copies no free space, in which rows stand that are deleted."""
    db.execute_sql("VACUUM INTO ?", (path,))


def _check_sqlite(path: str) -> list[str]:
    try:
        connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
        with contextlib.closing(connection):
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise _bad("Must not be damaged.")
            return [name for (name,) in connection.execute("SELECT name FROM schema_migrations")]
    except apsw.Error:
        return []


def _replace_sqlite(path: str, database: str) -> None:
    """A WAL that lay beside another file would be played into it: so it goes first, in a way that only the last may."""
    _settle(database)
    beside = f"{database}.restoring"
    Path(beside).unlink(missing_ok=True)
    with Path(path).open("rb") as source, _new_file(beside) as target:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
    for name in (f"{database}-wal", f"{database}-shm"):
        Path(name).unlink(missing_ok=True)
    os.replace(beside, database)
    journal.sync_folder(database)


def _settle(database: str) -> None:
    """Move the WAL into the file, and know that nobody else has it open; what is no database any more may go."""
    if not os.path.exists(database):
        return
    try:
        connection = apsw.Connection(database)
        with contextlib.closing(connection):
            connection.set_busy_timeout(_BUSY)
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    except (apsw.BusyError, apsw.LockedError):
        raise _in_use() from None
    except (apsw.NotADBError, apsw.CorruptError):
        return


def _new_file(path: str) -> IO[bytes]:
    return os.fdopen(private_files.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb")


# ---- Postgres -----------------------------------------------------------------------------------------------------


def _write_postgres(path: str) -> None:
    _run("pg_dump", "--format=custom", *_VERBATIM, f"--file={path}")


def _check_postgres(path: str) -> list[str]:
    try:
        _run("pg_restore", "--file=/dev/null", path)
        said = _run("pg_restore", "--data-only", "--table=schema_migrations", "--file=-", path)
    except errors.StorageUnavailable:
        return []
    rows = re.search(r"^COPY \S*schema_migrations \((.*?)\).*?\n(.*?)^\\\.", said, re.M | re.S)
    if rows is None:
        return []
    column = rows[1].split(", ").index("name")
    return [line.split("\t")[column] for line in rows[2].splitlines()]


@statement
def _others_on_postgres() -> bool:
    return bool(
        db.execute_sql(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend')"
        ).fetchone()[0]
    )


def _replace_postgres(path: str) -> None:
    """Drop all there is and make what is in the backup, in one transaction, which ends only when that was read."""
    drops = _drops()
    forget_connection()
    source = _start("pg_restore", *_VERBATIM, "--file=-", path, stdout=subprocess.PIPE)
    target = _start("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null",
                    stdin=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    script = cast("IO[bytes]", target.stdin)
    with contextlib.suppress(BrokenPipeError), script:
        script.write("\n".join(["BEGIN;", *drops, ""]).encode())
        shutil.copyfileobj(cast("IO[bytes]", source.stdout), script)
        if source.wait() == 0:
            script.write(b"\nCOMMIT;\n")
    said = cast("IO[bytes]", target.stderr).read()
    cast("IO[bytes]", source.stdout).close()
    cast("IO[bytes]", target.stderr).close()
    if any([target.wait(), source.wait()]):
        raise errors.StorageUnavailable(f"The database is as it was: {_first_line(said) or 'the backup ended early'}.")


@statement
def _drops() -> list[str]:
    """Statements that drop every table and routine of the schema but those of extensions."""
    tables = [f'DROP TABLE "{name}" CASCADE;' for name in db.get_tables()]
    routines = db.execute_sql(
        "SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND NOT EXISTS "
        "(SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')"
    )
    return tables + [f"DROP ROUTINE {name} CASCADE;" for (name,) in routines.fetchall()]


# What a program of Postgres may take; one that hangs with its server is killed, and the command ends with an error.
_PROGRAM_SECONDS = 12 * 3600.0


def _run(program: str, *words: str) -> str:
    started = _start(program, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, said = started.communicate()
    if started.returncode:
        raise errors.StorageUnavailable(f"{_first_line(said) or program} (docs/backup.md)")
    return output.decode(errors="replace")


def _start(program: str, *words: str, **streams: int) -> subprocess.Popen[bytes]:
    """Start a program of Postgres on the database in use; the password is in its environment, which only we may see."""
    found = shutil.which(program)
    if found is None:
        raise errors.Misconfigured(f"PATH: {program}, which comes with Postgres, is not there (docs/backup.md).")
    started: subprocess.Popen[bytes] = subprocess.Popen([found, *words], env=config.environment(_address()), **streams)  # type: ignore[call-overload]  # noqa: S603
    deadline = threading.Timer(_PROGRAM_SECONDS, started.kill)
    deadline.daemon = True
    deadline.start()
    return started


def _address() -> dict[str, str]:
    """Where the database is, as libpq reads it from the environment."""
    given = psycopg.conninfo.conninfo_to_dict(str(db.database))
    variables = {one.keyword.decode(): one.envvar.decode() for one in psycopg.pq.Conninfo.get_defaults() if one.envvar}
    known = {variables[name]: str(value) for name, value in given.items() if name in variables and value is not None}
    return {"PGCONNECT_TIMEOUT": _CONNECT_TIMEOUT, **known}


def _first_line(said: bytes) -> str:
    return said.decode(errors="replace").partition("\n")[0].strip()
