"""Keys that the tokens of an app's users are signed with, and what was fetched of those that are published."""


def up(migrator, db):
    d = db.dialect
    db.execute_sql(f"""CREATE TABLE sdk_keys (
        workspace_id BIGINT NOT NULL,
        id {d.text_key} NOT NULL,
        name TEXT NOT NULL,
        public_key TEXT,
        jwks_url TEXT,
        max_token_days BIGINT NOT NULL,
        issuers TEXT NOT NULL,
        audiences TEXT NOT NULL,
        subject_claim TEXT,
        claims TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        jwks TEXT,
        fetched_at BIGINT,
        tried_at BIGINT,
        problem TEXT,
        PRIMARY KEY (workspace_id, id)){d.table_end}""")
