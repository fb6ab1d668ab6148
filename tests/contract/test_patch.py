"""Patch (RFC 7396): what is sent is merged, null removes, also a key of meta."""

from tests.contract.rule import can, need, rule
from tests.factories import fresh

need("whole meta")


@rule("patch")
def test_null_removes_a_key_of_meta_and_the_rest_is_merged(lane, reference):
    before = reference.api.user(first_name="Ada", email="a@example.com", meta={"plan": "pro", "city": "Lagos", "n": 1})
    patch = {"email": None, "number": "+23480312", "meta": {"plan": None, "region": "North", "country": None}}
    assert lane.patch(before["uid"], patch).taken
    after = {"email": None, "number": "+23480312", "meta": {"city": "Lagos", "n": 1, "region": "North"}}
    assert reference.read(before["uid"]) == {**before, **after}


@rule("patch")
def test_a_missing_user_is_made_without_the_keys_that_are_null(lane, reference):
    uid = fresh()
    assert lane.patch(uid, {"email": "a@example.com", "meta": {"plan": "pro", "city": None}}).taken
    assert (reference.read(uid)["email"], reference.read(uid)["meta"]) == ("a@example.com", {"plan": "pro"})


@rule("patch")
def test_what_is_removed_makes_room(lane, reference):
    uid = reference.api.user(meta={"city": "Lagos", **{f"k{number}": number for number in range(299)}})["uid"]
    assert lane.patch(uid, {"meta": {"city": None, "region": "North"}}).taken
    assert not lane.patch(uid, {"meta": {"city": "Lagos"}}).taken
    if can(lane, "whole meta"):
        assert lane.patch(uid, {"meta": None}).taken and reference.read(uid)["meta"] == {}
