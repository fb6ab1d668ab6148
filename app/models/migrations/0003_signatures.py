"""Since when a workspace demands that what the public key writes is signed; null where it does not."""


def up(migrator, db):
    db.execute_sql("ALTER TABLE workspaces ADD COLUMN signatures_since BIGINT")
