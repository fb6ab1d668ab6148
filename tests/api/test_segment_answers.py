"""What can be asked of a segment: how many, why, and of a rule that is not stored (docs/segments.md)."""

import pytest

from app.domain.rules import EVERYBODY
from app.models.segments import counting
from app.models.stores import PostgresStore
from tests.factories import fresh

PRO = {"attribute": "meta.plan", "is": "pro"}


@pytest.fixture
def segment(api):
    """The id of a segment of those with the plan pro."""
    return api.post("segments", {"name": "Pros", "rule": PRO}).json["id"]


@pytest.fixture
def people(api):
    """Five users, three of them with the plan pro."""
    return [api.user(meta={"plan": plan})["uid"] for plan in ("pro", "free", "pro", "free", "pro")]


def test_a_segment_is_counted_as_it_is_now(api, segment, people):
    assert api.get(f"segments/{segment}/count").json == {"count": 3, "exact": True}
    api.put(f"users/{people[0]}", {"meta": {"plan": "free"}})
    assert api.get(f"segments/{segment}/count").json == {"count": 2, "exact": True}
    assert api.get(f"segments/{EVERYBODY}/count").json == {"count": 5, "exact": True}


def test_what_takes_too_long_to_count_is_told_from_a_sample_and_marked(app, api, segment, people, monkeypatch):
    monkeypatch.setattr(counting, "_PATIENCE", {"sqlite": -1, "postgres": 1})
    monkeypatch.setattr(counting, "_SAMPLE", api.get(f"users/{people[0]}").json["id"][-2:])
    slow = {"any": [{"event": "x", "where": [{"property": "p", "contains": "y"}]}, PRO]}
    api.put(f"segments/{segment}", {"rule": slow})
    if app.config["SETTINGS"].is_sqlite:
        monkeypatch.setattr("app.models.stores.sqlite._STEPS", 1)
    else:
        monkeypatch.setattr(type(counting.db.obj), "run_within", lambda *args: _cancelled(counting.db.obj, *args[2:]))
    answer = api.get(f"segments/{segment}/count").json
    assert answer["exact"] is False and answer["count"] % 256 == 0 and answer["count"] >= 256


def _cancelled(store, parameters, milliseconds):
    """As when Postgres is at it for longer than that."""
    return RUN_WITHIN(store, "SELECT pg_sleep(5)", (), milliseconds)


RUN_WITHIN = PostgresStore.run_within


def test_a_preview_counts_shows_ten_and_stores_nothing(api, people, segment, tables):
    for _ in range(10):
        api.user(meta={"plan": "pro"})
    before = tables()
    answer = api.post("segments/preview", {"rule": {"not": {"segment": segment}}}).json
    assert (answer["count"], answer["exact"], [user["uid"] for user in answer["users"]]) == (
        2,
        True,
        [people[1], people[3]],
    )
    answer = api.post("segments/preview", {"rule": PRO}).json
    assert (answer["count"], len(answer["users"])) == (13, 10)
    assert answer["users"][0] == api.get(f"users/{people[0]}").json
    assert tables() == before


def test_a_preview_of_a_rule_that_breaks_the_grammar_is_told_where(api):
    refused = api.post("segments/preview", {"rule": {"any": [PRO, {"list": "f" * 24}]}})
    assert (refused.status_code, list(refused.json["details"])) == (400, ["/rule/any/1/list"])
    assert list(api.post("segments/preview", {}).json["details"]) == ["rule"]


def test_an_explanation_has_the_result_of_every_node_and_what_was_found(api, segment, make_list):
    news = make_list("News")
    account, uid = api.user(is_account=True)["uid"], fresh()
    api.user(
        uid, email="Ada@example.com", created_at="2024-03-01", meta={"age": 34, "vip": True}, lists=[news],
        accounts=[{"id": account, "role": "owner"}], device_token="t", device_platform="ios",
    )  # fmt: skip
    for amount in (10, 20.5, "x"):
        sent = {"event": "Paid", "properties": {"amount": amount}, "timestamp": "2026-01-01T00:00:00Z"}
        api.post(f"users/{uid}/events", sent)
    leaves = [
        ({"attribute": "email", "contains": "@EXAMPLE", "ignore_case": True}, True, "Ada@example.com"),
        ({"attribute": "created_at", "gte": "2025-01-01"}, False, "2024-03-01T00:00:00.000+00:00"),
        ({"attribute": "meta.age", "between": [30, 40]}, True, 34),
        ({"attribute": "meta.vip", "is": True}, True, True),
        ({"attribute": "meta.gone", "missing": True}, True, None),
        ({"attribute": "archived", "is": False}, True, False),
        ({"event": "Paid", "count": {"gte": 4}}, False, 3),
        ({"event": "Paid", "sum": "amount", "is": 30.5}, True, 30.5),
        ({"event": "Paid", "max": "nothing", "gte": 0}, False, None),
        ({"event": "Paid", "last": {"lt": {"days_ago": 1}}}, True, "2026-01-01T00:00:00.000+00:00"),
        ({"list": news, "subscribed": True}, True, "subscribed"),
        ({"account": account, "role": "owner"}, True, {"role": "owner"}),
        ({"account": "nobody"}, False, None),
        ({"is_account": True}, False, False),
        ({"device": "android"}, False, ["ios"]),
    ]
    rule = {"any": [{"all": [leaf for leaf, _, _ in leaves]}, {"not": {"segment": segment}}]}
    explained = api.post("segments", {"name": "x", "rule": rule}).json["id"]
    answer = api.get(f"segments/{explained}/explain?uid={uid}").json
    assert (answer["id"], answer["uid"], answer["member"], answer["suppressed"]) == (explained, uid, True, False)
    first, second = answer["rule"]["any"]
    assert first == {
        "all": [{**leaf, "result": result, "found": found} for leaf, result, found in leaves],
        "result": False,
    }
    inner = {"segment": segment, "rule": {**PRO, "result": False, "found": None}, "result": False}
    assert second == {"not": inner, "result": True} and answer["rule"]["result"] is True


