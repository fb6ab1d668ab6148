"""The guard of the test run: no statement can show or change a user who waits to be erased (atomic.md section 3, Delete).

Every SQL text that the app runs in this process is parsed, as by the guard of tenants. Each place where it names `users`
must leave the hidden ones out: by `hidden_at IS NULL`, or by asking for what none of them has.
"""

import functools
from collections.abc import Iterator

from sqlglot import exp

from tests.tenancy import conditions, parsed, sources

# What `users.hide` takes away: whoever asks for one of these finds nobody who is hidden.
TAKEN = {"uid", "email_key", "number_digits", "uid_updateable"}
# Tables that have no row of somebody hidden: whoever is found by one of theirs is not.
LEFT = {"memberships", "subscriptions", "devices", "segment_changes"}
_FOUND = "found by uid and locked in the same transaction: nobody hides it meanwhile"
_ERASED = "the worker means the one who is hidden"
# Who may do without, by the place in the code that runs the statement and its function, and why.
ALLOWED = {
    "app/models/users/changes.py lock_all": "answers those alone who still have the uids that were asked for",
    "app/models/users/changes.py lock_id": _ERASED,
    "app/models/users/changes.py delete": _ERASED,
    "app/models/users/changes.py hide": "makes it so",
    "app/models/users/changes.py rename": _FOUND,
    "app/models/users/changes.py remove_meta": _FOUND,
    "app/models/users/finding.py _bound": "where a window ends, whoever is there; nobody is shown",
    "app/models/users/finding.py newest_id": "the greatest id that was given, whoever has it; nobody is shown",
    "app/models/accounts.py": _FOUND,
    "app/models/merges.py": _FOUND,
    "app/models/events.py _touch_all": _FOUND,
    "app/models/expiry.py": "old events go whoever had them, and nobody is shown",
    "app/models/segments/counting.py _estimate": "the sample is of ids; the condition around it leaves the hidden ones out",
    "app/models/purging.py": "asks whether there is any row at all, and reads none",
    "app/models/erasures/__init__.py ids_and_uids": "a backup may have brought back who was hidden",
    "migrations/": "a migration changes the tables whatever is in them",
    "benchmarks/": "a benchmark hides nobody",
    "tests/": "a test looks at what is stored from outside",
}
_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@functools.cache
def violations(sql: str, dialect: str) -> tuple[str, ...]:
    """Return where a statement could meet a hidden user, in words."""
    if "users" not in sql or sql.split(maxsplit=1)[0].upper() not in _VERBS:
        return ()
    tree = parsed(sql, dialect)
    return tuple(problem for node in tree.find_all(exp.Select, exp.Update, exp.Delete) for problem in _check(node))


def _check(node: exp.Expression) -> Iterator[str]:
    tables = [one for one in sources(node) if isinstance(one, exp.Table)]
    for table in tables:
        if table.name == "users" and not any(
            _leaves_out(one, table.alias_or_name, len(tables)) for one in conditions(node)
        ):
            yield f"{node.key.upper()} of users that could be hidden: {node.sql()[:60]}"


def _leaves_out(condition: exp.Expression, alias: str, tables: int) -> bool:
    def is_own(column: exp.Expression, names: set[str]) -> bool:
        own = isinstance(column, exp.Column) and column.name in names
        return own and (column.table == alias or (not column.table and tables == 1))

    if isinstance(condition, exp.Is):
        is_null = isinstance(condition.expression, exp.Null) and not condition.args.get("negate")
        return is_null and is_own(condition.this, {"hidden_at"})
    if isinstance(condition, exp.Column):
        return is_own(condition, {"uid_updateable"})
    if isinstance(condition, exp.In):
        return is_own(condition.this, TAKEN)
    if isinstance(condition, exp.EQ):
        sides = (condition.this, condition.expression)
        return any(
            (is_own(one, TAKEN) and not isinstance(other, exp.Column))
            or (is_own(one, {"id"}) and isinstance(other, exp.Column) and other.table in LEFT)
            for one, other in (sides, sides[::-1])
        )
    return False
