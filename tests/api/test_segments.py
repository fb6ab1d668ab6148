"""The routes of segments, and `segments` of the user object (docs/segments.md)."""

import pytest

from app.domain.rules import EVERYBODY
from app.services import audit
from app.services.segments import definitions
from tests.factories import fresh

PRO = {"attribute": "meta.plan", "is": "pro"}


@pytest.fixture
def make(api):
    """Make a segment of a rule and return its id."""

    def create(rule, name="some", owner=api):
        made = owner.post("segments", {"name": name, "rule": rule})
        assert made.status_code == 200, made.json
        return made.json["id"]

    return create


def inside(api, uid):
    """The ids of the segments of the user."""
    return [one["id"] for one in api.get(f"users/{uid}").json["segments"]]


def members(api, segment_id):
    """The uids of those in the segment."""
    found = api.get(f"users?limit=30&segment={segment_id}")
    assert found.status_code == 200, found.json
    return [user["uid"] for user in found.json["data"]]


def test_a_segment_is_made_read_changed_and_deleted(api):
    sent = {"name": "Pros", "description": "Who pays", "rule": PRO}
    made = api.post("segments", sent).json
    assert {**sent, "id": made["id"], "created_at": made["created_at"], "updated_at": made["created_at"]} == made
    assert api.get(f"segments/{made['id']}").json == made
    changed = api.put(f"segments/{made['id']}", {"name": "Others", "rule": {"not": PRO}}).json
    assert changed["rule"] == {"not": PRO} and changed["description"] == "Who pays"
    assert changed["updated_at"] >= made["updated_at"] and changed["created_at"] == made["created_at"]
    assert api.put(f"segments/{made['id']}", {}).json == changed
    assert api.delete(f"segments/{made['id']}").json == {"status": "ok"}
    assert api.delete(f"segments/{made['id']}").status_code == 404


def test_the_segment_of_everybody_is_there_from_the_start_and_stays(api, tables):
    everybody = api.get("segments").json["data"]
    assert [(one["id"], one["name"], one["rule"]) for one in everybody] == [(EVERYBODY, "all", {"all": []})]
    uid = api.user()["uid"]
    assert members(api, EVERYBODY) == [uid]
    before = tables()
    assert api.put(f"segments/{EVERYBODY}", {"name": "x"}).status_code == 409
    assert api.delete(f"segments/{EVERYBODY}").status_code == 409
    assert tables() == before
    assert api.get(f"users/{uid}").json["segments"] == []  # it would say nothing


def test_segments_are_paged_in_the_order_they_were_made(api, make):
    made = [EVERYBODY, *(make(PRO, f"s{number}") for number in range(4))]
    first = api.get("segments?limit=2").json
    second = api.get(f"segments?limit=3&next_cursor={first['next_cursor']}").json
    assert [one["id"] for one in first["data"] + second["data"]] == made and "next_cursor" not in second
    assert api.get(f"segments?limit=2&previous_cursor={second['previous_cursor']}").json == first


def test_a_write_that_was_answered_shows_at_the_next_read(api, make):
    segment, uid = make(PRO), fresh()
    made = api.put(f"users/{uid}", {"meta": {"plan": "pro"}}).json
    assert made["segments"] == [{"id": segment, "suppressed": False}]
    assert inside(api, uid) == [segment] and members(api, segment) == [uid]
    assert api.put(f"users/{uid}", {"meta": {"plan": "free"}}).json["segments"] == []
    assert inside(api, uid) == [] and members(api, segment) == []
    api.put(f"segments/{segment}", {"rule": {"not": PRO}})
    assert inside(api, uid) == [segment] and members(api, segment) == [uid]
    api.delete(f"segments/{segment}")
    assert inside(api, uid) == []


def test_a_page_shows_the_segments_of_all_its_users(api, make):
    pro, rich = make(PRO), make({"attribute": "meta.age", "gte": 18})
    for plan, age in (("pro", 20), ("pro", 5), ("free", 30), ("free", 1)):
        api.user(meta={"plan": plan, "age": age})
    shown = [[one["id"] for one in user["segments"]] for user in api.get("users").json["data"]]
    assert shown == [[pro, rich], [pro], [rich], []]


def test_pages_of_a_segment_have_the_cursors_of_all_pages(api, make):
    segment = make(PRO)
    uids = [api.user(meta={"plan": "pro" if number % 2 else "free"})["uid"] for number in range(10)][1::2]
    for path in (f"users?limit=2&segment={segment}", f"segments/{segment}/users?limit=2"):
        first = api.get(path).json
        second = api.get(f"{path}&next_cursor={first['next_cursor']}").json
        third = api.get(f"{path}&next_cursor={second['next_cursor']}").json
        assert [user["uid"] for page in (first, second, third) for user in page["data"]] == uids
        assert api.get(f"{path}&previous_cursor={second['previous_cursor']}").json == first
    assert [user["uid"] for user in api.get(f"users?segment={segment}&order=desc").json["data"]] == uids[::-1]


