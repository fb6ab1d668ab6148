"""What the sweeps of segments knew of users the last time, what changed since then, and whom to look at first."""


def up(migrator, db):
    d = db.dialect
    for statement in _statements(d):
        db.execute_sql(statement)


def _statements(d):
    of_user = "FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id) ON DELETE CASCADE"
    of_segment = "FOREIGN KEY (workspace_id, segment_id) REFERENCES segments (workspace_id, id) ON DELETE CASCADE"
    return [
        f"""CREATE TABLE segment_members (
            workspace_id BIGINT NOT NULL,
            user_id {d.text_key} NOT NULL,
            segment_id {d.text_key} NOT NULL,
            PRIMARY KEY (workspace_id, user_id, segment_id),
            {of_segment}, {of_user}){d.table_end}""",
        "CREATE INDEX segment_members_of_segment ON segment_members (workspace_id, segment_id, user_id)",
        f"""CREATE TABLE segment_changes (
            workspace_id BIGINT NOT NULL,
            id {d.text_key} NOT NULL,
            segment_id {d.text_key} NOT NULL,
            user_id {d.text_key} NOT NULL,
            change TEXT NOT NULL,
            PRIMARY KEY (workspace_id, id),
            {of_segment}, {of_user}){d.table_end}""",
        "CREATE INDEX segment_changes_of_segment ON segment_changes (workspace_id, segment_id, id)",
        "CREATE INDEX segment_changes_of_user ON segment_changes (workspace_id, user_id)",
        f"""CREATE TABLE segment_queue (
            workspace_id BIGINT NOT NULL,
            user_id {d.text_key} NOT NULL,
            PRIMARY KEY (workspace_id, user_id),
            {of_user}){d.table_end}""",
        f"""CREATE TABLE segment_sweeps (
            workspace_id BIGINT NOT NULL PRIMARY KEY,
            version {d.text_key} NOT NULL,
            swept_at BIGINT NOT NULL)""",
    ]
