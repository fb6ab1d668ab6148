"""Erasures that a worker does, and since when the users they are about are shown to nobody."""


def up(migrator, db):
    d = db.dialect
    db.execute_sql("ALTER TABLE users ADD COLUMN hidden_at BIGINT")
    db.execute_sql(
        f"""CREATE TABLE deletions (
            workspace_id BIGINT NOT NULL,
            id {d.text_key} NOT NULL,
            user_id {d.text_key},
            state TEXT NOT NULL,
            requested_at BIGINT NOT NULL,
            due_at BIGINT NOT NULL,
            next_at BIGINT NOT NULL,
            attempts BIGINT NOT NULL DEFAULT 0,
            erased_at BIGINT,
            PRIMARY KEY (workspace_id, id)){d.table_end}"""
    )
    db.execute_sql("CREATE INDEX deletions_pending ON deletions (next_at, workspace_id) WHERE state = 'pending'")
