"""What outlives an erasure, and what it has to find: the journal, who was merged into whom, whom a reply is about."""


def up(migrator, db):
    d = db.dialect
    for statement in _statements(d):
        db.execute_sql(statement)


def _statements(d):
    return [
        f"""CREATE TABLE erasures (
            workspace_id BIGINT NOT NULL,
            user_hash {d.text_key} NOT NULL,
            erased_at BIGINT NOT NULL,
            PRIMARY KEY (workspace_id, user_hash)){d.table_end}""",
        f"""CREATE TABLE merged_users (
            workspace_id BIGINT NOT NULL,
            user_id {d.text_key} NOT NULL,
            merged_id {d.text_key} NOT NULL,
            PRIMARY KEY (workspace_id, user_id, merged_id),
            FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id) ON DELETE CASCADE){d.table_end}""",
        f"""CREATE TABLE reply_subjects (
            workspace_id BIGINT NOT NULL,
            key_hash {d.text_key} NOT NULL,
            subject_hash {d.text_key} NOT NULL,
            PRIMARY KEY (workspace_id, key_hash, subject_hash),
            FOREIGN KEY (workspace_id, key_hash) REFERENCES replies (workspace_id, key_hash)
            ON DELETE CASCADE){d.table_end}""",
        "CREATE INDEX reply_subjects_by_subject ON reply_subjects (workspace_id, subject_hash)",
        # Nobody noted whom the replies that are there now are about: they may be about anybody.
        "INSERT INTO reply_subjects (workspace_id, key_hash, subject_hash) "
        "SELECT workspace_id, key_hash, '' FROM replies",
        """CREATE TABLE job_runs (
            name TEXT NOT NULL PRIMARY KEY,
            ran_at BIGINT NOT NULL)""",
    ]
