"""`PUT delete-users` and what the worker makes of it."""

import pytest

from app import clock
from app.domain.consent import SUBSCRIBED
from app.domain.writes import Place
from app.models.database import db
from app.services import erasures, users, workspaces
from app.services.atomic import clients, customers, deletions
from app.services.atomic.customers import Sent
from app.services.atomic.deletions import MAX_ATTEMPTS
from app.services.segments import sweeps
from tests.factories import fresh


def delete(atomic, *uids, path="delete-users"):
    return atomic.put(path, {"data": list(uids)})


def listed(atomic, query=""):
    return atomic.get(f"deletions{query}").json["data"]["deletions"]


@pytest.fixture
def person(api, atomic, make_list):
    """Somebody with everything that hangs on a user; returns the uid, the account's uid and the list's id."""
    uid, account, member, list_id = fresh(), fresh(), fresh(), make_list("News")
    api.user(account, is_account=True)
    fields = {"first_name": "Ada", "email": f"{uid}@x.co", "number": "+1 555 010 0000", "device_token": f"t-{uid}"}
    api.user(uid, **fields, meta={"city": "Lagos"}, lists=[list_id], accounts=[{"id": account}])
    api.user(member, accounts=[{"id": uid, "role": "boss"}])
    api.post(f"users/{uid}/events", {"event": "Paid"})
    api.put(f"users/{uid}", {"last_name": "L"}, headers={"Idempotency-Key": uid})
    atomic.put("userPreferences", {"data": {uid: {"timezone": "Africa/Lagos"}}})
    return uid, account, member, list_id


def test_the_ids_are_answered_without_an_envelope_unknown_ones_too(atomic, api):
    uid, nobody = api.user()["uid"], fresh()
    response = delete(atomic, uid, nobody, uid)
    assert (response.status_code, response.json) == (200, {"userIds": [uid, nobody, uid]})
    assert len(listed(atomic)) == 1


def test_late_events_about_the_deleted_make_nobody(atomic, api):
    uid = api.user()["uid"]
    delete(atomic, uid)
    while deletions.erase_due():
        pass
    late = api.post(f"users/{uid}/events", {"event": "Paid"})
    assert (late.status_code, late.headers["Rollcall-Outcome"]) == (200, "erased")
    assert api.get(f"users/{uid}").status_code == 404


@pytest.mark.parametrize("path", ["delete-users", "deleteUsers"])
def test_whoever_is_deleted_is_hidden_from_every_read_at_once(atomic, api, person, path):
    uid, account, member, list_id = person
    id = api.get(f"users/{uid}").json["id"]
    assert delete(atomic, uid, path=path).status_code == 200
    assert atomic.get(f"user?id={uid}").status_code == 404
    assert api.get(f"users/{uid}").status_code == api.get(f"users/{uid}/events").status_code == 404
    assert api.get(f"users/%2F{id}").status_code == 404
    for query in (
        "",
        f"&email={uid}@x.co",
        "&number=15550100000",
        f"&lists[]={list_id}",
        "&meta.city=Lagos",
        "&order=desc",
    ):
        assert (
            uid not in repr(api.get(f"users?limit=30{query}").json) and id not in api.get(f"users?limit=30{query}").text
        )
    assert {user["id"] for user in atomic.get("users").json["data"]["users"]} == {account, member}
    assert (
        api.get(f"users/{account}/members").json["data"] == [] and api.get(f"users/{account}").json["member_count"] == 0
    )
    assert api.get(f"users/{member}").json["accounts"] == []
    assert api.get(f"lists/{list_id}").json["subscriber_count"] == 0
    assert api.get(f"lists/{list_id}/subscribers/{uid}").status_code == 404
    again = api.put(f"users/{uid}", {"last_name": "L"}, headers={"Idempotency-Key": uid})
    assert again.json["code"] == "idempotency_reply_erased"


def test_the_same_id_sent_again_is_a_new_customer_whom_the_worker_leaves_alone(atomic, api, person):
    uid = person[0]
    before = api.get(f"users/{uid}").json
    delete(atomic, uid)
    atomic.post("users", {"users": [{"id": uid, "profile": {"region": "new"}}]})
    deletions.erase_due()
    now = api.get(f"users/{uid}").json
    assert now["id"] != before["id"] and (now["meta"], now["email"], now["devices"]) == ({"region": "new"}, None, [])
    assert atomic.customer(uid)["preferences"]["timezone"] is None


