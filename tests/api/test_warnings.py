"""Nothing is dropped in silence: keys that are ignored, duplicates, dropped events (engage.md section 6)."""

import json

import pytest

from tests.factories import fresh

HEADER = "Rollcall-Warnings"
PLAN = "plan: is ignored; attributes of your own go into meta."
NEAR = [
    ({"firstName": "Ada"}, ["firstName: is ignored; did you mean first_name?"]),
    ({"plan": "pro"}, [PLAN]),
    ({"plan": "pro", "phone": "55500"}, [PLAN, "phone: is ignored; did you mean number?"]),
]
WRITES = {
    "POST": lambda api, body, **more: api.post("users", {"id": fresh(), **body}, **more),
    "PUT": lambda api, body, **more: api.put(f"users/{fresh()}", body, **more),
    "PATCH": lambda api, body, **more: api.call("PATCH", f"users/{fresh()}", body, **more),
}


def told(response):
    return json.loads(response.headers[HEADER]) if HEADER in response.headers else None


@pytest.mark.parametrize("write", WRITES)
def test_the_secret_is_told_what_was_ignored(api, write):
    for body, sentences in NEAR:
        for more in ({}, {"first_name": "Ada"}):
            answer = WRITES[write](api, {**body, **more})
            assert (answer.status_code, told(answer)) == (200, sentences)
            if write != "PATCH":
                by_public = WRITES[write](api, {**body, **more}, by="public")
                assert (by_public.status_code, told(by_public)) == (200, None)


def others(api, make_list):
    """Every other route that takes a body: (method, path, a body, what is said of its keys)."""
    news, account = make_list("News"), api.user(is_account=True)["uid"]
    uid, source = api.user(accounts=[{"id": account}])["uid"], api.user()["uid"]
    rule = {"all": []}
    segment = api.post("segments", {"name": "all", "rule": rule}).json["id"]
    title = "a list has title, description, redirect_url and double_optin"
    named = "a segment has name and description and rule"
    return [
        ("POST", "lists", {"title": "x", "doubleOptin": True}, ["doubleOptin: is ignored; did you mean double_optin?"]),
        ("PUT", f"lists/{news}", {"name": "x", "tags": []}, ["name: is ignored; did you mean title?", f"tags: is ignored; {title}."]),
        ("POST", f"lists/{news}/subscribers", {"email": "a@example.com", "firstName": "Ada", "plan": "pro", "uid": "u1"},
         ["firstName: is ignored; did you mean first_name?", "plan: is ignored; attributes of somebody new go into meta.",
          "uid: is ignored; attributes of somebody new go into meta."]),
        ("PUT", f"lists/{news}/subscribers/{uid}", {"subscribed": True, "status": "x"}, ["status: is ignored; there is only subscribed."]),
        ("POST", f"users/{uid}/lists", {"lists": [news], "list": news}, ["list: is ignored; did you mean lists?"]),
        ("DELETE", f"users/{uid}/lists", {"lists": [news], "x": 1}, ["x: is ignored; there is only lists."]),
        ("POST", f"users/{uid}/convert", {"type": "account", "role": 1}, ["role: is ignored; there is only type."]),
        ("POST", f"users/{uid}/accounts", {"accounts": [{"id": account}], "role": "x"}, ["role: is ignored; there is only accounts."]),
        ("PUT", f"users/{uid}/accounts/{account}", {"role": "x", "id": 1}, ["id: is ignored; there is only role."]),
        ("POST", "users/merge", {"source": source, "destination": uid, "keep": 1}, ["keep: is ignored; there is only destination and source."]),
        ("POST", "segments", {"name": "x", "rule": rule, "filter": 1}, ["filter: is ignored; did you mean rule?"]),
        ("PUT", f"segments/{segment}", {"nam": "x", "id": 1, "size": 1}, ["nam: is ignored; did you mean name?", f"size: is ignored; {named}."]),
        ("POST", "segments/preview", {"rule": rule, "limit": 5}, ["limit: is ignored; there is only rule."]),
        ("PUT", f"segments/{segment}/users/{uid}", {"suppressed": True, "x": 1}, ["x: is ignored; there is only suppressed."]),
    ]  # fmt: skip


def test_every_other_body_is_told_what_was_ignored(app, api, make_list):
    routes = set()
    for method, path, body, sentences in others(api, make_list):
        answer = api.call(method, path, body)
        assert (answer.status_code, told(answer)) == (200, sentences), path
        adapter = app.url_map.bind("")
        routes.add(adapter.match(f"/v1/{path}", method)[0])
    views = {
        name
        for name, view in app.view_functions.items()
        if hasattr(view, "body_schema") and not name.startswith(("atomic.", "unversioned_"))
    }
    assert views == routes | {"users.create", "users.update", "users.patch", "events.record", "batch.run"}


def test_what_a_list_or_a_segment_shows_can_be_sent_back(api, make_list):
    shown = api.get(f"lists/{make_list('News')}").json
    answer = api.put(f"lists/{shown['id']}", shown)
    assert (answer.json, told(answer)) == (shown, None)
    shown = api.post("segments", {"name": "all", "rule": {"all": []}}).json
    assert told(api.put(f"segments/{shown['id']}", shown)) is None


def test_a_batch_names_what_stands_beside_its_data(api):
    said = api.post("batch", {"data": [{"type": "update", "id": "m1", "plan": 1}], "events": [], "dat": 1}).json[
        "warnings"
    ]
    assert said == ["dat: is ignored; did you mean data?", "events: is ignored; there is only data.", f"data.0: {PLAN}"]