def test_the_members_of_an_account_show_their_segments(api, make):
    segment, account = make(PRO), api.user(is_account=True)["uid"]
    api.user(meta={"plan": "pro"}, accounts=[{"id": account}])
    assert api.get(f"users/{account}/members").json["data"][0]["segments"] == [{"id": segment, "suppressed": False}]


def test_a_list_rule_follows_the_list(api, make, make_list):
    news = make_list("News")
    on, off, there = (
        make({"list": news, "subscribed": True}),
        make({"list": news, "subscribed": False}),
        make({"list": news}),
    )
    uid = api.user()["uid"]
    assert inside(api, uid) == []
    api.post(f"users/{uid}/lists", {"lists": [news]})
    assert inside(api, uid) == [on, there]
    api.put(f"lists/{news}/subscribers/{uid}", {"subscribed": False})
    assert inside(api, uid) == [off, there]
    api.delete(f"users/{uid}/lists", {"lists": [news]})
    assert inside(api, uid) == [off, there]  # whoever has left stays so
    api.put(f"lists/{news}/subscribers/{uid}", {"subscribed": True})
    api.delete(f"users/{uid}/lists", {"lists": [news]})
    assert inside(api, uid) == []


def test_an_etag_changes_with_the_segments(api, make):
    uid = api.user(meta={"plan": "pro"})["uid"]
    before = api.get(f"users/{uid}").headers["ETag"]
    make(PRO)
    after = api.get(f"users/{uid}").headers["ETag"]
    assert before != after == api.get(f"users/{uid}").headers["ETag"]
    patched = api.call("PATCH", f"users/{uid}", {"first_name": "Ada"}, headers={"If-Match": after})
    assert patched.status_code == 200, patched.json


