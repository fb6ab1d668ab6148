"""What the Atomic API keeps beside users: its client pairs, the fields of profiles, preferences."""


def up(migrator, db):
    for statement in _statements(db.dialect):
        db.execute_sql(statement)


def _statements(d):
    return [
        # As `keys`: a request names a client alone, and what that finds is the workspace.
        """CREATE TABLE clients (
            id TEXT NOT NULL PRIMARY KEY,
            workspace_id BIGINT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
            role TEXT NOT NULL,
            secret_hash TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            revoked_at BIGINT)""",
        "CREATE INDEX clients_of_workspace ON clients (workspace_id)",
        f"""CREATE TABLE profile_fields (
            workspace_id BIGINT NOT NULL,
            name {d.text_key} NOT NULL,
            label TEXT NOT NULL,
            type TEXT NOT NULL,
            position {d.text_key} NOT NULL,
            PRIMARY KEY (workspace_id, name)){d.table_end}""",
        f"""CREATE TABLE preferences (
            workspace_id BIGINT NOT NULL,
            user_id {d.text_key} NOT NULL,
            timezone TEXT,
            notifications_enabled BOOLEAN NOT NULL,
            notifications {d.json_type} NOT NULL,
            updated_at BIGINT NOT NULL,
            PRIMARY KEY (workspace_id, user_id),
            FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id) ON DELETE CASCADE){d.table_end}""",
    ]