def test_events_are_told_what_was_ignored(api):
    uid = fresh()
    answer = api.post(f"users/{uid}/events", {"event": "Paid", "amount": 5, "name": "x"})
    assert told(answer) == [
        "amount: is ignored; attributes of an event go into properties.", "name: is ignored; did you mean event?",
    ]  # fmt: skip
    assert told(api.post(f"users/{uid}/events", {"event": "Paid", "amount": 5}, by="public")) is None


def test_nothing_is_said_of_what_sdks_send_and_get_shows(api):
    shown = api.get(f"users/{api.user(email='a@example.com')['uid']}").json
    answer = api.put(f"users/{shown['uid']}", {**shown, "source": "sdk", "date": 1, "subscribed": True})
    assert (answer.status_code, told(answer)) == (200, None)
    event = {"event": "Paid", "uid": shown["uid"], "id": shown["uid"], "source": "js", "date": "2020-01-01"}
    assert told(api.post(f"users/{shown['uid']}/events", event)) is None
    batch = api.post("batch", {"data": [{"type": "update", **shown}, {"type": "event", **event}]}).json
    assert (batch["accepted"], batch["warnings"]) == (2, [])


def test_the_header_is_ascii_and_short(api):
    body = {f"ключ{number}": number for number in range(200)}
    header = api.put(f"users/{fresh()}", body).headers[HEADER]
    assert header.isascii() and len(header) <= 1024 and json.loads(header)[0].startswith("ключ0: is ignored")


def test_a_kept_reply_warns_again(api):
    headers = {"Idempotency-Key": fresh()}
    answers = [api.put("users/kept", {"plan": "pro"}, headers=headers) for _ in range(2)]
    assert [told(one) for one in answers] == [[PLAN], [PLAN]]


def test_a_refused_body_has_errors_alone(api):
    assert told(api.put(f"users/{fresh()}", {"plan": "pro", "email": "no"})) is None


def test_a_batch_names_what_is_ignored_with_its_place(api):
    items = [
        {"type": "update", "id": "m1", "first_name": "Ada"},
        {"type": "update", "id": "m2", "firstName": "Ada"},
        {"type": "event", "id": "m2", "event": "Paid", "amount": 5},
        None,
        {"type": "update", "id": "m3", "firstName": "Ben"},
    ]
    found = api.post("batch", {"data": items}).json
    assert (found["accepted"], found["rejected"]) == (4, 1)
    assert found["warnings"] == [
        "data.1: firstName: is ignored; did you mean first_name?",
        "data.2: amount: is ignored; attributes of an event go into properties.",
    ]


@pytest.mark.parametrize("beside", [[], [{"type": "update", "id": "beside", "first_name": "Ada"}]])
def test_a_batch_counts_duplicates_and_dropped_events(api, archive_user, beside):
    """Case batch-event-id, and its siblings."""
    uid, archived, erased, name = fresh(), api.user()["uid"], api.user()["uid"], fresh()
    archive_user(archived)
    api.delete(f"users/{erased}")
    event = {"type": "event", "event": "Paid"}
    items = [
        {**event, "uid": uid, "id": name}, {**event, "uid": uid, "id": name}, {**event, "uid": archived}, {**event, "id": erased},
        {**event, "uid": archived, "id": fresh()}, {**event, "uid": uid},
        {**event, "id": uid, "uid": uid},
    ]  # fmt: skip
    counts = ("accepted", "duplicate", "dropped", "rejected")
    first = api.post("batch", {"data": [*items, *beside]}).json
    assert [first[one] for one in counts] == [3 + len(beside), 1, 3, 0]
    again = api.post("batch", {"data": [*items, *beside]}).json
    assert [again[one] for one in counts] == [2 + len(beside), 2, 3, 0]
    assert len(api.get(f"users/{uid}/events").json["data"]) == 5
    assert api.get(f"users/{name}").status_code == 404


def test_an_event_id_is_the_same_in_a_batch_and_on_its_route(api):
    uid, other, name = fresh(), fresh(), fresh()
    api.post(f"users/{uid}/events", {"event": "Paid", "id": name})
    item = {"type": "event", "event": "Paid", "uid": other, "id": name}
    assert api.post("batch", {"data": [item]}).json["duplicate"] == 1
    assert api.get(f"users/{other}").json["last_interaction"] is None  # the user is there


def test_a_dropped_event_leaves_its_id_free(api, archive_user):
    uid, name = api.user()["uid"], fresh()
    archive_user(uid)
    item = {"type": "event", "event": "Paid", "uid": uid, "id": name}
    assert api.post("batch", {"data": [item, item]}).json["dropped"] == 2
    api.call("PATCH", f"users/{uid}", {"archived": False})
    assert api.post("batch", {"data": [item]}).json["accepted"] == 1


@pytest.mark.parametrize("id", ["", "x" * 129, 5.5, ["a"], True])
def test_an_event_id_that_is_none_refuses_its_item_alone(api, id):
    items = [{"type": "event", "uid": "a1", "id": id, "event": "Paid"}, {"type": "event", "uid": "a1", "event": "Paid"}]
    found = api.post("batch", {"data": items}).json
    assert (found["accepted"], [one["index"] for one in found["errors"]]) == (1, [0])
