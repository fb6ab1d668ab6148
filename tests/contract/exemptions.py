"""What a lane cannot say, and where lanes disagree. A rule that needs such a word does not run over that lane.

Every row has an attempt, which returns True as soon as the lane can do it after all: then the row must go, and
test_exemptions.py says so. It also finds rows that no rule needs.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from app import errors
from tests.contract.lanes.batch import Batch
from tests.contract.lanes.lane import Lane
from tests.contract.lanes.profiles import ENGAGE
from tests.factories import fresh


class Exemption(NamedTuple):
    """Lanes (by name) and words (operations, fields, sorts of values, promises) that do not go together, and why.

    attempt: given a lane and a word, whether it can be done after all.
    """

    lanes: tuple[str, ...]
    words: tuple[str, ...]
    reason: str
    attempt: Callable[[Any, str], bool]


def able(lane: str, words: Any) -> bool:
    """Return True if the lane of that name can say all of the words."""
    return not any(lane in one.lanes and not set(words).isdisjoint(one.words) for one in (*CANNOT, *DIFFERENCES))


# ---- attempts: operations -----------------------------------------------------------------------------------------


def _is_written(lane: Lane, word: str) -> bool:
    """Whether the lane class has the operation: all that can be tried where the lane has no request for it."""
    return getattr(type(lane), word) is not getattr(Lane, word)


def _takes_type(lane: Any, word: str) -> bool:
    item = {"source": _known(lane), "destination": _known(lane), "meta": {"plan": None}}
    sent = (
        lane.send(word, _known(lane), item)
        if isinstance(lane, Batch)
        else lane.send({"type": word, "uid": "a", **item})
    )
    return bool(sent.taken)


def _takes_column_of_events(lane: Any, _: str) -> bool:
    return bool(lane.send(["id", "event"], [_known(lane), "Paid"]).taken)


def _has_route(lane: Any, word: str) -> bool:
    path, body = {
        "record": (f"users/{_known(lane)}/events", {"event": "Paid"}),
        "merge": ("users/merge", {"source": _known(lane), "destination": _known(lane)}),
    }[word]
    return bool(lane.call("POST", path, body).status_code != 404)


def _has_previous_cursor(lane: Any, _: str) -> bool:
    return bool(lane.call("GET", f"users?limit=1&previous_cursor={'f' * 24}").status_code == 200)


PRECONDITION_FAILED = 412


def _obeys_condition(lane: Lane, word: str) -> bool:
    write = getattr(lane, word.removeprefix("conditions on "))
    uid = _known(lane)
    try:
        with lane.conditions(If_None_Match="*"):
            refused = write(uid, {"event": "Paid"} if word.endswith("record") else {"email": "a@example.com"})
            return bool(not refused.taken and refused.status == PRECONDITION_FAILED)
    except NotImplementedError:
        return False


# ---- attempts: fields and values ----------------------------------------------------------------------------------


_SAMPLES = {
    "is_account": True, "device_platform": "ios", "lists": [], "accounts": [], "created_at": "2020-08-11",
    "app_last_active": "2020-08-11",
}  # fmt: skip


def _takes_field(lane: Lane, word: str) -> bool:
    return lane.update(fresh(), {word: _SAMPLES.get(word, "2.1")}).taken


def _changes_by_an_empty_cell(lane: Lane, word: str) -> bool:
    uid = _known(lane, meta={"plan": "pro"})
    return lane.update(uid, {"meta": {"plan": ""}}).taken and lane.api.get(f"users/{uid}").json["meta"] != {
        "plan": "pro"
    }


def _refuses_null_in_meta(lane: Lane, _: str) -> bool:
    return lane.update(_known(lane), {"meta": {"plan": None}}).names("meta.plan")


def _keeps_a_number(lane: Lane, _: str) -> bool:
    uid = fresh()
    lane.update(uid, {"meta": {"plan": 5}})
    response = lane.api.get(f"users/{uid}")
    return response.status_code == 200 and bool(response.json["meta"]["plan"] == 5)


def _refuses_an_object(lane: Lane, _: str) -> bool:
    return not lane.update(fresh(), {"meta": {"plan": {"a": 1}}}).taken


def _takes(name: str, value: Any) -> Callable[[Any, str], bool]:
    def attempt(lane: Any, _: str) -> bool:
        uid = fresh()
        sent = (
            lane.send({"id": uid, "profile": {name: value}})
            if lane.name == "atomic"
            else lane.send(["id", name], [uid, value])
        )
        return bool(sent.taken)

    return attempt


def _says_an_empty_key(lane: Any, _: str) -> bool:
    return not lane.send(["id", ""], [fresh(), "x"]).taken


def _says_301_keys(lane: Lane, _: str) -> bool:
    try:
        return lane.update(fresh(), {"meta": {f"k{number}": "x" for number in range(301)}}).names("meta")
    except errors.InvalidInput:
        return False


# ---- attempts: what is told, and names ----------------------------------------------------------------------------


def _tells(lane: Lane, word: str) -> bool:
    return getattr(lane.update(fresh(), {"email": "nope"}), word) is not None


def _refuses_a_padded_uid(lane: Lane, _: str) -> bool:
    return not lane.create(f" {fresh()}", {"email": "a@example.com"}).taken


def _wants_plain_ids(lane: Lane, _: str) -> bool:
    return not lane.create(f"{fresh()}-x", {}).taken


def _keeps_event_id(lane: Lane, _: str) -> bool:
    uid, name = fresh(), fresh()
    outcomes = [lane.record(uid, {"event": "Paid", "id": name}) for _ in range(2)]
    response = lane.api.get(f"users/{uid}/events")
    return all(one.taken for one in outcomes) and response.status_code == 200 and len(response.json["data"]) == 1


def _known(lane: Lane, **fields: Any) -> str:
    return str(lane.api.user(**fields)["uid"])


# ---- the tables ---------------------------------------------------------------------------------------------------


CANNOT = (
    Exemption(
        ("batch", "mixed", "ndjson", "csv"), ("read", "walk", "walk_back"),
        "it only writes; what it left is read by the routes", _is_written,
    ),
    Exemption(("batch", "mixed", "ndjson"), ("patch", "merge"), "an item is a create, an update or an event", _takes_type),
    Exemption(("csv",), ("patch", "merge"), "a row says what a profile has, as an update does", _is_written),
    Exemption(("csv",), ("record",), "a row is a customer", _takes_column_of_events),
    Exemption(("atomic",), ("record", "merge"), "the Atomic API has customers and no events", _has_route),
    Exemption(("atomic",), ("walk_back",), "its pages have a cursor for the next page alone", _has_previous_cursor),
    Exemption(("ndjson", "csv"), ("conditions on create", "conditions on update"), "a file has no headers", _obeys_condition),
    Exemption(
        ("batch", "mixed",), ("conditions on create", "conditions on update", "conditions on record"),
        "a condition is about one user, and a batch about many", _obeys_condition,
    ),
    Exemption(("ndjson",), ("conditions on record",), "a file has no headers", _obeys_condition),
    Exemption(
        ("atomic",), ("conditions on create", "conditions on update", "conditions on patch"),
        "the Atomic API shows no ETag to put into a condition", _obeys_condition,
    ),
    Exemption(("atomic",), ("first_name", "last_name"), "a profile has one name", _takes_field),
    Exemption(
        ("csv", "atomic"),
        tuple(sorted(ENGAGE - {"first_name", "last_name"})),
        "a profile has no such field", _takes_field,
    ),
    Exemption(("csv",), ("null", "empty text"), "an empty cell leaves the field as it is", _changes_by_an_empty_cell),
    Exemption(("csv",), ("padded uid",), "white space at the ends of a cell is cut off", _refuses_a_padded_uid),
    Exemption(("csv",), ("json",), "a cell is text, whatever it looks like", _refuses_an_object),
    Exemption(
        ("csv", "atomic"), ("null in meta",), "null clears a field of a profile, and an empty cell leaves it", _refuses_null_in_meta
    ),
    Exemption(("csv", "atomic"), ("typed meta",), "all that a profile holds is text", _keeps_a_number),
    Exemption(("atomic",), ("integer number",), "all that a profile holds is text", _takes("phone", 2348031234567)),
    Exemption(("csv", "atomic"), ("whole meta",), "a profile is flat: each entry of meta is a field of its own", _takes("meta", "")),
    Exemption(("csv", "atomic"), ("unknown key",), "a profile has only fields that were defined", _takes("nickname", "x")),
    Exemption(
        ("csv", "atomic"), ("301 keys",), "a file has at most 99 columns, an environment 300 custom fields", _says_301_keys
    ),
    Exemption(("csv",), ("empty key",), "a column without a name is left out", _says_an_empty_key),
    Exemption(("ndjson", "csv"), ("code",), "the file of errors tells the line, the field and the sentence", _tells),
    Exemption(("batch", "mixed", "ndjson", "csv"), ("status",), "a record of many has no HTTP status of its own", _tells),
    Exemption(
        ("ndjson", "csv", "atomic"), ("plain ids",),
        "only `POST /users` and the `create` of a batch want ids of letters and digits", _wants_plain_ids,
    ),
)  # fmt: skip


DIFFERENCES: tuple[Exemption, ...] = ()
