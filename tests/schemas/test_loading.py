"""app/schemas/loading.py: each lane of the fast loader loads what the schema would load, or leaves it to the schema."""

import json
from functools import partial

import pytest
from marshmallow import ValidationError

from app import clock
from app.domain import uids
from app.domain.writes import Alike, Item
from app.schemas import batches, loading
from app.schemas.events import EventSchema
from app.schemas.fields import ByValue, Uid
from app.schemas.users import CreateUserSchema, UpdateUserSchema
from tests import properties
from tests.schemas import bodies

USER = {
    "first_name": "Ada", "last_name": None, "email": "a@b.co", "number": "+23480", "is_account": True, "meta": {"n": 1}, "unknown": [],
}  # fmt: skip
EVENT = {"event": "Paid", "value": 49.5, "properties": {"currency": "USD"}}
USER_SCHEMAS, EVENT_SCHEMAS = (UpdateUserSchema(), CreateUserSchema(exclude=("id",))), (EventSchema(),)
SCHEMAS = {"update": UpdateUserSchema(), "create": CreateUserSchema(exclude=("id",)), "event": EventSchema()}


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: bodies.NOW)


# The lanes: each loads bodies, or returns None when it leaves one of them to the schema.


def alone(load):
    def load_each(sent):
        loaded = [load(body) for body in sent]
        return None if None in loaded else loaded

    return load_each


def new_user(body):
    loaded = loading.new_user({**body, "id": "u1"})
    return loaded and {name: value for name, value in loaded.items() if name != "id"}


def users_alike(sent):
    columns = loading.users_alike(sent)
    beside = frozenset(("type", "id"))
    assert loading.users_alike([{"type": "update", **body, "id": "u"} for body in sent], beside) == columns
    if columns is None:
        return None
    return [{name: column[index] for name, column in columns.items()} for index in range(len(sent))]


def batch(type):
    def load(sent):
        items = batches.load_together([type] * len(sent), ["u"] * len(sent), sent)
        assert items is None or [item[:3] for item in items] == [(index, type, "u") for index in range(len(sent))]
        return None if items is None else [item.fields for item in items]

    return load


USER_LANES = {
    "alone": alone(loading.user), "new": alone(new_user), "many": loading.users, "alike": users_alike, "batch": batch("update"),
}  # fmt: skip
EVENT_LANES = {"alone": alone(loading.event), "many": loading.events, "batch": batch("event")}


def agrees(load, schemas, sent):
    """Assert that a lane changes no body and loads as the schemas do. Return True if it loaded, False if it left them."""
    before = as_json(sent)
    loaded = load(sent)
    assert as_json(sent) == before, "the loader changed a body"
    if loaded is not None:
        for schema in schemas:
            assert as_json(loaded) == as_json([load_by_schema(schema, body) for body in sent])
    return loaded is not None


def both_agree(agree):
    """Return the property of common bodies and their odd twin; only the common ones count as reaching the loader."""

    def reaches(example):
        common, odd = example
        agree(odd)
        return agree(common)

    return reaches


def load_by_schema(schema, body):
    try:
        return schema.load(body)
    except ValidationError as error:
        error.add_note(f"The fast loader took {body}")
        raise


def as_json(value):
    return json.dumps(value, sort_keys=True)  # tells 1 from True and from 1.0, which are equal in Python


def one_changed(peer, table):
    """Yield bodies of which one has one value of the table: among peers, and alone."""
    for name, values in table.items():
        for value in values:
            yield [peer, {**peer, name: value}, peer]
            yield [{**peer, name: value}]


@pytest.mark.parametrize("lane", USER_LANES)
def test_each_lane_takes_a_user_up_to_every_limit(lane):
    table = {**bodies.COMMON_USER, **bodies.IGNORED_BY_USERS}
    if lane == "alike":
        table = {name: table[name] for name in USER}
    for sent in one_changed(USER, table):
        assert agrees(USER_LANES[lane], USER_SCHEMAS, sent), sent


@pytest.mark.parametrize("lane", USER_LANES)
def test_no_lane_takes_a_user_that_the_schema_refuses(lane):
    for sent in one_changed(USER, bodies.ODD_USER):
        agrees(USER_LANES[lane], USER_SCHEMAS, sent)


@pytest.mark.parametrize("lane", EVENT_LANES)
def test_each_lane_takes_an_event_up_to_every_limit(lane):
    for sent in one_changed(EVENT, {**bodies.COMMON_EVENT, **bodies.IGNORED_BY_EVENTS}):
        assert agrees(EVENT_LANES[lane], EVENT_SCHEMAS, sent), sent


@pytest.mark.parametrize("lane", EVENT_LANES)
def test_no_lane_takes_an_event_that_the_schema_refuses(lane):
    for sent in one_changed(EVENT, bodies.ODD_EVENT):
        agrees(EVENT_LANES[lane], EVENT_SCHEMAS, sent)
    agrees(EVENT_LANES[lane], EVENT_SCHEMAS, [EVENT, {"value": 1}])


@pytest.mark.parametrize("lane", USER_LANES)
def test_each_lane_loads_users_as_the_schema_does(lane):
    examples = bodies.USERS_ALIKE if lane == "alike" else bodies.USERS
    properties.check(both_agree(partial(agrees, USER_LANES[lane], USER_SCHEMAS)), examples)


@pytest.mark.parametrize("lane", EVENT_LANES)
def test_each_lane_loads_events_as_the_schema_does(lane):
    properties.check(both_agree(partial(agrees, EVENT_LANES[lane], EVENT_SCHEMAS)), bodies.EVENTS)