@pytest.mark.parametrize(("rule", "pointer", "expected"), [
    (None, "/rule", "Must be an object"),
    ([], "/rule", "Must be an object"),
    ({}, "/rule", "Must be an object with one of all, any, not, attribute"),
    ({"all": [], "any": []}, "/rule", "Must be an object with one of"),
    ({"all": {}}, "/rule/all", "Must be an array of rules."),
    ({"all": [PRO, {"nope": 1}]}, "/rule/all/1", "Must be an object with one of"),
    ({"all": [], "more/~": 1}, "/rule/more~1~0", "Must not be here, beside all."),
    ({"not": {"any": [{"attribute": "email"}]}}, "/rule/not/any/0", "Must have exactly one of is, is_not"),
    ({"attribute": "emial", "is": "x"}, "/rule/attribute", "Must be meta. and a key"),
    ({"attribute": "meta.", "is": "x"}, "/rule/attribute", "Must be meta. and a key"),
    ({"attribute": "email", "is": "x", "in": ["y"]}, "/rule", "Must have exactly one of"),
    ({"attribute": "email", "is": None}, "/rule/is", "Must be a string, number or boolean."),
    ({"attribute": "email", "in": []}, "/rule/in", "Must be an array of 1 to 100 values."),
    ({"attribute": "email", "in": ["a", {}]}, "/rule/in/1", "Must be a string, number or boolean."),
    ({"attribute": "email", "contains": ""}, "/rule/contains", "Must be a string of 1 to"),
    ({"attribute": "email", "exists": False}, "/rule/exists", "Must be true."),
    ({"attribute": "meta.a", "lt": True}, "/rule/lt", "Must be a string, a number or a moment"),
    ({"attribute": "meta.a", "between": [1]}, "/rule/between", "Must be an array of two"),
    ({"attribute": "meta.a", "between": [1, "b"]}, "/rule/between", "Must be an array of two of one type."),
    ({"attribute": "meta.a", "between": [2, 1]}, "/rule/between", "Must have its least end first"),
    ({"attribute": "meta.a", "between": ["b", "a"]}, "/rule/between", "Must have its least end first"),
    ({"attribute": "meta.a", "between": [{"days_ago": -3}, {"days_ago": 0}]}, "/rule/between", "Must have its least end first"),
    ({"attribute": "meta.a", "between": ["2026-01-31T00:00Z", "2026-01-31T08:00+09:00"]}, "/rule/between", "Must have its least"),
    ({"attribute": "meta.a", "between": ["2026-02-01", "2026-01-31"]}, "/rule/between", "Must have its least end first"),
    ({"attribute": "created_at", "between": ["2026-01-31", 0]}, "/rule/between", "Must have its least end first"),
    ({"attribute": "email", "between": ["B@x.io", "a@x.io"]}, "/rule/between", "Must have its least end first"),
    ({"attribute": "email", "between": ["a@x.io", "B@x.io"], "exact": True}, "/rule/between", "Must have its least end first"),
    ({"attribute": "number", "between": ["3", "+2"]}, "/rule/between", "Must have its least end first"),
    ({"event": "Paid", "last": {"between": [{"days_ago": 1}, {"days_ago": 2}]}}, "/rule/last/between", "Must have its least"),
    ({"event": "Paid", "sum": "amount", "between": [2, 1.5]}, "/rule/between", "Must have its least end first"),
    ({"event": "Paid", "where": [{"value": {"between": [2, 1]}}]}, "/rule/where/0/value/between", "Must have its least end first"),
    ({"attribute": "meta.a", "gt": 1, "ignore_case": True}, "/rule/ignore_case", "Must not be here, beside attribute."),
    ({"attribute": "meta.a", "is": "x", "ignore_case": 1}, "/rule/ignore_case", "Must be true or false."),
    ({"attribute": "created_at", "gte": "soon"}, "/rule/gte", "Must be a date"),
    ({"attribute": "created_at", "gte": {"days_ago": "x"}}, "/rule/gte/days_ago", "Must be a number from"),
    ({"attribute": "created_at", "gte": {"days": 3}}, "/rule/gte", 'Must be like {"days_ago": 30}.'),
    ({"event": ""}, "/rule/event", "Must be a name"),
    ({"event": "Paid", "count": 3}, "/rule/count", "Must be an object with one of is, lt"),
    ({"event": "Paid", "count": {"gte": -1}}, "/rule/count/gte", "Must be a whole number"),
    ({"event": "Paid", "count": {"gte": 1.5}}, "/rule/count/gte", "Must be a whole number"),
    ({"event": "Paid", "count": {"gte": 1}, "sum": "a", "gte": 1}, "/rule", "Must have at most one of count"),
    ({"event": "Paid", "within": {"weeks": 1}}, "/rule/within", 'Must be like {"days": 30}.'),
    ({"event": "Paid", "where": [{"property": "a"}]}, "/rule/where/0", "Must have exactly one of"),
    ({"event": "Paid", "where": [{"value": 5}]}, "/rule/where/0", "Must be like"),
    ({"event": "Paid", "last": {"gte": 1, "lte": 2}}, "/rule/last", "Must be an object with one of"),
    ({"event": "Paid", "sum": "amount"}, "/rule", "Must have exactly one of is, lt"),
    ({"event": "Paid", "sum": "amount", "gte": "100"}, "/rule/gte", "Must be a number."),
    ({"list": "x"}, "/rule/list", "Must be the id of a list."),
    ({"list": "f" * 24}, "/rule/list", "Must be the id of a list."),
    ({"account": ""}, "/rule/account", "Must be the uid of an account."),
    ({"is_account": 1}, "/rule/is_account", "Must be true or false."),
    ({"device": "windows"}, "/rule/device", "Must be one of android, ios."),
    ({"segment": "f" * 24}, "/rule/segment", "Must be the id of a segment."),
    ({"any": [PRO] * 101}, "/rule", "Must have at most 100 leaves."),
])  # fmt: skip
def test_a_rule_that_breaks_the_grammar_is_told_where_and_what_was_expected(api, make, tables, rule, pointer, expected):
    segment = make(PRO)
    before = tables()
    for refused in (
        api.post("segments", {"name": "x", "rule": rule}),
        api.put(f"segments/{segment}", {"rule": rule}),
    ):
        assert (refused.status_code, refused.json["code"]) == (400, "invalid_input"), refused.json
        assert refused.json["details"][pointer][0].startswith(expected), refused.json["details"]
    assert tables() == before


@pytest.mark.parametrize("rule", [
    {"attribute": "meta.a", "between": ["2026-01-31T00:00+09:00", "2026-01-30"]},
    {"attribute": "meta.a", "between": ["2026-01-31T10:00Z", "2026-01-31"]},
    {"attribute": "created_at", "between": ["2026-01-31", {"days_ago": 36500}]},
    {"attribute": "email", "between": ["a@x.io", "B@x.io"]},
    {"attribute": "meta.a", "between": [1, 1]},
])  # fmt: skip
def test_ends_of_between_are_in_order_by_what_they_are_compared_as(make, rule):
    make(rule)


