"""Events of an import that were not stored, counted apart from those that were."""


def up(migrator, db):
    for name in ("duplicate", "dropped"):
        db.execute_sql(f"ALTER TABLE imports ADD COLUMN {name} BIGINT NOT NULL DEFAULT 0")
