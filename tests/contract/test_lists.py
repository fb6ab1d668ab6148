"""Lists in the body of a user: they put somebody on a list, and never raise consent (docs/lists.md)."""

import pytest

from app.domain.consent import PENDING, SUBSCRIBED, UNSUBSCRIBED, Act, decide
from tests.contract.rule import rule
from tests.factories import fresh
from tests.places import SHOWN, STATES, place_in

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


@rule("create", "update", "lists")
@pytest.mark.parametrize("is_double", [False, True])
def test_a_body_raises_no_consent(lane, reference, is_double):
    """Cases list-reimport-resubscribes and list-optout-lost-on-import, and all their siblings."""
    api = reference.api
    for write in WRITES:
        for before in STATES:
            for status in (SUBSCRIBED, PENDING, UNSUBSCRIBED):
                uid, news = place_in(api, before, is_double)
                shown = SHOWN[status] | {"id": news}
                after = decide(before, Act.SENT, status, is_double)
                for sent in [shown, *([news] if status == SUBSCRIBED else [])]:
                    outcome = getattr(lane, write)(uid, {"first_name": "Ann", "lists": [sent]})
                    assert outcome.taken, (write, before, sent)
                    expected = [] if after is None else [{"id": news, **SHOWN[after]}]
                    assert reference.read(uid)["lists"] == expected, (write, before, sent)
                counted = api.get(f"lists/{news}").json["subscriber_count"]
                assert counted == int(after in (SUBSCRIBED, PENDING)), (write, before, status)


@rule("update")
def test_a_body_without_lists_leaves_every_place(lane, reference):
    for before in STATES:
        uid, _ = place_in(reference.api, before, double_optin=True)
        shown = reference.read(uid)["lists"]
        assert lane.update(uid, {"email": "ann@example.com"}).taken and reference.read(uid)["lists"] == shown


@rule("merge")
def test_whoever_left_has_left_after_a_merge_too(lane, reference):
    ranks = [None, PENDING, SUBSCRIBED, UNSUBSCRIBED]
    for one in STATES:
        for other in STATES:
            source, news = place_in(reference.api, one, double_optin=True)
            destination, _ = place_in(reference.api, other, double_optin=True, news=news)
            assert lane.merge(source, destination).taken
            after = max(one, other, key=ranks.index)
            expected = [] if after is None else [{"id": news, **SHOWN[after]}]
            assert reference.read(destination)["lists"] == expected, (one, other)
            counted = reference.api.get(f"lists/{news}").json["subscriber_count"]
            assert counted == int(after in (SUBSCRIBED, PENDING)), (one, other)