def test_a_field_with_a_rule_of_its_own_says_it_of_columns_too():
    """Otherwise it would load its columns by the rule of the class that it is made from."""
    fields = [type(one) for schema in (*USER_SCHEMAS, *EVENT_SCHEMAS) for one in schema.fields.values()]
    for kind in [one for one in fields if issubclass(one, ByValue)]:
        rule, column = (
            [one for one in kind.__mro__ if name in vars(one)][0] for name in ("_deserialize", "load_column")
        )
        assert column is ByValue or issubclass(column, rule), kind


# Items of a batch: a type and a uid stand beside the fields.


def load_item_by_schema(index, item):
    fields = {name: value for name, value in item.items() if name not in ("type", "id")}
    return Item(index, item["type"], Uid().deserialize(item["id"]), load_by_schema(SCHEMAS[item["type"]], fields))


def items_agree(items):
    """Assert that a batch loads as the schemas load each item. Return True if it loaded, False if it left them."""
    before = as_json(items)
    loaded = batches._load_together(items)
    assert as_json(items) == before, "the loader changed an item"
    if loaded is not None:
        assert as_json(list(loaded)) == as_json([load_item_by_schema(index, item) for index, item in enumerate(items)])
    return loaded is not None


def new_user_agrees(body):
    loaded = loading.new_user(body)
    if loaded is not None:
        assert as_json(loaded) == as_json(load_by_schema(CreateUserSchema(), body))
    return loaded is not None


ITEM_OF_USER, ITEM_OF_EVENT = {**USER, "type": "update", "id": "u1"}, {**EVENT, "type": "event", "id": "u1"}


def test_a_batch_loads_its_items_as_the_schemas_do():
    properties.check(both_agree(items_agree), bodies.ITEMS)


@pytest.mark.parametrize("peer", [ITEM_OF_USER, ITEM_OF_EVENT])
def test_a_batch_takes_every_plain_uid_and_leaves_the_others(peer):
    assert all(map(items_agree, one_changed(peer, {"id": bodies.COMMON_UIDS})))
    for items in one_changed(peer, {"id": bodies.ODD_UIDS, "type": bodies.ODD_TYPES}):
        items_agree(items)


@pytest.mark.parametrize("odd", [*bodies.WRONG, {"type": "update"}, {"id": "u1"}, {"type": "event", "id": "u1"}])
def test_a_batch_leaves_items_of_another_form_to_the_schema(odd):
    assert not items_agree([ITEM_OF_USER, odd]) and not items_agree([ITEM_OF_EVENT, odd])


def test_a_batch_takes_creates_updates_and_events():
    assert items_agree([ITEM_OF_USER, ITEM_OF_EVENT, {**ITEM_OF_USER, "type": "create"}, ITEM_OF_EVENT])
    assert items_agree([]) and items_agree([{"type": "update", "id": "u1"}] * 2)


def test_a_batch_of_users_with_the_same_fields_becomes_columns():
    alike = batches._load_together([ITEM_OF_USER, {**ITEM_OF_USER, "type": "create", "id": "u2"}])
    assert isinstance(alike, Alike) and (alike.types, alike.uids) == (["update", "create"], ["u1", "u2"])
    assert alike.columns == {name: [value] * 2 for name, value in USER.items() if name != "unknown"}


def test_a_new_user_is_loaded_with_every_plain_uid():
    for uid in bodies.COMMON_UIDS:
        assert new_user_agrees({**USER, "id": uid})
    for uid in bodies.ODD_UIDS:
        new_user_agrees({**USER, "id": uid})
    assert loading.new_user(USER) is None


def test_several_uids_are_plain_when_each_is():
    def agree(sent):
        plain = uids.are_plain([body["id"] for body in sent])
        assert plain == all(isinstance(body["id"], str) and uids.is_plain(body["id"]) for body in sent)
        return plain

    properties.check(both_agree(agree), bodies.UIDS)
    assert all(agree(sent) for sent in one_changed({"id": "u1"}, {"id": bodies.COMMON_UIDS}))
    assert not any(
        agree(sent) for sent in one_changed({"id": "u1"}, {"id": ["", "x" * 256, "ü", "u1\n", "a b", 5, None]})
    )


def test_each_date_of_a_column_is_loaded_to_its_own():
    users = [{"created_at": "2020-08-11"}, {}, {"created_at": 0}]
    assert agrees(loading.users, USER_SCHEMAS, users) and loading.users(users)[2] == {"created_at": 0}
    events = [{**EVENT, "timestamp": one} for one in (bodies.LAST_TIMESTAMP, 0)]
    assert agrees(loading.events, EVENT_SCHEMAS, events)
    assert not agrees(loading.events, EVENT_SCHEMAS, [{**EVENT, "timestamp": bodies.LAST_TIMESTAMP + 1}, events[1]])


def test_what_no_plain_write_stores_is_left_to_the_schema():
    assert loading.user({"device_token": "t"}) is None and loading.user({"uid": "u2"}) is None
    assert loading.event({**EVENT, "id": "order-17"}) is None


def test_no_users_and_no_events_are_loaded_as_none():
    assert loading.users([]) == loading.events([]) == [] and loading.users_alike([]) is None


@pytest.mark.parametrize("odd", [
    {}, {"first_name": "Ada"}, {**USER, "more": 1}, {**USER, "lists": []}, {**USER, "timestamp": 0},
    {**{name: USER[name] for name in USER if name != "unknown"}, "other": []},
])  # fmt: skip
def test_users_with_different_fields_are_not_alike(odd):
    assert loading.users_alike([USER, odd]) is None and loading.users_alike([odd, USER]) is None
