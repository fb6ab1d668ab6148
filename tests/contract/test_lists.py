"""Lists in the body of a user: their ids subscribe."""

import pytest

from tests.contract.rule import can, need, rule
from tests.factories import fresh

need("lists as shown on create")
WRITES = ("create", "update")


@rule("create", "update", "lists")
@pytest.mark.parametrize("write", WRITES)
def test_lists_of_a_body_subscribe_once(lane, reference, make_list, write):
    uid, news, sales = fresh(), make_list("News"), make_list("Sales")
    for lists in ([news], [news, sales], [sales, sales]):
        assert getattr(lane, write)(uid, {"first_name": "Ada", "lists": lists}).taken, lists
    assert {one["id"]: one["subscribed"] for one in reference.read(uid)["lists"]} == {news: True, sales: True}
    assert [reference.api.get(f"lists/{one}").json["subscriber_count"] for one in (news, sales)] == [1, 1]


@rule("create", "update", "lists")
def test_a_body_that_names_no_list_leaves_those_there_are(lane, reference, make_list):
    news = make_list("News")
    uid = reference.api.user(lists=[news])["uid"]
    assert lane.update(uid, {"lists": []}).taken and lane.update(uid, {"first_name": "Ada"}).taken
    assert reference.read(uid)["lists"] == [{"id": news, "subscribed": True}]


@rule("create", "update", "lists")
@pytest.mark.parametrize("write", WRITES)
def test_an_unknown_or_archived_list_is_refused_and_nothing_is_stored(
    lane, stored, make_list, archive_list, twin, write
):
    news, old, theirs = make_list("News"), make_list("Old"), make_list("Theirs", twin.api)
    archive_list(old)
    before = stored()
    for bad in ("0" * 24, "no id", old, theirs):
        outcome = getattr(lane, write)(fresh(), {"first_name": "Ada", "lists": [news, bad]})
        assert not outcome.taken and outcome.names("lists"), (bad, outcome)
        assert stored() == before, bad


@rule("update", "lists")
def test_lists_may_be_sent_as_they_are_shown(lane, reference, make_list):
    news, left = make_list("News"), make_list("Left")
    shown = [{"id": news, "subscribed": True}, {"id": left, "subscribed": False}]
    for write in WRITES if can(lane, "lists as shown on create") else ("update",):
        uid = fresh()
        assert getattr(lane, write)(uid, {"lists": shown}).taken
        assert reference.read(uid)["lists"] == shown[:1]
