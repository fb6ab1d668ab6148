"""Events about an erased uid come late and make nobody of it (engage.md section 4.3)."""

import pytest

from app import clock
from app.domain import names
from app.models.database import db
from app.services import erasures
from tests.factories import fresh

OUTCOME = "Rollcall-Outcome"
EVENT = {"event": "Paid"}
DAY = 86_400_000


@pytest.fixture
def erased(api):
    """A uid that was erased."""
    uid = api.user(first_name="Ada")["uid"]
    api.post(f"users/{uid}/events", EVENT)
    assert api.delete(f"users/{uid}").status_code == 200
    return uid


def is_gone(api, uid):
    return api.get(f"users/{uid}").status_code == 404


@pytest.mark.parametrize("event", [EVENT, EVENT | {"timestamp": "2020-01-01"}, EVENT | {"id": "e-1"}])
def test_a_late_event_is_answered_ok_and_stores_nothing(api, erased, tables, event):
    before = tables()
    for _ in range(2):
        late = api.post(f"users/{erased}/events", event)
        assert (late.status_code, late.json, late.headers[OUTCOME]) == (200, {"status": "ok"}, "erased")
    assert tables() == before and is_gone(api, erased)


def test_the_secret_alone_is_told_what_became_of_an_event(api, erased, archive_user):
    archived, uid, name = api.user()["uid"], fresh(), fresh()
    archive_user(archived)
    api.post(f"users/{uid}/events", EVENT | {"id": name})
    api.post(f"users/{uid}/events", EVENT | {"id": name}, by="public")
    sent = [(erased, EVENT, "erased"), (archived, EVENT, "dropped"), (uid, EVENT | {"id": name}, "duplicate")]
    for of_whom, event, outcome in [*sent, (uid, EVENT, None)]:
        answers = [api.post(f"users/{of_whom}/events", event, by=by) for by in ("secret", "public")]
        assert [one.headers.get(OUTCOME) for one in answers] == [outcome, None]
        assert answers[0].data == answers[1].data == b'{"status":"ok"}'


def test_erased_goes_before_dropped_and_dropped_before_duplicate(api, archive_user):
    uid, name = api.user()["uid"], fresh()
    event = EVENT | {"id": name}
    api.post(f"users/{uid}/events", event)
    for act, outcome in ((lambda: None, "duplicate"), (lambda: archive_user(uid), "dropped"),
                         (lambda: api.delete(f"users/{uid}"), "erased")):  # fmt: skip
        act()
        assert api.post(f"users/{uid}/events", event).headers[OUTCOME] == outcome


def test_the_id_of_an_event_that_was_not_stored_is_free(api, archive_user):
    uid, event = api.user()["uid"], EVENT | {"id": fresh()}
    archive_user(uid)
    assert api.post(f"users/{uid}/events", event).headers[OUTCOME] == "dropped"
    api.call("PATCH", f"users/{uid}", {"archived": False})
    assert OUTCOME not in api.post(f"users/{uid}/events", event).headers
    assert len(api.get(f"users/{uid}/events").json["data"]) == 1


def test_the_user_of_a_duplicate_exists_afterwards(api):
    """Case event-id-of-another-user."""
    name, uid = fresh(), fresh()
    api.post(f"users/{fresh()}/events", EVENT | {"id": name})
    assert api.post(f"users/{uid}/events", EVENT | {"id": name}).headers[OUTCOME] == "duplicate"
    assert api.get(f"users/{uid}").json["last_interaction"] is None


def test_the_outcome_is_kept_with_an_idempotent_reply(api, erased):
    key = {"Idempotency-Key": fresh()}
    answers = [api.post(f"users/{erased}/events", EVENT, headers=key) for _ in range(2)]
    assert [one.headers[OUTCOME] for one in answers] == ["erased", "erased"]
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def remakes(api, uid):
    return [
        lambda: api.post("users", {"id": uid}),
        lambda: api.put(f"users/{uid}", {}),
        lambda: api.call("PATCH", f"users/{uid}", {"first_name": "Ada"}),
        lambda: api.post("batch", {"data": [{"type": "update", "id": uid, "first_name": "Ada"}]}),
    ]


@pytest.mark.parametrize("way", range(4))
def test_whoever_makes_the_uid_anew_has_events_again(api, erased, way):
    assert remakes(api, erased)[way]().status_code == 200
    assert OUTCOME not in api.post(f"users/{erased}/events", EVENT).headers
    assert len(api.get(f"users/{erased}/events").json["data"]) == 1


def test_a_uid_that_was_made_anew_and_merged_away_is_free_again(api, erased):
    for destination in (fresh(), api.user()["uid"]):
        api.user(erased)
        assert api.post("users/merge", {"source": erased, "destination": destination}).status_code == 200
        assert OUTCOME not in api.post(f"users/{erased}/events", EVENT).headers
        api.delete(f"users/{erased}")
        assert api.post(f"users/{erased}/events", EVENT).headers[OUTCOME] == "erased"


def test_30_days_later_the_uid_is_as_any_other(api, erased, workspace, monkeypatch, count):
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 30 * DAY - 60_000)
    assert api.post(f"users/{erased}/events", EVENT).headers[OUTCOME] == "erased"
    monkeypatch.setattr(clock, "now", lambda: now + 30 * DAY + 60_000)
    assert OUTCOME not in api.post(f"users/{erased}/events", EVENT).headers
    erasures.forget_uids()
    assert count("erased_uids", workspace) == 0


def test_another_workspace_may_have_that_uid(api, other_api, erased):
    assert OUTCOME not in other_api.post(f"users/{erased}/events", EVENT).headers


def batch_of(*items):
    return {"data": [{"event": "Paid", **one} if one["type"] == "event" else one for one in items]}


def test_late_events_of_a_batch_are_not_stored(api, erased, tables):
    other, before = fresh(), tables()
    assert api.post("batch", batch_of({"type": "event", "id": erased})).json["errors"] == []
    assert tables() == before
    mixed = batch_of({"type": "event", "id": erased}, {"type": "update", "id": other, "first_name": "Ben"})
    assert api.post("batch", mixed).json.get("errors") == []
    assert is_gone(api, erased) and api.get(f"users/{other}").status_code == 200


def test_in_a_batch_the_order_of_an_event_and_a_new_user_counts(api, erased):
    event, update = {"type": "event", "id": erased}, {"type": "update", "id": erased, "first_name": "Ben"}
    assert api.post("batch", batch_of(event, update, event, event)).json["errors"] == []
    assert len(api.get(f"users/{erased}/events").json["data"]) == 2


def test_what_is_kept_of_the_uid_is_a_keyed_hash(api, erased, workspace):
    key = db.execute_sql(f"SELECT signing_key FROM workspaces WHERE id = {workspace}").fetchone()[0]
    rows = db.execute_sql(f"SELECT * FROM erased_uids WHERE workspace_id = {workspace}").fetchall()
    assert erased not in repr(rows) and [one[1] for one in rows] == [names.hash_of_uid(key, erased)]
