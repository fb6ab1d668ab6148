"""`POST /v1/batch`: every write is an item of a batch."""

from typing import Any

from tests.contract.lanes.lane import Fields, HttpLane
from tests.contract.lanes.routes import Answer, outcome_of
from tests.contract.outcome import Outcome


class Batch(HttpLane):
    """A batch of one item, which is done as columns where that is possible."""

    name = "batch"
    before: tuple[Any, ...] = ()  # items that stand in the batch before the one
    after: tuple[Any, ...] = ()

    def create(self, uid: Any, fields: Fields) -> Outcome:
        return self.send("create", uid, fields)

    def update(self, uid: Any, fields: Fields) -> Outcome:
        return self.send("update", uid, fields)

    def record(self, uid: Any, event: Fields) -> Outcome:
        return self.send("event", uid, {"uid": uid, **event} if "id" in event else event)

    def send(self, type: str, uid: Any, fields: Fields) -> Outcome:
        """Send one item of any type."""
        items = [*self.before, {"type": type, "id": uid, **fields}, *self.after]
        response = self.api.post("batch", {"data": items}, headers=self.headers)
        reply = response.json
        if response.status_code != 200:
            return outcome_of(Answer(response.status_code, reply, {}))
        refused = {error["index"]: error for error in reply["errors"]}
        mine = refused.pop(len(self.before), None)
        assert len(refused) == len(items) - 1, f"the items beside {items} are bad: {reply}"
        stored = sum(reply[name] for name in ("accepted", "duplicate", "dropped"))
        assert (stored, reply["rejected"]) == (int(mine is None), len(reply["errors"])), reply
        if mine is None:
            return Outcome(True, status=200, said=reply)
        return outcome_of(Answer(400, {"details": {}, **mine}, {}))._replace(status=None)


class Mixed(Batch):
    """A batch of one item between two bad ones, for which all are loaded one by one; the one must not suffer from it."""

    name = "mixed"
    before = ({"type": "update", "id": "beside", "email": "nope"},)
    after = (None,)
