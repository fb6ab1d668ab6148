"""How far the import of a file has come, so that one that was cut off goes on where it was."""


def up(migrator, db):
    d = db.dialect
    db.execute_sql(
        f"""CREATE TABLE imports (
            workspace_id BIGINT NOT NULL,
            file_hash {d.text_key} NOT NULL,
            position BIGINT NOT NULL,
            line BIGINT NOT NULL,
            stored BIGINT NOT NULL,
            refused BIGINT NOT NULL,
            error_bytes BIGINT NOT NULL,
            began_at BIGINT NOT NULL,
            ended_at BIGINT,
            PRIMARY KEY (workspace_id, file_hash)){d.table_end}"""
    )
