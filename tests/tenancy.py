"""The guard of the test run: no statement touches a tenant's table without saying which tenant.

Every SQL text that the app runs in this process is parsed. Each place where it names a table that has a workspace_id must
bind that workspace_id: to a parameter, or to that of another table which is bound. Joins and subqueries are no exception.
"""

import functools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

from app.models.database import BaseModel
from app.models.stores import PostgresStore, SqliteStore

ROOT = Path(__file__).parent.parent
COLUMN = "workspace_id"
DIRECTORY = {"keys", "clients"}  # have the column, and are what the workspace is found by
# Who may do without, by the place in the code that runs the statement, and why.
ALLOWED = {
    "app/models/jobs.py": "the worker looks for the workspaces that have work, and reads nothing else of theirs",
    "migrations/": "a migration changes the tables of all workspaces at once",
    "app/models/purging.py": "a purge rewrites the files of all workspaces, and reads no row of theirs",
    "app/models/months.py": "a month has the events of all workspaces, and is made and dropped without reading one",
    "app/models/backups.py": "a backup is of all workspaces",
    "benchmarks/": "a benchmark fills a database with one workspace in it",
    "tests/": "a test looks at what is stored from outside",
}
_NUMBERED = re.compile(r"\?[0-9]+")  # a parameter of SQLite that sqlglot does not know
_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_LIBRARIES = (
    "site-packages",
    "app/models/database.py",
    "app/models/stores/",
    "tests/tenancy.py",
    "<frozen",
    "contextlib.py",
    "functools.py",
)


def tables() -> set[str]:
    """The tables of tenants: every one that has the column."""
    found = {model._meta.table_name for model in BaseModel.__subclasses__() if COLUMN in model._meta.columns}
    return found - DIRECTORY


