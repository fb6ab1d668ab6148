"""If-Match and If-None-Match on every route that changes a user, and 304 (docs/conditions.md)."""

import pytest

from app.api import replies
from app.api.auth import OPEN
from app.api.conventions import ENGAGE, of_path
from tests.factories import fresh

STALE = '"0123456789abcdef0123456789abcdef.00000000"'
# Each changes a user `uid` who is in the account `acme`, on the list `news` and has a token and the attribute `plan`.
ROUTES = {
    "create": lambda api, uid, it, **more: api.post("users", {"id": uid, "first_name": "x"}, **more),
    "update": lambda api, uid, it, **more: api.put(f"users/{uid}", {"first_name": "x"}, **more),
    "patch": lambda api, uid, it, **more: api.call("PATCH", f"users/{uid}", {"first_name": "x"}, **more),
    "delete": lambda api, uid, it, **more: api.delete(f"users/{uid}", **more),
    "event": lambda api, uid, it, **more: api.post(f"users/{uid}/events", {"event": "Paid"}, **more),
    "event with an id": lambda api, uid, it, **more: api.post(
        f"users/{uid}/events", {"event": "Paid", "id": fresh()}, **more
    ),
    "archive": lambda api, uid, it, **more: api.post(f"users/{uid}/archive", **more),
    "convert": lambda api, uid, it, **more: api.post(f"users/{uid}/convert", {"type": "account"}, **more),
    "attribute": lambda api, uid, it, **more: api.delete(f"users/{uid}/attributes/plan", **more),
    "token": lambda api, uid, it, **more: api.delete(f"users/{uid}/tokens/{it['token']}", **more),
    "lists": lambda api, uid, it, **more: api.post(f"users/{uid}/lists", {"lists": [it["sales"]]}, **more),
    "no lists": lambda api, uid, it, **more: api.delete(f"users/{uid}/lists", {"lists": [it["news"]]}, **more),
    "place": lambda api, uid, it, **more: api.put(
        f"lists/{it['news']}/subscribers/{uid}", {"subscribed": False}, **more
    ),
    "no place": lambda api, uid, it, **more: api.delete(f"lists/{it['news']}/subscribers/{uid}", **more),
    "accounts": lambda api, uid, it, **more: api.post(
        f"users/{uid}/accounts", {"accounts": [{"id": it["zeta"]}]}, **more
    ),
    "role": lambda api, uid, it, **more: api.put(f"users/{uid}/accounts/{it['acme']}", {"role": "x"}, **more),
    "no account": lambda api, uid, it, **more: api.delete(f"users/{uid}/accounts/{it['acme']}", **more),
    "merge": lambda api, uid, it, **more: api.post(
        "users/merge", {"source": it["source"], "destination": uid}, **more
    ),
    "suppression": lambda api, uid, it, **more: api.put(
        f"segments/{it['segment']}/users/{uid}", {"suppressed": True}, **more
    ),
}  # fmt: skip
MAKE = ("create", "update", "patch", "event", "event with an id")


def given(**headers):
    return {"headers": {name.replace("_", "-"): value for name, value in headers.items()}}


@pytest.fixture
def it(api, make_list):
    """What the routes name."""
    return {
        "news": make_list("News"), "sales": make_list("Sales"), "acme": api.user(is_account=True)["uid"],
        "zeta": api.user(is_account=True)["uid"], "token": fresh(), "source": api.user(meta={"more": 1})["uid"],
        "segment": api.post("segments", {"name": "all", "rule": {"all": []}}).json["id"],
    }  # fmt: skip


def someone(api, it):
    return api.user(
        meta={"plan": "pro"}, lists=[it["news"]], accounts=[{"id": it["acme"]}], device_token=it["token"]
    )["uid"]  # fmt: skip


def tag(api, uid):
    return api.get(f"users/{uid}").headers["ETag"]


