"""What GET showed can be sent back, and changes nothing (engage.md section 4)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import fresh
from tests.places import SHOWN, STATES

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
METAS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    TEXTS | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.floats(-9, 9),
)
USERS = st.fixed_dictionaries(
    {},
    optional={
        "first_name": TEXTS, "last_name": TEXTS, "email": st.sampled_from(["a@example.com", "B@Example.com"]),
        "number": st.sampled_from(["+1 (555) 000-1", 5550001, "555.0001"]), "is_account": st.booleans(), "meta": METAS,
        "created_at": st.sampled_from(["2020-08-11", 0, "1969-12-31T23:59:59.999Z"]),
    },
)  # fmt: skip


def everything(api, fields):
    """Make a user of whom all is set that can be, with lists in every state; return the uid."""
    acme = api.user(is_account=True)["uid"]
    plain = api.user()["uid"]
    lists = [
        {"id": api.post("lists", {"title": "News"}).json["id"], **SHOWN[status]}
        for status in STATES
        if status is not None
    ]
    uid = f"{fresh()}@example.com"
    accounts = [{"id": acme, "role": "owner"}, {"id": plain}]
    made = api.put(f"users/{uid}", {**fields, "lists": lists, "accounts": accounts, "device_token": fresh()})
    assert made.status_code == 200, made.json
    api.post(f"users/{plain}/convert", {"type": "customer"})  # the place in it stays
    api.post(f"users/{uid}/events", {"event": "Paid"})
    return uid


@FEW
@given(fields=USERS, is_archived=st.booleans())
def test_put_patch_and_update_items_take_what_get_showed_and_change_nothing(api, tables, fields, is_archived):
    uid = everything(api, fields)
    if is_archived:
        api.post(f"users/{uid}/archive")
    shown, before = api.get(f"users/{uid}").json, tables()
    for write in (
        lambda: api.put(f"users/{uid}", shown),
        lambda: api.call("PATCH", f"users/{uid}", shown),
        lambda: api.post("batch", {"data": [{"type": "update", **shown}]}),
    ):
        answer = write()
        assert answer.status_code == 200 and not answer.json.get("rejected"), answer.json
        assert api.get(f"users/{uid}").json == shown
    after = tables()
    assert {name for name in after if after[name] != before[name]} <= {"segment_queue"}


def test_a_user_without_a_uid_of_its_own_can_be_sent_back_too(api, make_list):
    uid = api.post(f"lists/{make_list('News')}/subscribers", {"email": "a@example.com"}).json["uid"]
    shown = api.get(f"users/{uid}").json
    assert shown["uid"] == shown["id"]
    for answer in (api.put(f"users/{uid}", shown), api.post("batch", {"data": [{"type": "update", **shown}]})):
        assert answer.status_code == 200 and not answer.json.get("rejected"), answer.json
    assert api.get(f"users/{uid}").json == shown


@pytest.mark.parametrize("by", ["secret", "public"])
def test_post_of_what_get_showed_makes_no_second_person(api, tables, by):
    """Case post-user-id-and-uid."""
    shown = api.get(f"users/{api.user(email='u@example.com')['uid']}").json
    before = tables()
    refused = api.post("users", shown, by=by)
    assert (refused.status_code, list(refused.json["details"])) == (400, ["uid"])
    refused = api.post("batch", {"data": [{"type": "create", **shown}]}).json["errors"]
    assert [list(one["details"]) for one in refused] == [["uid"]]
    assert tables() == before


def test_post_takes_id_and_uid_that_are_the_same(api):
    for body in ({"id": "u1", "uid": "u1"}, {"id": 17, "uid": "17"}, {"id": "u2", "uid": None}):
        assert api.post("users", body).json["uid"] == str(body["id"])
        assert api.post("batch", {"data": [{"type": "create", **body, "first_name": "x"}]}).json["errors"] == []
