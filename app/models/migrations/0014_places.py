"""Indexes: the survivor of a merged user, for links in mails; the places on a list by their status."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX merged_users_of_merged ON merged_users (workspace_id, merged_id)")
    db.execute_sql("CREATE INDEX subscriptions_by_status ON subscriptions (workspace_id, list_id, status, user_id)")
