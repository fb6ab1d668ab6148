"""Users without a uid of their own by email and number: found in time that does not grow with those who share them."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX claims_by_email ON users (workspace_id, email_key) WHERE uid_updateable")
    db.execute_sql("CREATE INDEX claims_by_number ON users (workspace_id, number_digits) WHERE uid_updateable")
    db.execute_sql("DROP INDEX users_without_uid")  # what it was asked for, the first column of these finds