@pytest.mark.parametrize("route", ROUTES)
def test_a_condition_that_does_not_hold_stops_every_route(api, it, tables, route):
    """Case if-match-ignored."""
    uid, write = someone(api, it), ROUTES[route]
    current, before = tag(api, uid), tables()
    for headers in (
        given(If_Match=STALE), given(If_Match='"anything else"'), given(If_Match="anything"), given(If_Match=""),
        given(If_Match='""'), given(If_Match='W/""'), given(If_Match='"", W/"", ,'), given(If_Match='W/"'), given(If_Match='"'),
        given(If_Match=f'{STALE}, W/"x"'), given(If_None_Match="*"), given(If_None_Match=current),
        given(If_None_Match=f"{STALE}, W/{current}"), given(If_Match=current, If_None_Match="*"),
    ):  # fmt: skip
        refused = write(api, uid, it, **headers)
        assert (refused.status_code, refused.json["code"]) == (412, "precondition_failed"), (headers, refused.json)
    assert tables() == before


@pytest.mark.parametrize("route", ROUTES)
def test_a_condition_that_holds_lets_every_route_through(api, it, tables, route):
    for form in ("{}", "W/{}", STALE + ", {}", "*"):
        uid, write = someone(api, it), ROUTES[route]
        it["source"] = api.user(meta={"more": 1})["uid"]
        before = tables()
        done = write(api, uid, it, **given(If_Match=form.format(tag(api, uid)), If_None_Match=STALE))
        assert done.status_code == 200, (form, done.json)
        assert tables() != before


@pytest.mark.parametrize("route", ROUTES)
def test_who_is_not_there_is_not_found_or_made(api, it, tables, route):
    write, before = ROUTES[route], tables()
    refused = write(api, fresh(), it, **given(If_Match="*"))
    assert refused.status_code == (412 if route in (*MAKE, "merge") else 404)
    assert tables() == before
    if route in MAKE:
        uid = fresh()
        assert write(api, uid, it, **given(If_None_Match="*")).status_code == 200
        assert api.get(f"users/{uid}").status_code == 200
        assert write(api, uid, it, **given(If_None_Match="*")).status_code == 412


def test_every_route_that_changes_a_user_looks_at_conditions_and_the_others_refuse_them(app, api, it, tables):
    uid = someone(api, it)
    refusing = {
        ("POST", "/v1/batch"), ("POST", "/v1/lists"), ("PUT", "/v1/lists/{}"), ("DELETE", "/v1/lists/{}"),
        ("POST", "/v1/lists/{}/subscribers"), ("POST", "/v1/segments"), ("PUT", "/v1/segments/{}"),
        ("DELETE", "/v1/segments/{}"), ("POST", "/v1/segments/preview"),
    }  # fmt: skip
    found = set()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        is_ours = rule.rule.startswith("/v1") and of_path(rule.rule) == ENGAGE and "environment" not in rule.arguments
        if not is_ours or getattr(view, "access", None) == OPEN or getattr(view, "conditional", False):
            continue
        path = rule.rule.replace("<list:list_id>", it["news"]).replace("<segment:segment_id>", it["segment"])
        for method in rule.methods & {"POST", "PUT", "PATCH", "DELETE"}:
            found.add((method, path.replace(it["news"], "{}").replace(it["segment"], "{}")))
            before = tables()
            refused = api.call(method, path.removeprefix("/v1/"), {}, **given(If_Match=tag(api, uid)))
            assert (refused.status_code, list(refused.json["details"])) == (400, ["If-Match"]), (method, path)
            assert tables() == before
    assert found == refusing


def test_an_event_fails_no_edit_and_changes_the_whole_tag(api, it):
    uid = someone(api, it)
    before = tag(api, uid)
    api.post(f"users/{uid}/events", {"event": "Paid"})
    api.post("segments", {"name": "Pro", "rule": {"attribute": "meta.plan", "is": "pro"}})
    after = tag(api, uid)
    assert before != after and before.partition(".")[0] == after.partition(".")[0]
    assert api.put(f"users/{uid}", {"first_name": "Ada"}, **given(If_Match=before)).status_code == 200
    assert tag(api, uid).partition(".")[0] != before.partition(".")[0]


@pytest.mark.parametrize(
    "change",
    [{"first_name": "a"}, {"last_name": "a"}, {"number": "55500"}, {"email": "a@example.com"}, {"meta": {"n": 1}},
     {"meta": {"member_count": 1, "last_interaction": 'x,"stats":'}}, {"is_account": True}, {"device_token": "t"},
     {"created_at": "2020-01-01"}, {"archived": True}],
)  # fmt: skip
def test_each_field_that_callers_write_is_in_the_state(api, change):
    uid = api.user(meta={'a","segments":[': ',"member_count":9,"archived":'})["uid"]
    before = tag(api, uid)
    if "archived" in change:
        api.post(f"users/{uid}/archive")
    else:
        api.put(f"users/{uid}", change)
    assert tag(api, uid).partition(".")[0] != before.partition(".")[0]


