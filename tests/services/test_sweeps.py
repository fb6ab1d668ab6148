"""The sweeps of segments: who entered, who left, and that it is found whoever wrote it."""

import pytest

from app import clock
from app.services.segments import sweeps

DAY = 86_400_000
PRO = {"attribute": "meta.plan", "is": "pro"}


@pytest.fixture(autouse=True)
def forget(app):
    """No sweep is under way."""
    sweeps._walks.clear()


@pytest.fixture
def make(api):
    """Make a segment of a rule and return its id."""
    return lambda rule: api.post("segments", {"name": "x", "rule": rule}).json["id"]


def sweep(interval=3600):
    """Sweep until nothing is due."""
    while sweeps.sweep(interval):
        pass


def changes(api, segment):
    """(uid, change) of all changes, page by page."""
    found, cursor = [], ""
    while True:
        page = api.get(f"segments/{segment}/changes?limit=2{cursor}").json
        found += [(one["uid"], one["change"]) for one in page["data"]]
        if "next_cursor" not in page:
            return found
        cursor = f"&next_cursor={page['next_cursor']}"


def test_whoever_is_in_a_new_segment_enters_it_once(api, make):
    one, two = (api.user(meta={"plan": plan})["uid"] for plan in ("pro", "free"))
    segment = make(PRO)
    sweep()
    sweeps.sweep(0)
    assert changes(api, segment) == [(one, "entered")]
    shown = api.get(f"segments/{segment}/changes").json["data"][0]
    assert list(shown) == ["id", "uid", "change", "at"] and shown["at"][:2] == "20"
    api.put(f"users/{two}", {"meta": {"plan": "pro"}})
    api.put(f"users/{one}", {"meta": {"plan": "free"}})
    sweep()
    assert sorted(changes(api, segment)[1:]) == sorted([(two, "entered"), (one, "left")])


def test_a_change_of_the_rule_is_found_at_once(api, make):
    one, two = (api.user(meta={"plan": plan})["uid"] for plan in ("pro", "free"))
    segment = make(PRO)
    sweep()
    api.put(f"segments/{segment}", {"rule": {"not": PRO}})
    sweep()
    assert changes(api, segment) == [(one, "entered"), (two, "entered"), (one, "left")]


def test_the_last_change_seen_is_the_cursor_to_go_on_from(api, make):
    segment, uid = make(PRO), api.user(meta={"plan": "pro"})["uid"]
    sweep()
    last = api.get(f"segments/{segment}/changes").json["data"][-1]["id"]
    assert api.get(f"segments/{segment}/changes?next_cursor={last}").json["data"] == []
    api.put(f"users/{uid}", {"meta": {"plan": "free"}})
    sweep()
    page = api.get(f"segments/{segment}/changes?next_cursor={last}").json
    assert [one["change"] for one in page["data"]] == ["left"]


def test_who_leaves_by_the_clock_alone_is_found(api, make, monkeypatch):
    uid = api.user()["uid"]
    api.post(f"users/{uid}/events", {"event": "Paid"})
    segment = make({"event": "Paid", "count": {"gte": 1}, "within": {"days": 30}})
    sweep()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 31 * DAY)
    assert api.get(f"users/{uid}").json["segments"] == []
    sweep(interval=60)
    assert changes(api, segment) == [(uid, "entered"), (uid, "left")]


WRITES = {
    "update": ({"attribute": "first_name", "is": "Ada"}, lambda api, uid, list_id, account: api.put(f"users/{uid}", {"first_name": "Ada"})),
    "create": ({"attribute": "first_name", "is": "Ada"}, lambda api, uid, list_id, account: api.post("users", {"id": uid, "first_name": "Ada"})),
    "patch": ({"attribute": "meta.b", "missing": True}, lambda api, uid, list_id, account: api.call("PATCH", f"users/{uid}", {"meta": {"b": None}})),
    "attribute": ({"attribute": "meta.b", "missing": True}, lambda api, uid, list_id, account: api.delete(f"users/{uid}/attributes/b")),
    "event": ({"event": "Paid"}, lambda api, uid, list_id, account: api.post(f"users/{uid}/events", {"event": "Paid"})),
    "event with an id": ({"event": "Paid"}, lambda api, uid, list_id, account: api.post(f"users/{uid}/events", {"event": "Paid", "id": "once"})),
    "event of the public key": ({"event": "Paid"}, lambda api, uid, list_id, account: api.post(f"users/{uid}/events", {"event": "Paid"}, by="public")),
    "batch": ({"attribute": "first_name", "is": "Ada"}, lambda api, uid, list_id, account: api.post("batch", {"data": [{"type": "update", "id": uid, "first_name": "Ada"}]})),
    "batch of events": ({"event": "Paid"}, lambda api, uid, list_id, account: api.post("batch", {"data": [{"type": "event", "id": uid, "event": "Paid"}]})),
    "lists": ({"any": [{"list": "LIST", "subscribed": True}]}, lambda api, uid, list_id, account: api.post(f"users/{uid}/lists", {"lists": [list_id]})),
    "subscriber": ({"list": "LIST"}, lambda api, uid, list_id, account: api.put(f"lists/{list_id}/subscribers/{uid}", {"subscribed": False})),
    "accounts": ({"account": "ACCOUNT"}, lambda api, uid, list_id, account: api.post(f"users/{uid}/accounts", {"accounts": [{"id": account}]})),
    "role": ({"account": "ACCOUNT", "role": "owner"}, lambda api, uid, list_id, account: (
        api.post(f"users/{uid}/accounts", {"accounts": [{"id": account}]}), sweep(), api.put(f"users/{uid}/accounts/{account}", {"role": "owner"}))),
    "convert": ({"is_account": True}, lambda api, uid, list_id, account: api.post(f"users/{uid}/convert", {"type": "account"})),
    "device": ({"device": "ios"}, lambda api, uid, list_id, account: api.put(f"users/{uid}", {"device_token": "t", "device_platform": "ios"})),
    "token": ({"not": {"device": "android"}}, lambda api, uid, list_id, account: api.delete(f"users/{uid}/tokens/old{uid}")),
    "archive": ({"attribute": "archived", "is": True}, lambda api, uid, list_id, account: api.post(f"users/{uid}/archive")),
    "merge": ({"event": "Source"}, lambda api, uid, list_id, account: api.post("users/merge", {"source": f"{uid}source", "destination": uid})),
}  # fmt: skip


