"""GET /v1/audit, and what is recorded when (docs/audit.md)."""

import json
import re

import peewee
import pytest

from app import clock, errors
from app.domain.actions import Action
from app.models import audit as store
from app.models.database import db, transaction
from app.services import audit, keys, lists, users, workspaces
from app.services.atomic import clients, fields, sdk_keys
from app.services.atomic.fields import FieldRow
from tests.factories import fresh
from tests.issuers import RSA_KEY, pem


def records(api, query=""):
    return api.get(f"audit?limit=100{query}").json["data"]


def told(api):
    """(action, subject, other) of every record, oldest first."""
    return [(one["action"], one["subject"], one["other"]) for one in reversed(records(api))]


@pytest.fixture
def deleted(api):
    """The internal ids of seven users who were deleted, oldest first."""
    made = [api.user() for _ in range(7)]
    for user in made:
        api.delete(f"users/{user['uid']}")
    return [user["id"] for user in made]


def test_a_deletion_is_recorded_with_who_what_whom_and_when(api):
    user, before = api.user(), clock.now()
    api.delete(f"users/{user['uid']}", headers={"X-Request-Id": "delete.1"})
    [record] = records(api)
    assert record == {
        "id": record["id"], "action": "user.deleted", "actor": api.keys.public_key, "level": "secret",
        "subject": user["id"], "other": None, "at": record["at"], "request_id": "delete.1",
    }  # fmt: skip
    [row] = audit.page(_workspace(api), 10).rows
    assert before <= row.at <= clock.now() and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}\+00:00", record["at"])


def test_a_merge_names_both_also_where_the_public_key_asked_for_it(api):
    source, destination = api.user(), api.user()
    merged = api.post("users/merge", {"source": source["uid"], "destination": destination["uid"]}, by="public")
    assert merged.status_code == 200
    [record] = records(api)
    assert (record["action"], record["subject"], record["other"]) == ("user.merged", source["id"], destination["id"])
    assert (record["actor"], record["level"]) == (api.keys.public_key, "public")


def test_a_merge_into_nobody_says_that_the_user_lives_on(api):
    user, uid = api.user(), fresh()
    api.post("users/merge", {"source": user["uid"], "destination": uid})
    assert api.get(f"users/{uid}").json["id"] == user["id"]
    assert told(api) == [("user.merged", user["id"], user["id"])]


def test_keys_and_origins_are_recorded(api, workspace):
    first = api.keys.public_key
    second = keys.rotate(workspace, 1, audit.SHELL).public
    for _ in range(2):
        keys.allow_origin(first, "https://a.example", audit.SHELL)
    keys.forbid_origin(first, "https://a.example", audit.SHELL)
    keys.revoke(second, audit.SHELL)
    assert told(api) == [
        ("key.rotated", second, None),
        ("key.origin_added", first, "https://a.example"),
        ("key.origin_removed", first, "https://a.example"),
        ("key.revoked", second, None),
    ]
    assert {(one["actor"], one["level"], one["request_id"]) for one in records(api)} == {("cli", "shell", None)}


def test_lists_are_recorded(api):
    made = api.post("lists", {"title": "News"}).json["id"]
    for _ in range(2):
        api.put(f"lists/{made}", {})
        api.delete(f"lists/{made}")
    api.put(f"lists/{made}", {"title": "Olds"})
    assert told(api) == [("list.created", made, None), ("list.archived", made, None), ("list.changed", made, None)]


def test_every_action_is_recorded_by_something(api, workspace):
    one, two, made = api.user()["uid"], api.user()["uid"], api.post("lists", {"title": "t"}).json["id"]
    api.post("users/merge", {"source": one, "destination": two}), api.delete(f"users/{two}")
    api.put(f"lists/{made}", {"title": "u"}), api.delete(f"lists/{made}")
    pair = keys.rotate(workspace, 1, audit.SHELL)
    keys.allow_origin(pair.public, "*", audit.SHELL), keys.forbid_origin(pair.public, "*", audit.SHELL)
    keys.revoke(pair.public, audit.SHELL)
    segment = api.post("segments", {"name": "s", "rule": {"attribute": "email", "exists": True}}).json["id"]
    api.put(f"segments/{segment}", {"name": "t"}), api.delete(f"segments/{segment}")
    clients.revoke(workspace, clients.create(workspace, "events", audit.SHELL).id, audit.SHELL)
    fields.define(workspace, [FieldRow("plan", "Plan", "text")], audit.SHELL)
    key = sdk_keys.create(workspace, {"name": "web", "public_key": pem(RSA_KEY)}, audit.SHELL).id
    sdk_keys.update(workspace, key, {"name": "app"}, audit.SHELL), sdk_keys.delete(workspace, key, audit.SHELL)
    assert {action for action, _, _ in told(api)} == set(Action)


