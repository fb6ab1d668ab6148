"""Uids that were erased a while ago: an event that comes late makes nobody of them (engage.md section 4.3).

On Postgres two functions: the one tells whether a uid was erased, the other ends a statement that began before the
erasure and has just made that uid anew. Its SQLSTATE asks for the statement again, which then sees the erasure. Both
are volatile, so that they see what was committed since their statement began.
"""


def up(migrator, db):
    d = db.dialect
    for statement in [*_tables(d), *(_postgres_functions() if d.name == "postgres" else ())]:
        db.execute_sql(statement)


def _tables(d):
    return [
        f"""CREATE TABLE erased_uids (
            workspace_id BIGINT NOT NULL,
            uid_hash {d.text_key} NOT NULL,
            expires_at BIGINT NOT NULL,
            PRIMARY KEY (workspace_id, uid_hash)){d.table_end}""",
        # What became of an event, as its reply tells in a header.
        "ALTER TABLE replies ADD COLUMN outcome TEXT",
    ]


def _postgres_functions():
    return [
        # HMAC-SHA256 (RFC 2104): what pgcrypto would bring, which is not everywhere.
        """CREATE FUNCTION rollcall_hmac(key bytea, said bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
            DECLARE
                block bytea := CASE WHEN length(key) > 64 THEN sha256(key) ELSE key END;
                inner_pad bytea := decode(repeat('36', 64), 'hex');
                outer_pad bytea := decode(repeat('5c', 64), 'hex');
            BEGIN
                FOR place IN 0 .. length(block) - 1 LOOP
                    inner_pad := set_byte(inner_pad, place, get_byte(block, place) # 54);
                    outer_pad := set_byte(outer_pad, place, get_byte(block, place) # 92);
                END LOOP;
                RETURN sha256(outer_pad || sha256(inner_pad || said));
            END$$""",
        """CREATE FUNCTION rollcall_is_erased(workspace bigint, uid text, now bigint) RETURNS boolean
            LANGUAGE plpgsql VOLATILE AS $$
            BEGIN
                IF NOT EXISTS (SELECT FROM erased_uids WHERE workspace_id = workspace) THEN
                    RETURN FALSE;
                END IF;
                RETURN EXISTS (SELECT FROM erased_uids
                    WHERE workspace_id = workspace AND expires_at > now AND uid_hash = encode(rollcall_hmac(
                        (SELECT convert_to(signing_key, 'UTF8') FROM workspaces WHERE id = workspace),
                        convert_to('rollcall erased uid' || chr(10) || uid, 'UTF8')), 'hex'));
            END$$""",
        """CREATE FUNCTION rollcall_refuse_erased(workspace bigint, uid text, now bigint) RETURNS boolean
            LANGUAGE plpgsql VOLATILE AS $$
            BEGIN
                IF rollcall_is_erased(workspace, uid, now) THEN
                    RAISE EXCEPTION 'the uid was erased meanwhile' USING ERRCODE = 'serialization_failure';
                END IF;
                RETURN TRUE;
            END$$""",
    ]
