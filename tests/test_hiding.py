"""The guard of hidden users itself, and what it rests on."""

import pytest

from app.domain.consent import SUBSCRIBED
from app.domain.writes import Place
from app.models import users as users_store
from app.models.database import db
from app.services import accounts, audit, users
from app.services.atomic import deletions
from tests.factories import fresh
from tests.hiding import LEFT, TAKEN, violations
from tests.tenancy import ROOT

OURS = "workspace_id = ?"
SHOWN = "hidden_at IS NULL"


@pytest.mark.parametrize("sql", [
    f"SELECT id FROM users WHERE {OURS}",
    f"SELECT id FROM users WHERE {OURS} AND id = ?",
    f"SELECT id FROM users WHERE {OURS} AND ({SHOWN} OR id = ?)",
    f"SELECT id FROM users WHERE {OURS} AND NOT ({SHOWN})",
    f"SELECT id FROM users WHERE {OURS} AND hidden_at IS NOT NULL",
    f"SELECT id FROM users WHERE {OURS} AND email = ?",
    f"SELECT id FROM users WHERE {OURS} AND uid > ?",
    f"SELECT u.id FROM users AS u JOIN users AS o ON o.{OURS} AND o.uid = u.uid WHERE u.{OURS} AND u.id = ? AND o.{SHOWN}",
    f"SELECT u.id FROM users AS u JOIN lists ON lists.id = u.id WHERE u.{OURS} AND lists.uid = ?",
    f"SELECT (SELECT count(*) FROM users WHERE users.{OURS}) FROM lists",
    f"UPDATE users SET meta = ? WHERE {OURS} AND id = ?",
    f"DELETE FROM users WHERE {OURS} AND id = ?",
    f"INSERT INTO segment_queue (workspace_id, user_id) SELECT workspace_id, id FROM users WHERE {OURS} AND id = ?",
])  # fmt: skip
def test_a_statement_that_could_meet_a_hidden_user_is_seen(sql):
    assert violations(sql, "sqlite"), "sqlite"
    assert violations(sql.replace("?", "%s"), "postgres"), "postgres"


@pytest.mark.parametrize("sql", [
    f"SELECT id FROM users WHERE {OURS} AND {SHOWN}",
    f"SELECT id FROM users WHERE {OURS} AND (id = ? AND {SHOWN})",
    f"SELECT id FROM users WHERE {OURS} AND uid = ?",
    f"SELECT id FROM users WHERE {OURS} AND uid IN (?, ?)",
    f"SELECT id FROM users WHERE {OURS} AND email_key = ? AND uid_updateable",
    f"SELECT u.id FROM memberships AS m JOIN users AS u ON u.id = memberships.user_id WHERE m.{OURS}",
    f"UPDATE users SET meta = ? WHERE {OURS} AND id = ? AND {SHOWN}",
    "INSERT INTO users (workspace_id, uid) VALUES (?, ?)",
])  # fmt: skip
def test_a_statement_that_leaves_hidden_users_out_passes(sql):
    assert not violations(sql, "sqlite"), "sqlite"
    assert not violations(sql.replace("?", "%s"), "postgres"), "postgres"


def test_a_planted_defect_in_the_app_is_found(app, guard):
    source = "from app.models.database import *\nStatement('SELECT uid FROM users WHERE workspace_id = ?')(1)"
    exec(compile(source, str(ROOT / "app/services/planted.py"), "exec"))
    assert [place for _, _, place in guard.found] == ["app/services/planted.py:2"]
    guard.found.clear()


@pytest.fixture
def hidden(api, workspace, make_list):
    """The id of an account with a member, who is one too, with all that a user can have; it waits to be erased."""
    uid, other = fresh(), fresh()
    api.user(uid, email="a@x.co", number="55501", is_account=True, device_token="t" + uid)
    api.user(other)
    accounts.join(workspace, other, [{"id": uid}])
    accounts.join(workspace, uid, [{"id": api.user(is_account=True)["uid"]}])
    users.update(workspace, uid, {"lists": [Place(make_list("News"), SUBSCRIBED)]}, full=True)
    id = users.retrieve(workspace, uid).id
    deletions.request(workspace, [uid], 60_000, audit.SHELL)
    return id


def test_a_hidden_user_has_nothing_by_which_the_guard_lets_it_be_asked_for(hidden, workspace):
    row = db.execute_sql(f"SELECT {', '.join(sorted(TAKEN))} FROM users WHERE id = '{hidden}'").fetchone()
    assert [value or None for value in row] == [None, None, f"/{hidden}", None]
    for table in LEFT:
        columns = {one.name for one in db.get_columns(table)} & {"user_id", "account_id"}
        for column in columns:
            assert not db.execute_sql(f"SELECT 1 FROM {table} WHERE {column} = '{hidden}'").fetchall(), table


def test_who_is_hidden_between_two_statements_of_a_read_is_not_shown(api, workspace, monkeypatch):
    account, member, remaining = api.user(is_account=True)["uid"], fresh(), fresh()
    for uid in (member, remaining):
        api.user(uid)
        accounts.join(workspace, uid, [{"id": account}])
    find_all = users_store.find_all

    def hide_first(*call):
        deletions.request(workspace, [member], 60_000, audit.SHELL)
        return find_all(*call)

    monkeypatch.setattr(users_store, "find_all", hide_first)
    assert [user["uid"] for user in api.get(f"users/{account}/members").json["data"]] == [remaining]
