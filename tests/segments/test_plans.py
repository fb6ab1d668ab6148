"""How Postgres goes about the conditions of rules: by index, where there are people enough for it to matter."""

import pytest

from app.models import segments as store
from app.models.database import db
from app.models.segments.sets import filter_of

LIST, OTHER_LIST, NOW = "a" * 24, "b" * 24, 1_790_000_000_000
PEOPLE = 20_000


@pytest.fixture(scope="module")
def crowd(new_database):
    """The id of a workspace with people on a list and with events, in a Postgres of its own."""
    from app import configure, create_app
    from app.config import Settings
    from app.models.database import forget_connection
    from app.services import storage, workspaces

    settings = Settings(database_url=new_database("postgres"), log_level="critical")
    configure(settings)
    create_app(settings)
    storage.prepare(settings)
    workspaces.create("crowd")
    workspace = workspaces.find("crowd")
    for text in (
        "INSERT INTO users (workspace_id, id, uid, meta, created_at, email, email_key, number, number_digits) SELECT {w}, lpad(to_hex(n), 24, '0'), "
        "'u' || n, jsonb_build_object('plan', CASE WHEN mod(n, 1000) = 0 THEN 'pro' ELSE 'free' END), {now}, n || '@x.io', "
        "n || '@x.io', '+234803' || n, '234803' || n FROM generate_series(1, {people}) AS n",
        "INSERT INTO events (workspace_id, user_id, timestamp, id, event) SELECT {w}, lpad(to_hex(n), 24, '0'), {now} - m, "
        "lpad(to_hex(n * 10 + m), 24, '0'), 'Paid' FROM generate_series(1, {people}) AS n, generate_series(1, 5) AS m",
        "INSERT INTO lists (workspace_id, id, title, created_at) VALUES ({w}, '{list}', 'x', 0), ({w}, '{other}', 'x', 0)",
        "INSERT INTO subscriptions (workspace_id, user_id, list_id, status, position) SELECT {w}, lpad(to_hex(n), 24, '0'), "
        "'{other}', 'subscribed', lpad(to_hex(n), 24, '0') FROM generate_series(1, {people}) AS n",
        "INSERT INTO subscriptions (workspace_id, user_id, list_id, status, position) SELECT {w}, lpad(to_hex(n), 24, '0'), "
        "'{list}', 'subscribed', lpad(to_hex(n), 24, '0') FROM generate_series(1, {people}, 500) AS n",
    ):
        db.execute_sql(text.format(w=workspace, now=NOW, people=PEOPLE, list=LIST, other=OTHER_LIST))
    for table in ("users", "events", "subscriptions"):
        db.execute_sql(f"ANALYZE {table}")
    yield workspace
    forget_connection()


def plan(workspace, rule):
    one = filter_of(workspace, rule, NOW)
    text = f"SELECT count(*) FROM users WHERE users.workspace_id = ? AND {one.condition.replace('{row}', 'users')}"
    rows = db.execute_sql(f"EXPLAIN {text}".replace("?", "%s"), (workspace, *one.values)).fetchall()
    return "\n".join(line for (line,) in rows)


@pytest.mark.parametrize(("rule", "index"), [
    ({"attribute": "meta.plan", "is": "pro"}, "users_by_meta"),
    ({"attribute": "meta.plan", "in": ["pro", "gold"]}, "users_by_meta"),
    ({"all": [{"attribute": "meta.plan", "is": "pro"}, {"event": "Paid", "count": {"gte": 3}}]}, "users_by_meta"),
    ({"attribute": "email", "is": "77@X.io"}, "users_by_email"),
    ({"attribute": "email", "is": "77@x.io", "exact": True}, "users_by_email"),
    ({"attribute": "email", "in": ["77@x.io", "78@x.io"]}, "users_by_email"),
    ({"attribute": "number", "is": "+234 803 77"}, "users_by_number"),
    ({"attribute": "uid", "is": "u77"}, "users_uid"),
    ({"list": LIST, "subscribed": True}, "subscriptions_by_status"),
])  # fmt: skip
def test_who_is_found_by_index(crowd, rule, index):
    found = plan(crowd, rule)
    assert index in found and "Seq Scan on users" not in found, found


@pytest.mark.parametrize("rule", [
    {"event": "Paid", "count": {"gte": 3}},
    {"event": "Paid", "count": {"gte": 3}, "within": {"days": 30}, "where": [{"property": "cur", "is": "USD"}]},
    {"event": "Paid", "last": {"gte": {"days_ago": 7}}},
    {"event": "Paid", "sum": "amount", "gte": 100},
])  # fmt: skip
def test_the_events_of_each_user_are_found_by_index(crowd, rule):
    found = plan(crowd, rule)
    # The months without a row are read whole: that is nothing.
    assert "SubPlan" in found and "events_default_pkey" in found and "Seq Scan on events_default" not in found, found


def test_all_segments_of_a_page_are_one_statement_that_finds_users_by_their_key(crowd, monkeypatch):
    run, asked = db.obj.execute_sql, []

    def watched(sql, parameters=None):
        asked.append(sql)
        return run(sql, parameters)

    known = {f"{number:024x}": {"attribute": "meta.plan", "is": f"plan {number}"} for number in range(20)}
    compiled = store.compile_all(known)
    monkeypatch.setattr("app.models.segments.sets._compiled", lambda *args: compiled)
    monkeypatch.setattr(db.obj, "execute_sql", watched)
    ids = [f"{number:024x}" for number in range(1, 31)]
    assert len(store.decide(crowd, "any", ids, NOW)) == 30 and len(asked) == 1