def test_a_stored_rule_whose_ends_are_reversed_holds_for_nobody_and_can_be_renamed(api, workspace):
    uid = api.user(meta={"a": 1})["uid"]
    fields = {"name": "old", "rule": {"attribute": "meta.a", "between": [2, 0]}}
    old = definitions.create(workspace, fields, audit.SHELL).id  # as it was taken once
    assert inside(api, uid) == [] and api.put(f"segments/{old}", {"name": "new"}).status_code == 200


def test_a_rule_may_be_ten_levels_deep_and_no_deeper(api, make):
    def deep(levels):
        return {"any": [deep(levels - 1)]} if levels > 1 else PRO

    make(deep(10))
    refused = api.post("segments", {"name": "x", "rule": deep(11)}).json
    assert list(refused["details"]) == ["/rule" + "/any/0" * 10]


@pytest.mark.parametrize("field", [{"name": ""}, {"name": "n" * 129}, {"name": None}, {"description": "d" * 256}])
def test_a_field_that_breaks_its_rule_is_named_and_nothing_is_stored(api, tables, field):
    before = tables()
    refused = api.post("segments", {"name": "x", "rule": PRO, **field})
    assert (refused.status_code, list(refused.json["details"])) == (400, list(field))
    assert api.post("segments", {}).json["details"].keys() == {"name", "rule"}
    assert tables() == before


def test_segments_that_lead_back_to_themselves_are_refused(api, make, tables):
    first = make(PRO)
    second = make({"not": {"segment": first}})
    third = make({"all": [PRO, {"segment": second}]})
    before = tables()
    for rule in ({"segment": first}, {"any": [PRO, {"not": {"segment": third}}]}):
        refused = api.put(f"segments/{first}", {"rule": rule})
        assert (refused.status_code, "Must not lead back" in refused.json["error"]) == (400, True)
    assert tables() == before


def test_a_segment_that_another_uses_is_not_deleted(api, make, tables):
    used = make(PRO)
    user = make({"not": {"segment": used}}, "The others")
    before = tables()
    refused = api.delete(f"segments/{used}")
    assert (refused.status_code, user in refused.json["error"], "The others" in refused.json["error"]) == (409,) + (
        True,
    ) * 2
    assert tables() == before
    assert [api.delete(f"segments/{one}").status_code for one in (user, used)] == [200, 200]


def test_segments_of_segments_are_bounded(api, make):
    many = make({"any": [PRO] * 100})
    more = make({"any": [{"segment": many}] * 4})
    refused = api.post("segments", {"name": "x", "rule": {"any": [{"segment": more}, {"segment": many}]}})
    assert (refused.status_code, list(refused.json["details"])) == (400, ["/rule"])
    grown = api.put(f"segments/{many}", {"rule": {"any": [{"any": [PRO] * 50}] * 2}})
    assert grown.status_code == 200, grown.json


def test_a_workspace_has_a_hundred_segments_at_most(api, make):
    for number in range(100):
        make(PRO, f"s{number}")
    assert api.post("segments", {"name": "x", "rule": PRO}).status_code == 409


@pytest.mark.parametrize("segment_id", ["f" * 24, "zzz", "a%00", "preview"])
def test_an_unknown_segment_is_not_found(api, segment_id):
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", None),
        ("GET", "/users", None),
    ):
        missing = api.call(method, f"segments/{segment_id}{path}", body)
        assert (missing.status_code, missing.json["code"]) == (404, "segment_not_found")


def test_a_filter_by_an_unknown_segment_is_not_found_and_by_nonsense_bad_input(api):
    assert api.get(f"users?segment={'f' * 24}").json["code"] == "segment_not_found"
    assert api.get("users?segment=x").status_code == 400


def test_a_segment_of_another_workspace_is_not_found(other_api, make, tables):
    segment = make(PRO)
    before = tables()
    answers = [
        other_api.get(f"segments/{segment}"), other_api.put(f"segments/{segment}", {"name": "x"}),
        other_api.delete(f"segments/{segment}"), other_api.get(f"segments/{segment}/users"),
        other_api.get(f"users?segment={segment}"),
    ]  # fmt: skip
    assert [one.status_code for one in answers] == [404] * 5
    assert other_api.post("segments", {"name": "x", "rule": {"segment": segment}}).status_code == 400
    assert tables() == before


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("public", 403)])
def test_strangers_learn_and_change_nothing(api, make, tables, by, status):
    segment = make(PRO)
    before = tables()
    for method, path, body in (
        ("POST", "segments", {"name": "x", "rule": PRO}), ("GET", "segments", None), ("GET", f"segments/{segment}", None),
        ("PUT", f"segments/{segment}", {"name": "x"}), ("DELETE", f"segments/{segment}", None),
        ("GET", f"segments/{segment}/users", None),
    ):  # fmt: skip
        assert api.call(method, path, body, by=by).status_code == status
    assert tables() == before
