"""Segments at a million users: `python -m benchmarks.segments [USERS] [sqlite] [postgres]`.

Twenty segments; a count, a page and the reading of a user, beside the same in a workspace without segments.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app import configure, create_app
from app.config import Settings
from app.models.database import db, forget_connection
from app.services import audit, lists, storage, users, workspaces
from app.services.segments import answers, definitions, sweeps
from benchmarks.postgres import Postgres

NOW_SQL = {
    "sqlite": "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    "postgres": "floor(extract(epoch FROM now()) * 1000)",
}
DAY = {"sqlite": "86400000", "postgres": "86400000::bigint"}
ROUNDS = 20


def main() -> None:
    """Measure each database and print a line for each figure."""
    words = sys.argv[1:]
    count = int(next((word for word in words if word.isdigit()), 1_000_000))
    for engine in [word for word in words if word in NOW_SQL] or list(NOW_SQL):
        with _database(engine) as url:
            _measure(engine, url, count)


@contextlib.contextmanager
def _database(engine: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="rollcall-segments-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        if engine == "sqlite":
            yield f"sqlite:///{folder}/rollcall.db"
            return
        server = Postgres(Path(folder) / "data")
        try:
            yield server.url
        finally:
            server.stop()


def _measure(engine: str, url: str, count: int) -> None:
    settings = Settings(database_url=url, log_level="critical", statement_timeout=600_000)
    configure(settings)
    create_app(settings)
    storage.prepare(settings)
    workspaces.create("bench")
    workspace = workspaces.find("bench")
    list_id = lists.create(workspace, {"title": "News"}, audit.SHELL).id
    _fill(workspace, list_id, count)
    middle = f"u{count // 2}"
    print(f"{engine}, {count:,} users")
    _tell("read a user, no segments", lambda: users.retrieve(workspace, middle))
    _tell("page of 30, no segments", lambda: users.page(workspace, 30))
    made = {
        name: definitions.create(workspace, {"name": name, "rule": rule}, audit.SHELL).id
        for name, rule in _rules(list_id)
    }
    _tell("read a user, 20 segments", lambda: users.retrieve(workspace, middle))
    _tell("page of 30, 20 segments", lambda: users.page(workspace, 30))
    for name in ("plan is gold", "paid 3 times in 30 days", "on the list", "silent"):
        found = answers.count(workspace, made[name])
        exactly = "counted" if found.exact else "estimated"
        _tell(f"count, {name}: {found.users:,} {exactly}", lambda name=name: answers.count(workspace, made[name]), 3)
        _tell(f"page of 30, {name}", lambda name=name: users.page(workspace, 30, segment=made[name]), 3)
    begin, looked = time.perf_counter(), 0
    while time.perf_counter() - begin < 10:
        looked += sweeps.sweep(0)
    print(f"  sweep: {looked / (time.perf_counter() - begin):,.0f} users/s, the first time")
    forget_connection()


def _tell(name: str, run: Callable[[], Any], rounds: int = ROUNDS) -> None:
    run()
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    print(f"  {name}: {sorted(taken)[len(taken) // 2] * 1000:.2f} ms")


def _rules(list_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "plan is gold", {"attribute": "meta.plan", "is": "gold"}
    yield "paid 3 times in 30 days", {"event": "Paid", "count": {"gte": 3}, "within": {"days": 30}}
    yield "on the list", {"list": list_id, "subscribed": True}
    yield "silent", {"attribute": "last_interaction", "lt": {"days_ago": 30}}
    for number in range(16):
        leaves = (
            {"attribute": "meta.age", "gte": number * 5},
            {"event": "Paid", "sum": "amount", "gte": number * 20},
            {"event": "Seen", "count": {"is": 0}},
            {"attribute": "created_at", "gte": {"days_ago": number * 9}},
        )
        yield f"s{number}", {"all": [{"attribute": "email", "exists": True}, leaves[number % len(leaves)]]}


def _fill(workspace: int, list_id: str, count: int) -> None:
    now, day = NOW_SQL[db.dialect.name], DAY[db.dialect.name]
    is_sqlite = db.dialect.name == "sqlite"
    if is_sqlite:
        numbers = "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {}) SELECT n FROM c)"
        hex_, meta = (
            "printf('%022x%02x', n, (n * 2654435761 >> 16) & 255)",
            "json_object('plan', {plan}, 'age', n % 90)",
        )
        properties = "json_object('amount', n % 100)"
    else:
        numbers = "(SELECT n FROM generate_series(1, {}) AS n)"
        hex_, meta = (
            "lpad(to_hex(n), 22, '0') || lpad(to_hex((n * 2654435761 >> 16) & 255), 2, '0')",
            "jsonb_build_object('plan', {plan}, 'age', mod(n, 90))",
        )
        properties = "jsonb_build_object('amount', mod(n, 100))"
    mod = "n % {}" if is_sqlite else "mod(n, {})"
    plan = f"CASE WHEN {mod.format(1000)} = 0 THEN 'gold' ELSE 'free' END"
    source = f"{numbers.format(count)} AS numbers"
    texts = [
        "INSERT INTO users (workspace_id, id, uid, meta, created_at, last_interaction, email, email_key) "
        f"SELECT {workspace}, {hex_}, 'u' || n, {meta.format(plan=plan)}, {now} - ({mod.format(200)}) * {day}, "
        f"{now} - ({mod.format(60)}) * {day}, n || '@x.io', n || '@x.io' FROM {source}",
        *(
            "INSERT INTO events (workspace_id, user_id, timestamp, id, event, properties) "
            f"SELECT {workspace}, {hex_}, {now} - ({mod.format(50)}) * {day} - {turn}, "
            f"{hex_}, 'Paid', {properties} FROM {source}"
            for turn in range(3)
        ),
        "INSERT INTO subscriptions (workspace_id, user_id, list_id, status, position) "
        f"SELECT {workspace}, {hex_}, '{list_id}', 'subscribed', {hex_} FROM {source} WHERE {mod.format(100)} = 0",
    ]
    for text in texts:
        db.execute_sql(text)
    for table in ("users", "events", "subscriptions"):
        db.execute_sql(f"ANALYZE {table}")


if __name__ == "__main__":
    main()