def test_what_changed_nothing_leaves_no_record(api, tables):
    uid, known = api.user()["uid"], api.user(email="a@example.com")["uid"]
    before = tables()
    assert api.delete(f"users/{fresh()}").status_code == 404
    assert (
        api.delete(f"lists/{'f' * 24}").status_code == api.put(f"lists/{'f' * 24}", {"title": "t"}).status_code == 404
    )
    assert api.post("users/merge", {"source": fresh(), "destination": uid}).status_code == 200
    assert api.post("users/merge", {"source": known, "destination": uid}, by="public").status_code == 403
    for call in (keys.revoke, lambda *args: keys.allow_origin("pk_nobody", "*", *args[1:])):
        with pytest.raises(errors.NotFound):
            call("pk_nobody", audit.SHELL)
    assert tables() == before and records(api) == []


def test_a_retry_is_recorded_once(api):
    source, destination = api.user()["uid"], api.user()["uid"]
    for _ in range(2):
        api.post(
            "users/merge", {"source": source, "destination": destination}, headers={"Idempotency-Key": "merge-once"}
        )
    assert len(records(api)) == 1


def test_the_record_and_what_it_tells_are_undone_together(api, workspace, tables, monkeypatch):
    uid = api.user()["uid"]
    before = tables()

    @transaction
    def fail_later():
        users.delete(workspace, uid, audit.SHELL)
        lists.create(workspace, {"title": "t"}, audit.SHELL)
        raise errors.Conflict()

    with pytest.raises(errors.Conflict):
        fail_later()
    assert tables() == before
    monkeypatch.setattr(store, "add", _fail)  # a record that cannot be written: what it tells must not be either
    assert api.delete(f"users/{uid}").status_code == api.post("lists", {"title": "t"}).status_code == 503
    monkeypatch.undo()
    assert tables() == before and api.get(f"users/{uid}").status_code == 200


def test_pages_are_walked_both_ways_newest_first(api, deleted):
    seen, path, pages = [], "audit?limit=3", []
    while path:
        response = api.get(path)
        pages.append(response.json)
        seen += [one["subject"] for one in response.json["data"]]
        path = response.headers["Link"].partition(">")[0][1:] if "Link" in response.headers else None
    assert seen == deleted[::-1] and [len(page["data"]) for page in pages] == [3, 3, 1]
    for page, before in zip(pages[:0:-1], pages[-2::-1], strict=True):
        assert api.get(f"audit?limit=3&previous_cursor={page['previous_cursor']}").json == before
    assert "previous_cursor" not in pages[0] and "next_cursor" not in pages[-1]


