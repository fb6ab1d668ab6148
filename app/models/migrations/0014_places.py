"""Who lives on in whom, for links in mails that were made before a merge; and who is on a list in which state."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX merged_users_of_merged ON merged_users (workspace_id, merged_id)")
    db.execute_sql("CREATE INDEX subscriptions_by_status ON subscriptions (workspace_id, list_id, status, user_id)")