def test_everybody_is_explained_too(api):
    uid = api.user()["uid"]
    answer = api.get(f"segments/{EVERYBODY}/explain?uid={uid}").json
    assert (answer["member"], answer["rule"]) == (True, {"all": [], "result": True})


def test_whom_to_explain_must_be_said_and_be_there(api, segment):
    assert api.get(f"segments/{segment}/explain").status_code == 400
    assert api.get(f"segments/{segment}/explain?uid={fresh()}").json["code"] == "user_not_found"


def test_a_suppressed_user_is_shown_so_wherever_it_is_in_the_segment(api, segment):
    uid = api.user(meta={"plan": "pro"})["uid"]
    path = f"segments/{segment}/users/{uid}"
    for suppressed in (True, True, False, False, True):
        assert api.put(path, {"suppressed": suppressed}).json == {"suppressed": suppressed}
        assert api.get(f"users/{uid}").json["segments"] == [{"id": segment, "suppressed": suppressed}]
        assert api.get(f"segments/{segment}/explain?uid={uid}").json["suppressed"] is suppressed
    api.put(f"users/{uid}", {"meta": {"plan": "free"}})
    assert api.get(f"users/{uid}").json["segments"] == []
    assert api.put(f"users/{uid}", {"meta": {"plan": "pro"}}).json["segments"] == [{"id": segment, "suppressed": True}]


def test_whoever_is_suppressed_among_everybody_is_told_so(api):
    uid, other = api.user()["uid"], api.user()["uid"]
    api.put(f"segments/{EVERYBODY}/users/{uid}", {"suppressed": True})
    assert api.get(f"users/{uid}").json["segments"] == [{"id": EVERYBODY, "suppressed": True}]
    assert api.get(f"users/{other}").json["segments"] == []
    api.put(f"segments/{EVERYBODY}/users/{uid}", {"suppressed": False})
    assert api.get(f"users/{uid}").json["segments"] == []


@pytest.mark.parametrize("sent", [{}, {"suppressed": "yes"}, {"suppressed": None}])
def test_suppressed_is_true_or_false(api, segment, tables, sent):
    uid = api.user()["uid"]
    before = tables()
    refused = api.put(f"segments/{segment}/users/{uid}", sent)
    assert (refused.status_code, list(refused.json["details"])) == (400, ["suppressed"])
    assert api.put(f"segments/{segment}/users/{fresh()}", {"suppressed": True}).status_code == 404
    assert tables() == before


def test_a_suppression_goes_with_the_user_and_with_the_segment(api, segment, workspace, count):
    one, two = api.user()["uid"], api.user()["uid"]
    for uid in (one, two):
        api.put(f"segments/{segment}/users/{uid}", {"suppressed": True})
    assert count("segment_suppressions", workspace) == 2
    api.delete(f"users/{one}")
    assert count("segment_suppressions", workspace) == 1
    api.delete(f"segments/{segment}")
    assert count("segment_suppressions", workspace) == 0


def test_a_merge_joins_the_suppressions(api, segment, workspace, count):
    source, destination = (api.user(meta={"plan": "pro"})["uid"] for _ in "12")
    other = api.post("segments", {"name": "x", "rule": {"all": []}}).json["id"]
    api.put(f"segments/{segment}/users/{source}", {"suppressed": True})
    for uid in (source, destination):
        api.put(f"segments/{other}/users/{uid}", {"suppressed": True})
    api.post("users/merge", {"source": source, "destination": destination})
    shown = [{"id": one, "suppressed": True} for one in (segment, other)]
    assert api.get(f"users/{destination}").json["segments"] == shown
    assert count("segment_suppressions", workspace) == 2


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("public", 403)])
def test_strangers_learn_and_change_nothing(api, segment, tables, by, status):
    uid = api.user()["uid"]
    before = tables()
    for method, path, body in (
        ("GET", f"segments/{segment}/count", None), ("GET", f"segments/{segment}/explain?uid={uid}", None),
        ("POST", "segments/preview", {"rule": PRO}), ("PUT", f"segments/{segment}/users/{uid}", {"suppressed": True}),
    ):  # fmt: skip
        assert api.call(method, path, body, by=by).status_code == status
    assert tables() == before