def test_the_worker_erases_as_delete_users_does(atomic, api, person, tables):
    uid, other = person[0], api.user(email="other@x.co")["uid"]
    delete(atomic, uid)
    assert f"{uid}@x.co" in repr(tables())
    deletions.erase_due()
    assert uid not in repr(tables())
    assert api.get(f"users/{other}").status_code == 200


def test_whoever_was_merged_into_the_customer_is_in_the_journal_too(atomic, api, workspace):
    source, destination = api.user()["uid"], api.user()["uid"]
    api.post("users/merge", {"source": source, "destination": destination})
    before = len(of_workspace(workspace))
    delete(atomic, destination)
    deletions.erase_due()
    assert len(of_workspace(workspace)) == before + 2


def of_workspace(workspace):
    return [one for one in erasures.known() if one.workspace == workspace]


def test_the_list_tells_when_and_not_whom(atomic, api, person):
    uid, id = person[0], api.get(f"users/{person[0]}").json["id"]
    delete(atomic, uid)
    (pending,) = listed(atomic)
    assert (pending["state"], pending["erased"], pending["attempts"]) == ("pending", None, 0)
    assert pending["requested"] == pending["due"]
    deletions.erase_due()
    (erased,) = listed(atomic)
    assert (erased["id"], erased["state"], erased["attempts"]) == (pending["id"], "erased", 1)
    assert erased["erased"] >= erased["due"]
    assert uid not in repr(erased) and id not in repr(erased)
    assert list(erased) == ["id", "state", "requested", "due", "erased", "attempts"]


def test_the_list_is_paged_newest_first_and_can_be_narrowed(atomic, api):
    for _ in range(3):
        delete(atomic, api.user()["uid"])
    everything = listed(atomic)
    assert [one["id"] for one in everything] == sorted((one["id"] for one in everything), reverse=True)
    page = atomic.get("deletions?limit=2").json["data"]
    rest = atomic.get(f"deletions?limit=2&cursor={page['cursor']}").json["data"]
    assert page["deletions"] + rest["deletions"] == everything and "cursor" not in rest
    assert listed(atomic, "?state=erased") == [] and len(listed(atomic, "?state=pending")) == 3


def test_who_did_it_is_in_the_audit_log_once(atomic, api):
    user = api.user()
    delete(atomic, user["uid"])
    deletions.erase_due()
    (record,) = api.get(f"audit?subject={user['id']}").json["data"]
    assert (record["action"], record["actor"], record["level"]) == (
        "user.deleted", atomic.clients[clients.EVENTS].id, clients.EVENTS,
    )  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"data": "x"}, {"data": [None, {}]}, {"data": ["a/b"]}, {"data": ["x"] * 1001}])
def test_what_is_no_list_of_ids_is_refused_and_deletes_nobody(atomic, refused, tables, body):
    before = tables()
    assert refused(atomic.put("delete-users", body), 400, "invalid_input")["source"]["pointer"].startswith("/data")
    assert tables() == before


def test_a_customer_of_another_environment_is_named_in_the_reply_and_not_touched(atomic, other_api):
    uid = other_api.user()["uid"]
    assert delete(atomic, uid).json == {"userIds": [uid]}
    assert other_api.get(f"users/{uid}").status_code == 200


def test_nobody_is_erased_before_the_delay_is_over(atomic, api, workspace, monkeypatch, count):
    uid = api.user()["uid"]
    deletions.request(workspace, [uid], 60_000, atomic_caller())
    deletions.erase_due()
    assert count("users", workspace) == 1 and api.get(f"users/{uid}").status_code == 404
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 60_001)
    deletions.erase_due()
    assert count("users", workspace) == 0


def atomic_caller():
    return deletions.Caller("test", "events")


def test_an_erasure_that_fails_is_tried_again_later_and_given_up_visibly(atomic, api, workspace, monkeypatch, count):
    uid, other = api.user()["uid"], api.user()["uid"]
    delete(atomic, uid)
    broken, now = erasures.erase, [clock.now()]
    monkeypatch.setattr(erasures, "erase", lambda *args: 1 / 0)
    monkeypatch.setattr(clock, "now", lambda: now[0])
    pauses = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        deletions.erase_due()
        deletions.erase_due()
        assert listed(atomic)[0]["attempts"] == attempt, "the pause is kept"
        next_at = db.execute_sql(f"SELECT next_at FROM deletions WHERE workspace_id = {int(workspace)}").fetchone()[0]
        pauses.append(next_at - now[0])
        now[0] = next_at
    assert pauses == sorted(pauses) and pauses[0] == 10_000 and pauses[-1] == 3_600_000
    deletions.erase_due()
    assert listed(atomic)[0]["state"] == "failed" and count("users", workspace) == 2
    monkeypatch.setattr(erasures, "erase", broken)
    assert deletions.retry(workspace) == 1
    deletions.erase_due()
    assert listed(atomic)[0]["state"] == "erased" and count("users", workspace) == 1
    assert api.get(f"users/{other}").status_code == 200


