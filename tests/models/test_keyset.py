"""Pages by key: what the database has to look at for one."""

import pytest

from app.models.database import db
from app.models.keyset import Keyset, of_workspace

ROWS = 20_000


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("engine", ["postgres"])
def test_a_page_in_the_middle_reads_the_index_alone(app, workspace, descending):
    db.execute_sql(
        "INSERT INTO users (workspace_id, id, uid, created_at) SELECT %s, lpad(n::text, 24, '0'), n::text, 0 "
        "FROM generate_series(1, %s) AS n",
        (workspace, ROWS),
    )
    db.execute_sql("ANALYZE users")
    text = Keyset("users", lambda d: "users.id")._build((of_workspace(workspace).condition,), True, descending).text
    cursor = f"{ROWS // 2:024d}"
    plan = db.execute_sql(f"EXPLAIN {text}", (workspace, cursor, workspace, cursor, 31)).fetchall()
    db.execute_sql("DELETE FROM users WHERE workspace_id = %s", (workspace,))
    assert "Index" in str(plan) and "Seq Scan" not in str(plan), plan
