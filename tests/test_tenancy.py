"""The guard itself: it must see what is wrong, and let pass what is right."""

import pytest

from app.models.database import db
from tests.tenancy import ROOT, tables, violations

BOUND = "workspace_id = ?"


@pytest.mark.parametrize("sql", [
    "SELECT id FROM users WHERE uid = ?",
    "SELECT id FROM users",
    f"SELECT id FROM users WHERE {BOUND} OR uid = ?",
    f"SELECT id FROM users WHERE NOT ({BOUND})",
    "SELECT id FROM users WHERE workspace_id >= ?",
    "SELECT id FROM users WHERE workspace_id IN (?, ?)",
    "SELECT id FROM users WHERE workspace_id = workspace_id",
    "SELECT id FROM users WHERE workspace_id = 3",
    f"SELECT users.id FROM users JOIN devices ON devices.user_id = users.id WHERE users.{BOUND}",
    "SELECT users.id FROM users JOIN devices ON devices.workspace_id = users.workspace_id",
    f"SELECT users.id FROM users, lists WHERE {BOUND}",
    f"SELECT id FROM users WHERE {BOUND} AND EXISTS (SELECT 1 FROM subscriptions AS s WHERE s.user_id = users.id)",
    f"SELECT (SELECT count(*) FROM events WHERE events.user_id = users.id) FROM users WHERE {BOUND}",
    f"SELECT id FROM users WHERE {BOUND} UNION SELECT id FROM users",
    "UPDATE users SET meta = ? WHERE id = ?",
    f"UPDATE users SET workspace_id = ? WHERE {BOUND}",
    f"UPDATE users SET meta = source.meta FROM users AS source WHERE users.{BOUND} AND source.id = ?",
    f"UPDATE users SET meta = ? WHERE {BOUND} AND id IN (SELECT user_id FROM memberships WHERE account_id = ?)",
    "DELETE FROM events WHERE user_id = ?",
    "DELETE FROM events",
    "INSERT INTO users (id, uid) VALUES (?, ?)",
    "INSERT INTO users VALUES (?, ?, ?)",
    "INSERT INTO users (workspace_id, id) VALUES (1, ?)",
    "INSERT INTO users (workspace_id, id) VALUES (?, ?), (7, ?)",
    "INSERT INTO users (workspace_id, uid) VALUES (?, ?) ON CONFLICT (uid) DO UPDATE SET uid = excluded.uid",
    "INSERT INTO events (workspace_id, user_id) SELECT ?, id FROM users WHERE uid = ?",
    "WITH actor AS (DELETE FROM users WHERE id = ? RETURNING id) SELECT id FROM actor",
    'SELECT "t1"."id" FROM "users" AS "t1" WHERE ("t1"."uid" = ?)',
    "VACUUM users",
])  # fmt: skip
def test_a_statement_that_could_meet_another_workspace_is_seen(sql):
    assert violations(sql, "sqlite"), "sqlite"
    assert violations(sql.replace("?", "%s"), "postgres"), "postgres"


@pytest.mark.parametrize("sql", [
    f"SELECT id FROM users WHERE {BOUND} AND uid = ?",
    f"SELECT id FROM users WHERE (({BOUND}) AND (uid = ? OR uid = ?))",
    "SELECT id FROM users AS u WHERE ? = u.workspace_id",
    f"SELECT users.id FROM users JOIN devices ON devices.workspace_id = users.workspace_id WHERE users.{BOUND}",
    f"SELECT id FROM users WHERE {BOUND} AND EXISTS (SELECT 1 FROM subscriptions AS s WHERE s.workspace_id = users.workspace_id)",
    f"SELECT (SELECT count(*) FROM events WHERE events.workspace_id = users.workspace_id) FROM users WHERE {BOUND}",
    f"UPDATE users SET meta = source.meta FROM users AS source WHERE users.{BOUND} AND source.{BOUND}",
    f"DELETE FROM events WHERE {BOUND} AND user_id = ?",
    "INSERT INTO users (workspace_id, uid) VALUES (?, ?) ON CONFLICT (workspace_id, uid) DO UPDATE SET uid = excluded.uid",
    f"INSERT INTO events (workspace_id, user_id) SELECT workspace_id, id FROM users WHERE {BOUND}",
    f"WITH actor AS (DELETE FROM users WHERE {BOUND} RETURNING id) SELECT id FROM actor",
    "SELECT workspace_id FROM keys WHERE public_key = ?",
    "SELECT 1",
])  # fmt: skip
def test_a_statement_that_keeps_to_its_workspace_passes(sql):
    assert not violations(sql, "sqlite"), "sqlite"
    assert not violations(sql.replace("?", "%s"), "postgres"), "postgres"


def test_the_tables_of_tenants_are_those_that_have_a_workspace(app):
    with_column = {name for name in db.get_tables() if "workspace_id" in {one.name for one in db.get_columns(name)}}
    assert with_column - {"keys", "clients"} == tables() and len(tables()) >= 9


@pytest.mark.parametrize("way", ["statement", "query", "many"])
def test_a_planted_defect_in_the_app_is_found(app, guard, way):
    planted = {
        "statement": "Statement('SELECT id FROM users WHERE uid = ?')('u')",
        "query": "list(User.select(User.id).where(User.uid == 'u'))",
        "many": "run_all([Call(Statement('DELETE FROM lists WHERE FALSE RETURNING id'), ())])",
    }
    source = f"from app.models.database import *\nfrom app.models.users import User\n{planted[way]}"
    exec(compile(source, str(ROOT / "app/services/planted.py"), "exec"))
    assert len(guard.found) == 1 and guard.found[0][2] == "app/services/planted.py:3"
    guard.found.clear()
