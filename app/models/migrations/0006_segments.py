"""Segments: saved questions about users, and who is suppressed in one.

A workspace without segments of its own has no row in `segment_sets`, so that reading its users costs one look-up of
nothing. The version there is another one after every change, and stands for all rules of the workspace together.
"""

ALL = "0" * 24  # the segment of everybody, under the same id in every workspace
_EVERYBODY = '{"all": []}'


def up(migrator, db):
    d = db.dialect
    for statement in _statements(d):
        db.execute_sql(statement)


def _statements(d):
    return [
        f"""CREATE TABLE segments (
            workspace_id BIGINT NOT NULL,
            id {d.text_key} NOT NULL,
            name TEXT NOT NULL,
            description TEXT,
            rule TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            PRIMARY KEY (workspace_id, id)){d.table_end}""",
        f"""CREATE TABLE segment_sets (
            workspace_id BIGINT NOT NULL PRIMARY KEY,
            version {d.text_key} NOT NULL)""",
        f"""CREATE TABLE segment_suppressions (
            workspace_id BIGINT NOT NULL,
            user_id {d.text_key} NOT NULL,
            segment_id {d.text_key} NOT NULL,
            suppressed_at BIGINT NOT NULL,
            PRIMARY KEY (workspace_id, user_id, segment_id),
            FOREIGN KEY (workspace_id, segment_id) REFERENCES segments (workspace_id, id) ON DELETE CASCADE,
            FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id) ON DELETE CASCADE){d.table_end}""",
        "CREATE INDEX segment_suppressions_of_segment ON segment_suppressions (workspace_id, segment_id, user_id)",
        "INSERT INTO segments (workspace_id, id, name, rule, created_at, updated_at) "
        f"SELECT id, '{ALL}', 'all', '{_EVERYBODY}', created_at, created_at FROM workspaces",
    ]