class Guard:
    """Watches the statements of this process. found: (SQL, what is wrong with it, who ran it), not yet told.

    rules: what finds the problems of a statement, and the places that may run one that has some, with the reasons.
    """

    def __init__(self, *rules: tuple[Callable[[str, str], tuple[str, ...]], dict[str, str]]) -> None:
        self.rules = rules
        self.found: list[tuple[str, str, str]] = []
        self.seen: set[tuple[str, str]] = set()

    def look(self, sql: str, dialect: str) -> None:
        """Look at a statement that is about to run."""
        self.seen.add((dialect, sql))
        for find, allowed in self.rules:
            problems = find(sql, dialect)
            place, function = _caller() if problems else ("", "")
            if problems and not any(f"/{name}" in f"/{place.partition(':')[0]} {function}" for name in allowed):
                new = [(sql, problem, place) for problem in problems]
                self.found += [one for one in new if one not in self.found]  # run_all may run them by execute_sql

    def install(self) -> None:
        """Stand before every way in which the stores run SQL."""
        for store, dialect in ((SqliteStore, "sqlite"), (PostgresStore, "postgres")):
            self._watch(store, dialect)

    def _watch(self, store: Any, dialect: str) -> None:
        execute = store.execute_sql

        def watched_execute(database: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
            self.look(sql, dialect)
            return execute(database, sql, *args, **kwargs)

        def watched(run: Any) -> Any:
            def watched_run(database: Any, calls: Any) -> Any:
                for sql, *_ in calls:
                    self.look(sql, dialect)
                return run(database, calls)

            return watched_run

        def watched_many(run: Any) -> Any:
            def watched_run(database: Any, sql: str, *args: Any) -> Any:
                self.look(sql, dialect)
                return run(database, sql, *args)

            return watched_run

        insert_new = store.insert_new

        def watched_insert_new(database: Any, table: str, columns: Any) -> Any:
            places = ", ".join("%s" if dialect == "postgres" else "?" for _ in columns)
            self.look(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", dialect)
            return insert_new(database, table, columns)

        store.execute_sql, store.insert_new = watched_execute, watched_insert_new
        store.write_many = watched_many(store.write_many)
        store.run_all = watched(store.run_all)
        if store is PostgresStore:
            store.commit_all = watched(store.commit_all)


def _caller() -> tuple[str, str]:
    """The place and the function that run the statement: the innermost frame that is no library's and not the store's."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
        if not any(library in name for library in _LIBRARIES):
            return f"{name}:{frame.f_lineno}", frame.f_code.co_name
        frame = frame.f_back
    return "unknown", ""


@functools.cache
def violations(sql: str, dialect: str) -> tuple[str, ...]:
    """Return what is wrong with a statement, in words; nothing where it keeps to one workspace."""
    if not _names_a_table(sql):
        return ()
    verb = sql.split(maxsplit=1)[0].upper()
    if verb not in _VERBS:
        return (f"{verb} of a tenant's table, which the guard cannot read",)
    tree = parsed(sql, dialect)
    views = {cte.alias for cte in tree.find_all(exp.CTE)}
    return tuple(problem for node in tree.find_all(*_CHECKS) for problem in _CHECKS[type(node)](node, views))


@functools.lru_cache(32)
def parsed(sql: str, dialect: str) -> exp.Expression:
    """Return the tree of a statement."""
    return sqlglot.parse_one(_NUMBERED.sub("?", sql).replace("%s", ":p"), dialect=dialect)


def _names_a_table(sql: str) -> bool:
    return bool(set(re.findall(r"\w+", sql)) & tables())


def _check_insert(node: exp.Insert, views: set[str]) -> Iterator[str]:
    schema = node.this
    table = schema.this if isinstance(schema, exp.Schema) else schema
    if table.name not in tables():
        return
    names = [one.name for one in schema.expressions] if isinstance(schema, exp.Schema) else []
    if COLUMN not in names:
        yield f"INSERT INTO {table.name} without {COLUMN}"
        return
    position, source = names.index(COLUMN), node.expression
    rows = [one.expressions for one in source.expressions] if isinstance(source, exp.Values) else [source.selects]
    if not all(_is_parameter(row[position]) or _is_column(row[position]) for row in rows):
        yield f"INSERT INTO {table.name} with a {COLUMN} that is no parameter"
    conflict = node.args.get("conflict")
    keys = [key.find(exp.Column).name for key in conflict.args.get("conflict_keys") or []] if conflict else []
    if keys and COLUMN not in keys:
        yield f"ON CONFLICT of {table.name} without {COLUMN}"


def _check_rows(node: exp.Expression, views: set[str]) -> Iterator[str]:
    """A SELECT, UPDATE or DELETE: each tenant's table that it reads or changes is bound by its WHERE or its ON."""
    read = [one for one in sources(node) if isinstance(one, exp.Table) and one.name not in views]
    tenants = {one.alias_or_name: one.name for one in read if one.name in tables()}
    bound = _bound(node, {one.alias_or_name for one in read}, tenants)
    for alias in tenants.keys() - bound:
        yield f"{node.key.upper()} of {tenants[alias]} without its {COLUMN}"
    if isinstance(node, exp.Update) and any(one.this.name == COLUMN for one in node.expressions if one.this):
        yield f"UPDATE that changes {COLUMN}"


def sources(node: exp.Expression) -> Iterator[exp.Expression]:
    """The tables and subqueries that a SELECT, UPDATE or DELETE reads or changes."""
    if isinstance(node, exp.Update | exp.Delete):
        yield node.this
        yield from node.args.get("using") or []
    origin = node.args.get("from_")
    if origin:
        yield origin.this
        yield from (join.this for join in origin.this.args.get("joins") or [])
    yield from (join.this for join in node.args.get("joins") or [])


def _bound(node: exp.Expression, aliases: set[str], tenants: dict[str, str]) -> set[str]:
    """The aliases whose workspace_id equals a parameter, or that of a table around this statement or bound here."""
    only = next(iter(tenants)) if len(aliases) == 1 and tenants else None
    sides = [(_side(one.this, only), _side(one.expression, only)) for one in _equalities(node)]
    known = {"?"} | {side for pair in sides for side in pair if side and side != "?" and side not in aliases}
    while more := {b for pair in sides for a, b in (pair, pair[::-1]) if a in known and b and b not in known}:
        known |= more
    return known


def _equalities(node: exp.Expression) -> Iterator[exp.EQ]:
    return (one for one in conditions(node) if isinstance(one, exp.EQ))


def conditions(node: exp.Expression) -> Iterator[exp.Expression]:
    """What must all be true: the parts of WHERE and of every ON that stand beside nothing but AND."""
    where, origin = node.args.get("where"), node.args.get("from_")
    joins = [*(node.args.get("joins") or []), *((origin.this.args.get("joins") or []) if origin else [])]
    for condition in [where and where.this, *(join.args.get("on") for join in joins)]:
        waiting = [condition] if condition else []
        while waiting:
            one = waiting.pop().unnest()
            if isinstance(one, exp.And):
                waiting += [one.left, one.right]
            else:
                yield one


def _side(value: exp.Expression, only: str | None) -> str | None:
    """What a side of an equality is: "?" for a parameter, an alias for its workspace_id, None for anything else."""
    if _is_parameter(value):
        return "?"
    return (value.table or only) if _is_column(value) else None


def _is_parameter(value: exp.Expression) -> bool:
    return isinstance(value.unnest(), exp.Placeholder)


def _is_column(value: exp.Expression) -> bool:
    return isinstance(value, exp.Column) and value.name == COLUMN


_CHECKS = {exp.Select: _check_rows, exp.Update: _check_rows, exp.Delete: _check_rows, exp.Insert: _check_insert}