def test_one_that_fails_keeps_nobody_else(atomic, api, workspace, monkeypatch, count):
    uids = [api.user()["uid"] for _ in range(3)]
    erase, seen = erasures.erase, []
    monkeypatch.setattr(
        erasures,
        "erase",
        lambda owner, *args: erase(owner, *args) if owner != workspace or seen or seen.append(1) else 1 / 0,
    )
    delete(atomic, *uids)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)  # or a machine that stands still for ten seconds tries it again
    deletions.erase_due()
    assert sorted(one["state"] for one in listed(atomic)) == ["erased", "erased", "pending"]


def test_a_worker_that_dies_after_its_claim_leaves_the_job_to_the_next(atomic, api, workspace, monkeypatch, count):
    delete(atomic, api.user()["uid"])
    assert len(deletions._claim(workspace)) == 1  # and dies
    deletions.erase_due()
    assert count("users", workspace) == 1
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 10_001)
    deletions.erase_due()
    assert count("users", workspace) == 0 and listed(atomic)[0]["attempts"] == 2


def test_a_job_that_two_workers_have_is_done_once(atomic, api, workspace):
    delete(atomic, api.user()["uid"])
    (claimed,) = deletions._claim(workspace)
    assert len(deletions._erase(workspace, claimed)) == 1
    assert deletions._erase(workspace, claimed) == []
    assert workspaces.everything()


def test_whoever_is_deleted_is_in_no_segment_and_in_no_list_of_its_changes(atomic, api, workspace):
    segment = api.post("segments", {"name": "Lagos", "rule": {"attribute": "meta.city", "is": "Lagos"}}).json["id"]
    uid, other = api.user(meta={"city": "Lagos"})["uid"], api.user(meta={"city": "Lagos"})["uid"]
    sweeps.sweep(0)
    assert len(api.get(f"segments/{segment}/changes").json["data"]) == 2
    delete(atomic, uid)
    sweeps.sweep(0)
    assert [one["uid"] for one in api.get(f"segments/{segment}/changes").json["data"]] == [other]
    assert api.get(f"segments/{segment}/count").json["count"] == 1
    assert [one["id"] for one in atomic.get(f"users?segmentId={segment}").json["data"]["users"]] == [other]


def test_a_thousand_deletions_take_no_more_statements_than_one(atomic, api, workspace, monkeypatch, make_list, count):
    news, account = make_list("News"), api.user(is_account=True)["uid"]
    uids = [f"c{number}" for number in range(1001)]
    customers.save(workspace, [Sent(uid, {}, {}) for uid in uids])
    for uid in uids[::100]:
        users.update(workspace, uid, {"lists": [Place(news, SUBSCRIBED)], "accounts": [{"id": account}]}, full=True)
    api.put(f"users/{uids[0]}", {"accounts": [{"id": uids[1]}]})
    ran = []
    for name in ("execute_sql", "write_many"):
        run = getattr(db.obj, name)
        monkeypatch.setattr(db.obj, name, lambda *call, run=run: ran.append(call[0]) or run(*call))
    monkeypatch.setattr(db.obj, "run_all", lambda calls: pytest.fail("a statement each"))
    for some in (uids[:1], uids[1:]):
        before = len(ran)
        assert delete(atomic, *some).status_code == 200
        ran.append(len(ran) - before)
    one, many = [number for number in ran if isinstance(number, int)]
    assert many <= one and many < 30, ran
    monkeypatch.undo()
    assert api.get(f"lists/{news}").json["subscriber_count"] == 0
    assert api.get(f"users/{account}").json["member_count"] == 0
    assert 1001 == count("deletions", workspace)
    records = db.execute_sql(f"SELECT count(*) FROM audit WHERE workspace_id = {workspace} AND action = 'user.deleted'")
    assert records.fetchone()[0] == 1001
