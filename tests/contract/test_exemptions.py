"""The tables of exemptions cannot rot: every row is true today, and some rule needs it."""

import importlib
from collections import Counter
from pathlib import Path

import pytest

from app.api.hot import Reply
from tests.contract.exemptions import CANNOT, DIFFERENCES, able
from tests.contract.lanes import LANES, Hot, Lane
from tests.contract.lanes.hot import LEFT_TO_ROUTES
from tests.contract.rule import NEEDED

OPERATIONS = ("create", "update", "patch", "record", "read", "walk", "walk_back", "merge")


@pytest.mark.parametrize("lane", LANES, indirect=True)
def test_what_a_lane_cannot_say_it_cannot(lane):
    for one in (*CANNOT, *DIFFERENCES):
        for word in one.words if lane.name in one.lanes else ():
            assert not one.attempt(lane, word), f"{lane.name} can say {word} by now: take it out of the table"


def test_no_exemption_is_there_twice_or_for_nothing():
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"tests.contract.{path.stem}")
    said = Counter((lane, word) for one in (*CANNOT, *DIFFERENCES) for lane in one.lanes for word in one.words)
    assert [one for one, times in said.items() if times > 1] == []
    assert {lane for lane, _ in said} <= LANES.keys()
    assert {word for _, word in said} - NEEDED == set(), "no rule needs these words"


def test_a_lane_has_every_operation_that_the_table_does_not_list():
    for lane in LANES.values():
        written = {name for name in OPERATIONS if getattr(lane, name) is not getattr(Lane, name)}
        assert written == {name for name in OPERATIONS if able(lane.name, [name])}, lane.name


@pytest.mark.parametrize("lane", ["hot"], indirect=True)
def test_the_hot_path_leaves_to_the_routes_what_is_listed(lane):
    lane.api.user("known")
    for one, asked in [(one, asked) for one in LEFT_TO_ROUTES for asked in one.examples]:
        reasons = [other.reason for other in LEFT_TO_ROUTES if other.is_meant(asked)]
        assert reasons == [one.reason], f"{asked} is an example of more than it is meant for"
        lane.headers = dict.fromkeys(asked.headers, "x")
        assert not isinstance(lane.path([lane.request(asked)])[0], Reply), f"{asked} is answered hot by now"
        lane.headers = {}
        assert lane.ask_route(asked.method, asked.path, asked.body).status == 200, f"{asked} is left as it is bad"


@pytest.mark.parametrize("lane", ["hot"], indirect=True)
def test_the_common_requests_of_the_suite_are_answered_by_the_hot_path(lane: Hot):
    outcomes = [
        lane.create("known", {"first_name": "Ada"}),
        lane.update("known", {"meta": {"plan": "pro"}}),
        lane.record("known", {"event": "Paid"}),
    ]
    assert all(one.taken for one in outcomes) and lane.read("known") and lane.walk(1) == ["known"]
    assert lane.hits == 5