def test_it_is_narrowed_down_by_action_subject_and_time(api, deleted, workspace):
    made = api.post("lists", {"title": "t"}).json["id"]
    assert [one["subject"] for one in records(api, "&action=list.created")] == [made]
    assert [one["action"] for one in records(api, f"&subject={deleted[2]}")] == ["user.deleted"]
    assert records(api, f"&subject={deleted[2]}&action=list.created") == []
    rows = audit.page(workspace, 100).rows
    moment = rows[3].at
    assert [one["id"] for one in records(api, f"&since={moment}")] == [row.id for row in rows if row.at >= moment]
    assert [one["id"] for one in records(api, f"&until={moment}")] == [row.id for row in rows if row.at < moment]
    assert records(api, "&until=1950-01-01") == [] and len(records(api, "&since=1950-01-01")) == 8


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ("acton=user.deleted", "acton", "Did you mean action?"), ("action=user.eaten", "action", "Must be one of"),
        ("limit=101", "limit", "1 to 100"), ("limit=0", "limit", "1 to 100"), ("next_cursor=x", "next_cursor", "cursor"),
        ("subject=a%20b", "subject", "internal id"), ("since=soon", "since", "date"), ("after_id=" + "0" * 24, "after_id", ""),
        (f"next_cursor={'0' * 24}&previous_cursor={'0' * 24}", "previous_cursor", "together"),
    ],
)  # fmt: skip
def test_bad_parameters_are_refused_and_named(api, query, field, says):
    refused = api.get(f"audit?{query}")
    assert (refused.status_code, list(refused.json["details"])) == (400, [field])
    assert says in refused.json["error"]


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("public", 403), ("Basic cGs6c2s=", 401)])
def test_it_takes_the_secret_to_read_it(api, deleted, by, status):
    refused = api.get("audit", by=by)
    assert refused.status_code == status and not any(id in refused.text for id in deleted)


def test_another_workspace_sees_nothing_of_it(api, other_api, deleted):
    for query in ("", f"?subject={deleted[0]}", "?action=user.deleted", f"?previous_cursor={'0' * 24}"):
        assert other_api.get(f"audit{query}").json == {"data": []}


def test_nobody_is_named_in_it(api, tables):
    marked = {
        "first_name": "MARKER-1", "last_name": "MARKER-2", "email": "MARKER-3@example.com", "number": "+15550004711",
        "meta": {"MARKER-4": "MARKER-5"}, "device_token": "MARKER-6" + fresh(), "tz": "MARKER-7", "app_version": "MARKER-8",
    }  # fmt: skip
    for uid in ("MARKER-9", "MARKER-10"):
        api.user(uid, **{**marked, "device_token": fresh() + "MARKER-6"})
        api.post(f"users/{uid}/events", {"event": "MARKER-11", "value": "MARKER-12", "properties": {"MARKER-13": 1}})
    made = api.post("lists", {"title": "MARKER-14", "description": "MARKER-15"}).json["id"]
    api.put(f"lists/{made}", {"title": "MARKER-16"})
    api.post("users/merge", {"source": "MARKER-9", "destination": "MARKER-10"})
    assert json.dumps(tables()).count("MARKER") > 10
    api.delete("users/MARKER-10")
    stored = json.dumps(tables()["audit"])
    assert len(records(api)) == 4 and "MARKER" not in stored and "50004711" not in stored


_AGAIN = "INTO audit SELECT workspace_id, id, action, 'nobody', level, subject, other, at, request_id FROM audit"
_TRIES = {
    "sqlite": [f"REPLACE {_AGAIN}", f"INSERT OR REPLACE {_AGAIN}", f"INSERT OR IGNORE {_AGAIN}"],
    "postgres": ["TRUNCATE audit"],
}


def test_the_database_itself_changes_and_removes_no_record(deleted, tables, engine):
    before = tables()["audit"]
    assert len(before) >= len(deleted)
    for statement in ("UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", *_TRIES[engine]):
        with pytest.raises(peewee.IntegrityError, match="audit is append-only"), db.atomic():
            db.execute_sql(statement)
        assert tables()["audit"] == before


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "PRIMARY KEY"), ({"since": 0, "until": 1}, "PRIMARY KEY"), ({"action": "user.deleted"}, "audit_by_action"),
        ({"subject": "x"}, "audit_by_subject"), ({"subject": "x", "since": 0, "until": 1}, "audit_by_subject"),
        ({"subject": "x", "action": "user.deleted"}, "audit_by_subject"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_page_is_a_range_of_an_index_and_is_never_sorted(plans, filters, index):
    audit.page(1, 10, after="f" * 24, **filters)
    [plan] = plans
    searches = [line for line in plan if "SEARCH" in line]
    assert len(searches) == 2 and all(index in line and ("id<" in line or "id>" in line) for line in searches), plan
    assert not any("TEMP B-TREE" in line or "SCAN audit" in line for line in plan), plan


def _fail(*args):
    raise errors.StorageUnavailable()


def _workspace(api):
    return workspaces.find(api.keys.workspace)
