"""Names that callers give, event ids and Idempotency-Keys, are apart for the public key alone and for the secret."""

import hashlib

from app.models.database import db
from tests.factories import fresh


def keyed(key):
    return {"headers": {"Idempotency-Key": key}}


def test_an_event_id_of_a_stranger_does_not_use_up_that_of_a_server(api):
    uid, name = fresh(), fresh()
    for by in ("public", "secret", "public", "secret"):
        assert api.post(f"users/{uid}/events", {"event": by, "id": name}, by=by).json == {"status": "ok"}
    assert sorted(one["event"] for one in api.get(f"users/{uid}/events").json["data"]) == ["public", "secret"]


def test_an_idempotency_key_of_a_stranger_does_not_keep_a_server_from_its_own(api):
    uid, other, key = fresh(), fresh(), fresh()
    assert api.put(f"users/{other}", {"first_name": "Eve"}, by="public", **keyed(key)).status_code == 200
    made = api.post("users", {"id": uid}, **keyed(key))
    assert made.status_code == 200 and "Idempotent-Replayed" not in made.headers
    for path, body, by in ((f"users/{other}", {"first_name": "Eve"}, "public"), (f"users/{uid}", {}, "public")):
        again = api.put(path, body, by=by, **keyed(key))
        assert again.status_code == (200 if body else 409)  # a stranger meets what strangers did alone
    assert api.post("users", {"id": uid}, **keyed(key)).headers["Idempotent-Replayed"] == "true"


def test_a_stranger_does_not_learn_which_keys_a_server_uses(api):
    uid, used, unused = fresh(), fresh(), fresh()
    api.post("users", {"id": uid}, **keyed(used))
    answers = [api.put(f"users/{uid}", {"first_name": "x"}, by="public", **keyed(key)) for key in (used, unused)]
    assert [one.status_code for one in answers] == [200, 200] and answers[0].data == answers[1].data
    assert not any("Idempotent-Replayed" in one.headers for one in answers)


def test_what_was_stored_before_the_levels_were_apart_is_the_secrets(api, workspace):
    """engage.md section 4.3: SHA-256(name) for the secret, SHA-256(0x00, name) for the public key alone."""
    uid, name = fresh(), fresh()
    for by in ("secret", "public"):
        api.post(f"users/{uid}/events", {"event": "e", "id": name}, by=by)
        api.put(f"users/{uid}", {"first_name": by}, by=by, **keyed(name))
    wanted = {hashlib.sha256(mark + name.encode()).hexdigest() for mark in (b"", b"\0")}
    for table, column in (("event_ids", "id_hash"), ("replies", "key_hash")):
        rows = db.execute_sql(f"SELECT {column} FROM {table} WHERE workspace_id = {workspace}").fetchall()
        assert {value for (value,) in rows} == wanted
