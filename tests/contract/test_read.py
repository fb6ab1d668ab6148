"""Read: a lane that reads shows what any lane wrote."""

from tests.contract.rule import rule
from tests.factories import fresh


@rule("read")
def test_read_shows_what_the_routes_wrote(lane, reference):
    user = reference.api.user(email="A@example.com", number="+234 803", meta={"city": "Lagos", "country": ""})
    shown = lane.read(user["uid"])
    assert shown == {name: user[name] for name in shown}
    assert shown.keys() >= {"uid", "email", "number", "meta"}


@rule("read", "update")
def test_read_shows_what_the_lane_wrote_at_once(lane):
    uid = fresh()
    for plan in ("free", "pro"):
        lane.update(uid, {"meta": {"plan": plan}})
        assert lane.read(uid)["meta"] == {"plan": plan}


@rule("read")
def test_who_is_missing_is_not_found(lane, reference, twin):
    uid = twin.api.user()["uid"]
    assert lane.read(fresh()) is None and lane.read(uid) is None
    deleted = reference.api.user()["uid"]
    reference.api.delete(f"users/{deleted}")
    assert lane.read(deleted) is None
