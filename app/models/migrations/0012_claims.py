"""Whom an email or a number may give a uid: looked up in time that does not grow with those who share it."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX claims_by_email ON users (workspace_id, email_key) WHERE uid_updateable")
    db.execute_sql("CREATE INDEX claims_by_number ON users (workspace_id, number_digits) WHERE uid_updateable")
    db.execute_sql("DROP INDEX users_without_uid")  # which found no more than the workspace in these does