@pytest.mark.parametrize("write", WRITES)
def test_whoever_was_written_is_looked_at_at_the_next_tick(api, make, make_list, workspace, count, write):
    rule, act = WRITES[write]
    list_id, account = make_list("News"), api.user(is_account=True)["uid"]
    uid = api.user(meta={"b": 1}, device_token=f"old{account}", device_platform="android")["uid"]
    api.put(f"users/{uid}", {"device_token": f"old{uid}", "device_platform": "android"})
    api.delete(f"users/{uid}/tokens/old{account}")
    api.post(f"users/{uid}source/events", {"event": "Source"})
    text = str(rule).replace("LIST", list_id).replace("ACCOUNT", account)
    segment = make(eval(text))
    sweep()
    before = [one for one in changes(api, segment) if one[0] == uid]
    answer = act(api, uid, list_id, account)
    assert (answer[-1] if isinstance(answer, tuple) else answer).status_code == 200
    assert count("segment_queue", workspace) >= 1
    sweep()
    assert [one for one in changes(api, segment) if one[0] == uid][len(before) :] == [(uid, "entered")]
    assert count("segment_queue", workspace) == 0


def test_a_workspace_without_segments_marks_nobody(api, workspace, count):
    uid = api.user(device_token="t")["uid"]
    api.post(f"users/{uid}/events", {"event": "x"})
    api.post("batch", {"data": [{"type": "event", "id": uid, "event": "x"}]})
    assert count("segment_queue", workspace) == 0
    sweeps.sweep(0)
    assert count("segment_members", workspace) == 0


def test_many_who_are_written_at_once_are_all_looked_at(api, make, workspace, count):
    data = [{"type": "update", "id": f"u{n}", "meta": {"plan": "pro"}} for n in range(150)]
    api.post("batch", {"data": data})
    assert count("segment_queue", workspace) == 0  # there is no segment
    segment = make(PRO)
    sweep()
    api.post("batch", {"data": [{**one, "meta": {"plan": "free"}} for one in data]})
    assert count("segment_queue", workspace) == 150
    sweep()
    assert sorted(changes(api, segment)[150:]) == sorted((one["id"], "left") for one in data)


def test_a_deleted_user_leaves_no_trace_and_a_deleted_segment_none_either(api, make, workspace, count):
    segment, other = make(PRO), make({"all": []})
    one, two = (api.user(meta={"plan": "pro"})["uid"] for _ in "12")
    sweep()
    assert (count("segment_members", workspace), count("segment_changes", workspace)) == (4, 4)
    api.put(f"users/{one}", {"meta": {"plan": "free"}})
    api.delete(f"users/{one}")
    assert (count("segment_members", workspace), count("segment_changes", workspace)) == (2, 2)
    assert count("segment_queue", workspace) == 0
    api.delete(f"segments/{segment}")
    assert (count("segment_members", workspace), count("segment_changes", workspace)) == (1, 1)
    sweep()
    assert changes(api, other) == [(two, "entered")]


def test_a_merge_hands_over_what_is_known(api, make):
    segment = make(PRO)
    source, destination = api.user(meta={"plan": "pro"})["uid"], api.user()["uid"]
    sweep()
    api.post("users/merge", {"source": source, "destination": destination})
    sweep()
    assert changes(api, segment) == [(destination, "entered")]


def test_changes_are_kept_ninety_days(api, make, monkeypatch):
    segment = make(PRO)
    api.user(meta={"plan": "pro"})
    sweep()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 400 * DAY)
    sweep(interval=60)
    assert changes(api, segment) == []


def test_a_sweep_goes_on_where_its_second_ended(api, make, monkeypatch):
    segment = make({"all": []})
    uids = [api.user()["uid"] for _ in range(5)]
    sweeps.sweep(3600)
    monkeypatch.setattr(sweeps, "_PORTION", 2)
    monkeypatch.setattr(sweeps, "_SLICE", 0.0)
    api.put(f"segments/{segment}", {"rule": {"any": []}})
    monkeypatch.setattr(sweeps, "_SLICE", 0.000001)
    for _ in range(100):
        sweeps.sweep(3600)
    monkeypatch.setattr(sweeps, "_SLICE", 1.0)
    sweep()
    assert sorted(changes(api, segment)) == sorted((uid, change) for uid in uids for change in ("entered", "left"))


def test_the_changes_of_a_segment_that_is_not_there_or_not_theirs_are_not_found(api, other_api, make):
    segment = make(PRO)
    assert api.get(f"segments/{'f' * 24}/changes").json["code"] == "segment_not_found"
    assert other_api.get(f"segments/{segment}/changes").status_code == 404
    assert api.get(f"segments/{segment}/changes", by="public").status_code == 403
    assert api.get(f"segments/{segment}/changes?limit=0").status_code == 400
