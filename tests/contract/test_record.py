"""Record: an event is stored once, with all that was said of it."""

from app import clock
from app.domain import dates
from tests.contract.rule import rows_for, rule, taken
from tests.factories import fresh

DAY = "2026-01-12T00:00:00.000+00:00"
TAKEN = (
    taken({"event": "Paid"}),
    taken({"event": "é" * 255}),
    taken({"event": 'quo"te\\ \u2028'}),
    taken({"event": "Paid", "value": "text"}),
    taken({"event": "Paid", "value": ""}),
    taken({"event": "Paid", "value": 49.5}),
    taken({"event": "Paid", "value": 0}),
    taken({"event": "Paid", "value": -(2**53 - 1)}),
    taken({"event": "Paid", "value": True}),
    taken({"event": "Paid", "value": None}),
    taken({"event": "Paid", "properties": {"currency": "USD", "n": 1, "share": 0.5, "is_first": False, "é" * 128: ""}}),
    taken({"event": "Paid", "properties": {f"k{number}": number for number in range(100)}}),
    taken({"event": "Paid", "properties": None}, {"properties": {}}),
    taken({"event": "Paid", "properties": []}, {"properties": {}}),
    taken({"event": "Paid", "timestamp": "2026-01-12"}, {"timestamp": DAY}),
    taken({"event": "Paid", "timestamp": "2026-01-11T18:30:00.000999-05:30"}, {"timestamp": DAY}),
    taken({"event": "Paid", "timestamp": 1_768_176_000}, {"timestamp": DAY}),
    taken({"event": "Paid", "timestamp": "1900-01-01"}, {"timestamp": "1900-01-01T00:00:00.000+00:00"}),
    taken({"event": "Paid", "timestamp": None}, {"event": "Paid"}),
    taken({"event": "Paid", "unknown": [1]}, {"event": "Paid"}),
)
BARE = {"value": None, "properties": {}}


@rule("record")
def test_an_event_is_stored_once_and_shown_as_given(lane, reference):
    for row in rows_for(lane, TAKEN):
        uid, began = fresh(), clock.now()
        outcome = lane.record(uid, row.sent)
        assert outcome.taken, (row.sent, outcome)
        [shown] = reference.events(uid)
        timestamp = shown.pop("timestamp")
        expected = {**BARE, **{name: row.sent[name] for name in ("event", "value") if name in row.sent}, **row.expected}
        if "timestamp" in row.expected and row.expected["timestamp"]:
            assert timestamp == expected.pop("timestamp"), row.sent
        else:
            assert began <= dates.parse(timestamp) <= clock.now(), row.sent
        assert shown == expected, row.sent


@rule("record")
def test_minus_zero_is_stored_as_zero(lane, reference):
    """cases/minus-zero.md"""
    uid = fresh()
    assert lane.record(uid, {"event": "Paid", "value": -0.0, "properties": {"z": -0.0}}).taken
    [shown] = reference.events(uid)
    assert (str(shown["value"]), str(shown["properties"]["z"])) in {("0", "0"), ("0.0", "0.0")}


@rule("record")
def test_an_unknown_uid_makes_a_bare_user(lane, reference, twin):
    uid = fresh()
    event = {"event": "Paid", "timestamp": "2026-01-12"}
    assert lane.record(uid, event).taken and twin.record(uid, event).taken
    user = reference.read(uid)
    assert user == {**twin.read(uid), "id": user["id"], "created_at": user["created_at"]}
    assert user["last_interaction"] == DAY and reference.walk(10) == [uid]


@rule("record")
def test_the_newest_event_is_the_last_interaction_and_comes_first(lane, reference):
    before = reference.api.user(first_name="Ada")
    for day in ("2026-01-02", "2026-01-12", "2026-01-01"):
        assert lane.record(before["uid"], {"event": day, "timestamp": day}).taken
    assert reference.read(before["uid"]) == {**before, "last_interaction": DAY}
    assert [one["event"] for one in reference.events(before["uid"])] == ["2026-01-12", "2026-01-02", "2026-01-01"]


@rule("record")
def test_an_event_of_an_archived_user_is_dropped(lane, reference, stored, archive_user):
    uid = reference.api.user()["uid"]
    archive_user(uid)
    before = stored()
    assert lane.record(uid, {"event": "Paid"}).taken
    assert stored() == before


@rule("record")
def test_an_event_about_an_erased_uid_is_not_stored(lane, reference, stored):
    uid = reference.api.user()["uid"]
    assert reference.api.delete(f"users/{uid}").status_code == 200
    before = stored()
    for _ in range(2):
        assert lane.record(uid, {"event": "Paid"}).taken
    assert stored() == before and reference.api.get(f"users/{uid}").status_code == 404
    reference.update(uid, {"first_name": "Ada"})
    assert lane.record(uid, {"event": "Paid"}).taken
    assert len(reference.events(uid)) == 1


@rule("record", "event id")
def test_the_second_event_of_one_id_is_not_stored(lane, reference):
    one, two, name = fresh(), fresh(), fresh()
    assert lane.record(one, {"event": "Paid", "id": name}).taken
    assert lane.record(two, {"event": "Paid again", "id": name}).taken
    assert [event["event"] for event in reference.events(one)] == ["Paid"]
