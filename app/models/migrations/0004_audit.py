"""The audit log. Triggers hold it to being added to alone, against a statement of ours that is wrong.

Each index ends with the id, so that a page at any depth is a range of one of them: the primary key for the whole log
and for a span of time, and one for each filter that may leave few rows out of many.
"""


def up(migrator, db):
    d = db.dialect
    for statement in [*_table(d), *(_sqlite_triggers() if d.name == "sqlite" else _postgres_triggers())]:
        db.execute_sql(statement)


def _table(d):
    return [
        f"""CREATE TABLE audit (
            workspace_id BIGINT NOT NULL,
            id {d.text_key} NOT NULL,
            action {d.text_key} NOT NULL,
            actor TEXT NOT NULL,
            level TEXT NOT NULL,
            subject {d.text_key} NOT NULL,
            other TEXT,
            at BIGINT NOT NULL,
            request_id TEXT,
            PRIMARY KEY (workspace_id, id)){d.table_end}""",
        "CREATE INDEX audit_by_action ON audit (workspace_id, action, id)",
        "CREATE INDEX audit_by_subject ON audit (workspace_id, subject, id)",
    ]


def _sqlite_triggers():
    refuse = "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
    return [
        f"CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit {refuse}",
        f"CREATE TRIGGER audit_keeps_values BEFORE UPDATE ON audit {refuse}",
        # INSERT OR REPLACE deletes without asking the trigger on DELETE.
        f"""CREATE TRIGGER audit_replaces_nothing BEFORE INSERT ON audit
            WHEN EXISTS (SELECT 1 FROM audit WHERE workspace_id = NEW.workspace_id AND id = NEW.id) {refuse}""",
    ]


def _postgres_triggers():
    return [
        """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN RAISE EXCEPTION 'audit is append-only' USING ERRCODE = 'restrict_violation'; END$$""",
        """CREATE TRIGGER audit_keeps_rows BEFORE UPDATE OR DELETE ON audit
            FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_keeps_all BEFORE TRUNCATE ON audit
            FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    ]
