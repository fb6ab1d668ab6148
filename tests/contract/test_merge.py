"""Merge: the source becomes part of the destination, and is gone."""

from tests.contract.rule import rule
from tests.factories import fresh


@rule("merge")
def test_events_devices_lists_and_fields_move(lane, reference, make_list):
    news, token = make_list("News"), fresh()
    source = reference.api.user(email="s@example.com", meta={"a": 1, "b": 1}, lists=[news], device_token=token)
    destination = reference.api.user(first_name="Ada", meta={"b": 2})
    reference.record(source["uid"], {"event": "Paid", "timestamp": "2026-01-12"})
    assert lane.merge(source["uid"], destination["uid"]).taken
    merged = reference.read(destination["uid"])
    assert (merged["first_name"], merged["email"], merged["meta"]) == ("Ada", "s@example.com", {"a": 1, "b": 2})
    assert merged["lists"] == [{"id": news, "subscribed": True}]
    assert merged["devices"] == [{"token": token, "platform": None}]
    assert [one["event"] for one in reference.events(destination["uid"])] == ["Paid"]
    assert reference.read(source["uid"]) is None and reference.walk(10) == [destination["uid"]]


@rule("merge")
def test_a_missing_destination_gives_its_uid_to_the_source(lane, reference):
    source, uid = reference.api.user(email="s@example.com"), fresh()
    assert lane.merge(source["uid"], uid).taken
    assert reference.read(uid) == {**source, "uid": uid} and reference.read(source["uid"]) is None


@rule("merge")
def test_a_missing_source_changes_nothing(lane, reference, stored):
    uid = reference.api.user()["uid"]
    before = stored()
    assert lane.merge(fresh(), uid).taken and stored() == before


@rule("merge")
def test_a_merge_that_breaks_a_rule_changes_nothing(lane, reference, stored):
    one, two = (reference.api.user(meta={f"{side}{n}": n for n in range(200)})["uid"] for side in "ab")
    before = stored()
    for source, destination in ((one, one), (one, two), (one, "a/b"), ("", one), (None, one)):
        outcome = lane.merge(source, destination)
        assert (outcome.taken, outcome.code, outcome.status) == (False, "invalid_input", 400), (source, destination)
        assert stored() == before, (source, destination)