def test_an_account_keeps_its_state_when_somebody_joins(api):
    acme = api.user(is_account=True)["uid"]
    before = tag(api, acme)
    api.user(accounts=[{"id": acme}])
    after = tag(api, acme)
    assert before != after and before.partition(".")[0] == after.partition(".")[0]


def test_a_read_is_304_while_nothing_changed(api):
    uid = api.user()["uid"]
    etag = tag(api, uid)
    for sent in (etag, f"W/{etag}", f"{STALE}, {etag}", "*"):
        for method in ("GET", "HEAD"):
            unchanged = api.call(method, f"users/{uid}", **given(If_None_Match=sent))
            assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", etag)
    api.post(f"users/{uid}/events", {"event": "Paid"})
    for other in (etag, '""', 'W/""', ", ,", '"', "x" * 5000):
        assert api.get(f"users/{uid}", **given(If_None_Match=other)).status_code == 200
    assert api.get(f"users/{fresh()}", **given(If_None_Match="*")).status_code == 404


def test_bad_input_and_missing_rights_go_before_conditions(api):
    uid = api.user()["uid"]
    assert api.put(f"users/{uid}", {"email": "no"}, **given(If_Match=STALE)).status_code == 400
    assert api.delete(f"users/{uid}", by="public", **given(If_Match=STALE)).status_code == 403


def test_a_kept_reply_goes_before_conditions(api):
    uid = api.user()["uid"]
    headers = {"If-Match": tag(api, uid), "Idempotency-Key": fresh()}
    answers = [api.put(f"users/{uid}", {"first_name": "Ada"}, headers=headers) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200] and "Idempotent-Replayed" in answers[1].headers


def test_the_public_key_learns_nothing_by_a_condition_and_sees_whom_it_made(api):
    made = api.put(f"users/{fresh()}", {"first_name": "Ada"}, by="public", **given(If_None_Match="*"))
    assert made.json["email"] is None and made.json["first_name"] == "Ada"


def test_a_late_event_that_must_make_its_user_makes_nobody(api, tables):
    uid = api.user()["uid"]
    api.delete(f"users/{uid}")
    before = tables()
    late = api.post(f"users/{uid}/events", {"event": "Paid"}, **given(If_None_Match="*"))
    assert (late.status_code, late.headers["Rollcall-Outcome"]) == (200, "erased") and tables() == before


def test_the_state_is_the_same_by_the_short_way(api, make_list):
    """Most users have nothing in the middle of their object: their tag is made quicker, and must be the same."""
    uid = api.user(meta={"x": ',"member_count":null,"archived":false,"lists":[],"segments":[],"meta":{'})["uid"]
    body = api.get(f"users/{uid}").data
    short = replies.etag(body).partition(".")[0]
    for shown in (
        body.replace(b'"member_count":null', b'"member_count":3'),
        body.replace(b'"segments":[]', b'"segments":[{"id":"%b","suppressed":false}]' % (b"f" * 24)),
    ):
        assert shown != body and replies.etag(shown).partition(".")[0] == short
        assert replies.etag(shown) != replies.etag(body)


@pytest.mark.parametrize("headers", [{"If_Match": "*"}, {"If_Match": STALE}, {"If_None_Match": STALE}])
def test_the_public_key_cannot_try_states(api, tables, headers):
    uid = api.user(email="a@example.com")["uid"]
    before = tables()
    for tag_of in (headers, {name: tag(api, uid) for name in headers}):
        for write in (
            lambda more: api.put(f"users/{uid}", {}, by="public", **more),
            lambda more: api.post("users", {"id": uid}, by="public", **more),
            lambda more: api.post(f"users/{uid}/events", {"event": "Paid"}, by="public", **more),
        ):
            refused = write(given(**tag_of))
            assert (refused.status_code, refused.json["code"]) == (403, "secret_needed"), refused.json
    assert tables() == before
