"""Workspaces, keys, users and what hangs on them.

Every tenant table has the workspace first in its primary and unique keys, so that it can be distributed by it.
Times are epoch milliseconds. `id` and its copies are ids of app/domain/ids.py: a primary key is also the order
of a list.
"""


def up(migrator, db):
    d = db.dialect
    for statement in _statements(d):
        db.execute_sql(statement)


def _statements(d):
    of_user = (
        "FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id) ON DELETE CASCADE ON UPDATE NO ACTION"
    )
    hot = "" if d.name == "sqlite" else " WITH (fillfactor = 90)"  # room for updates in place beside the old row
    return [
        f"""CREATE TABLE workspaces (
            id {d.identity},
            name TEXT NOT NULL UNIQUE,
            environment_id TEXT NOT NULL UNIQUE,
            signing_key TEXT NOT NULL,
            created_at BIGINT NOT NULL)""",
        """CREATE TABLE keys (
            public_key TEXT NOT NULL PRIMARY KEY,
            workspace_id BIGINT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
            secret_hash TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            expires_at BIGINT,
            revoked_at BIGINT)""",
        "CREATE INDEX keys_of_workspace ON keys (workspace_id)",
        """CREATE TABLE origins (
            public_key TEXT NOT NULL REFERENCES keys (public_key) ON DELETE CASCADE,
            origin TEXT NOT NULL,
            PRIMARY KEY (public_key, origin))""",
        "CREATE INDEX origins_by_name ON origins (origin)",
        f"""CREATE TABLE users (
            workspace_id BIGINT NOT NULL,
            id {d.text_key} NOT NULL,
            uid {d.text_key} NOT NULL,
            uid_updateable BOOLEAN NOT NULL DEFAULT FALSE,
            first_name TEXT,
            last_name TEXT,
            number TEXT,
            number_digits {d.text_key},
            email TEXT,
            email_key {d.text_key},
            is_account BOOLEAN NOT NULL DEFAULT FALSE,
            member_count BIGINT NOT NULL DEFAULT 0,
            archived_at BIGINT,
            meta {d.json_type} NOT NULL DEFAULT '{{}}',
            tz TEXT,
            app_version TEXT,
            app_build TEXT,
            app_last_active BIGINT,
            created_at BIGINT NOT NULL,
            last_interaction BIGINT,
            PRIMARY KEY (workspace_id, id),
            CONSTRAINT users_uid UNIQUE (workspace_id, uid)){d.table_end}{hot}""",
        "CREATE INDEX users_by_email ON users (workspace_id, email_key, id) WHERE email_key IS NOT NULL",
        "CREATE INDEX users_by_number ON users (workspace_id, number_digits, id) WHERE number_digits IS NOT NULL",
        # The operator class that knows @> alone: half the size of the general one.
        *([] if d.name == "sqlite" else ["CREATE INDEX users_by_meta ON users USING gin (meta jsonb_path_ops)"]),
        "CREATE INDEX users_without_uid ON users (workspace_id) WHERE uid_updateable",
        # The key is a hash because a token may be longer than an index row of Postgres can be.
        f"""CREATE TABLE devices (
            workspace_id BIGINT NOT NULL,
            token_hash {d.text_key} NOT NULL,
            user_id {d.text_key} NOT NULL,
            token TEXT NOT NULL,
            platform TEXT,
            position {d.text_key} NOT NULL,
            PRIMARY KEY (workspace_id, token_hash),
            {of_user}){d.table_end}""",
        "CREATE INDEX devices_of_user ON devices (workspace_id, user_id, position)",
        f"""CREATE TABLE memberships (
            workspace_id BIGINT NOT NULL,
            user_id {d.text_key} NOT NULL,
            account_id {d.text_key} NOT NULL,
            role TEXT,
            position {d.text_key} NOT NULL,
            PRIMARY KEY (workspace_id, user_id, account_id),
            FOREIGN KEY (workspace_id, account_id) REFERENCES users (workspace_id, id) ON DELETE CASCADE,
            {of_user}){d.table_end}""",
        "CREATE INDEX memberships_of_account ON memberships (workspace_id, account_id, user_id)",
        f"""CREATE TABLE lists (
            workspace_id BIGINT NOT NULL,
            id {d.text_key} NOT NULL,
            title TEXT NOT NULL,
            description TEXT,
            redirect_url TEXT,
            double_optin BOOLEAN NOT NULL DEFAULT FALSE,
            subscriber_count BIGINT NOT NULL DEFAULT 0,
            created_at BIGINT NOT NULL,
            archived_at BIGINT,
            PRIMARY KEY (workspace_id, id)){d.table_end}""",
        f"""CREATE TABLE subscriptions (
            workspace_id BIGINT NOT NULL,
            user_id {d.text_key} NOT NULL,
            list_id {d.text_key} NOT NULL,
            status TEXT NOT NULL,
            position {d.text_key} NOT NULL,
            PRIMARY KEY (workspace_id, user_id, list_id),
            FOREIGN KEY (workspace_id, list_id) REFERENCES lists (workspace_id, id) ON DELETE CASCADE,
            {of_user}){d.table_end}""",
        "CREATE INDEX subscriptions_of_list ON subscriptions (workspace_id, list_id, user_id)",
        f"""CREATE TABLE replies (
            workspace_id BIGINT NOT NULL,
            key_hash {d.text_key} NOT NULL,
            request_hash TEXT NOT NULL,
            body TEXT,
            created_at BIGINT NOT NULL,
            PRIMARY KEY (workspace_id, key_hash)){d.table_end}""",
        "CREATE INDEX replies_by_age ON replies (workspace_id, created_at)",
        f"""CREATE TABLE event_ids (
            workspace_id BIGINT NOT NULL,
            id_hash {d.text_key} NOT NULL,
            PRIMARY KEY (workspace_id, id_hash)){d.table_end}""",
        # Clustered by user and time: the events of a user are read newest first, and Postgres can partition by time.
        f"""CREATE TABLE events (
            workspace_id BIGINT NOT NULL,
            user_id {d.text_key} NOT NULL,
            timestamp BIGINT NOT NULL,
            id {d.text_key} NOT NULL,
            event TEXT NOT NULL,
            value {d.json_type},
            properties {d.json_type} NOT NULL DEFAULT '{{}}',
            PRIMARY KEY (workspace_id, user_id, timestamp, id),
            {of_user}){d.table_end}""",
    ]
