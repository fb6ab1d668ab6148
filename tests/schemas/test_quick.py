"""What is loaded by hand is what the schema loads."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import uids
from app.items import Alike, Loaded
from app.schemas import batches, quick
from app.schemas.events import EventSchema
from app.schemas.users import CreateUserSchema, UpdateUserSchema

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=300)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts
flat = st.dictionaries(st.text("abc.$", max_size=130), scalars | st.lists(scalars, max_size=1), max_size=5)
odd = scalars | flat | st.lists(texts, max_size=2) | st.sampled_from(["x" * 255, "x" * 256, "é" * 2048, "é" * 1025])
dates = scalars | st.sampled_from(["2026-01-12T05:24:39Z", "2026-13-01", "2199-12-31", 1_700_000_000, "2020-08-11"])
emails = odd | st.emails() | st.from_regex(r"[a-z.+]{1,66}@[a-z.-]{1,20}\.[a-z]{1,7}", fullmatch=True)
numbers = odd | st.from_regex(r"\+?[0-9 ().-]{3,30}", fullmatch=True) | st.integers(0, 10**15)
known = [*CreateUserSchema().fields, *UpdateUserSchema().fields, "type", "unknown"]
USERS = st.fixed_dictionaries(
    {},
    optional={
        **{name: odd for name in known if name != "id"},
        "email": emails,
        "number": numbers,
        "created_at": dates,
        "meta": flat | odd,
        "is_account": st.booleans() | odd,
    },
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={"event": odd, "value": odd, "properties": flat | odd, "timestamp": dates, "id": odd, "unknown": odd},
)


@settings(max_examples=300, deadline=None)
@given(USERS)
def test_a_user_is_loaded_as_the_schema_loads_it(body):
    loaded = quick.user(dict(body))
    if loaded is not None:
        assert loaded == UpdateUserSchema().load(body) == CreateUserSchema(exclude=("id",)).load(body)


@settings(max_examples=300, deadline=None)
@given(USERS, odd | st.from_regex("[A-Za-z0-9]{1,3}", fullmatch=True))
def test_a_new_user_is_loaded_as_the_schema_loads_it(body, id):
    loaded = quick.new_user({**body, "id": id})
    if loaded is not None:
        assert loaded == CreateUserSchema().load({**body, "id": id})


@settings(max_examples=300, deadline=None)
@given(EVENTS)
def test_an_event_is_loaded_as_the_schema_loads_it(body):
    loaded = quick.event(dict(body))
    if loaded is not None:
        assert loaded == EventSchema().load(body)


@pytest.mark.parametrize(
    "body",
    [
        {
            "first_name": "Ada",
            "last_name": None,
            "email": "ada.l+x@mail.example.com",
            "meta": {"plan": "pro", "n": 1.5},
        },
        {"number": "+234 803 123 4567", "is_account": True, "created_at": "2020-08-11"},
        {},
    ],
)
def test_the_common_user_is_loaded_by_hand(body):
    assert quick.user(body) is not None
    assert quick.new_user({**body, "id": "u1"}) == {**quick.user(body), "id": "u1"}


@pytest.mark.parametrize(
    "body",
    [
        {"event": "Paid"},
        {"event": "Paid", "value": 49.5, "properties": {"currency": "USD"}, "timestamp": "2026-01-12T05:24:39Z"},
    ],
)
def test_the_common_event_is_loaded_by_hand(body):
    assert quick.event(body) is not None


@pytest.mark.parametrize("field", ["lists", "accounts", "device_token", "uid", "archived", "tz"])
def test_what_is_seldom_is_left_to_the_schema(field):
    assert quick.user({"first_name": "Ada", field: None}) is None


@settings(max_examples=300, deadline=None)
@given(st.lists(USERS, max_size=4))
def test_many_users_are_loaded_as_each_of_them_is(bodies):
    loaded = quick.users([dict(body) for body in bodies])
    assert loaded is None or loaded == [quick.user(body) for body in bodies]


@settings(max_examples=300, deadline=None)
@given(st.lists(USERS, max_size=4) | USERS.map(lambda body: [body] * 3))
def test_users_alike_are_loaded_as_each_of_them_is(bodies):
    columns = quick.users_alike([dict(body) for body in bodies])
    if columns is not None:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        assert (rows or [{} for _ in bodies]) == [quick.user(body) for body in bodies]
    named = [{"type": "update", **body, "id": "u"} for body in bodies]
    assert quick.users_alike(named, frozenset(("type", "id"))) == columns


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENTS, max_size=4))
def test_many_events_are_loaded_as_each_of_them_is(bodies):
    loaded = quick.events([dict(body) for body in bodies])
    assert loaded is None or loaded == [quick.event(body) for body in bodies]


ITEMS = st.builds(
    lambda body, more: {**body, **more},
    USERS | EVENTS,
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["create", "update", "event", "x", 1]),
            "id": st.sampled_from(["u1", "ü", "", 1]),
        },
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(ITEMS | scalars, max_size=4))
def test_many_items_are_loaded_as_each_of_them_is(items):
    together = batches._load_together(items)
    assert together is None or Loaded(list(together), {}) == batches.load_each(batches._load, items)


def test_common_items_are_loaded_together():
    user, event = {"type": "update", "id": "u1", "first_name": "Ada"}, {"type": "event", "id": "u1", "event": "Paid"}
    assert batches._load_together([user, event, {**user, "type": "create"}]) is not None
    assert batches._load_together([]) == []
    alike = batches._load_together([user, {**user, "id": "u2"}])
    assert isinstance(alike, Alike) and alike.columns == {"first_name": ["Ada", "Ada"]}


@given(st.lists(texts | st.text("aZ09", max_size=260) | st.integers(), max_size=4))
def test_many_uids_are_plain_when_each_is(named):
    assert uids.are_plain(named) == all(isinstance(one, str) and uids.is_plain(one) for one in named)


COMMON = {
    "first_name": "Ada",
    "last_name": None,
    "email": "a@b.co",
    "number": "+23480",
    "meta": {"n": 1},
    "unknown": [],
}


@pytest.mark.parametrize("odd", [
    {"first_name": "x" * 256}, {"first_name": 1}, {"number": "1234"}, {"number": 12345}, {"number": ""}, {"email": "x"}, {"meta": None},
    {"meta": {"": 1}}, {"meta": {"k" * 129: 1}}, {"meta": {"k": None}}, {"meta": {"k": "x" * 4097}}, {"meta": []}, {"lists": []},
    {"meta": {str(n): 1 for n in range(301)}}, {"is_account": 1}, {"created_at": None}, {"created_at": "2026-02-30"},
])  # fmt: skip
def test_one_that_is_not_surely_right_leaves_all_to_be_looked_at_alone(odd):
    assert quick.users([COMMON, COMMON]) == [quick.user(COMMON)] * 2
    assert quick.users([COMMON, odd, COMMON]) is None and quick.user(odd) is None


def test_users_alike_are_columns():
    known = {name: [value] * 2 for name, value in COMMON.items() if name != "unknown"}
    assert quick.users_alike([COMMON, COMMON]) == known
    assert quick.users_alike([COMMON, {"last_name": "B", **COMMON}]) == {**known, "last_name": [None, None]}


@pytest.mark.parametrize("odd", [
    {}, {"first_name": "Ada"}, {**COMMON, "more": 1}, {**{name: COMMON[name] for name in COMMON if name != "unknown"}, "lists": []},
    {**COMMON, "email": "a@b.co\nc@d.co"}, {**COMMON, "number": "+23480\n23480"}, {**COMMON, "meta": {"k": None}},
])  # fmt: skip
def test_users_of_whom_one_is_not_as_the_others_are_not_alike(odd):
    assert quick.users_alike([COMMON, odd]) is None and quick.users_alike([odd, COMMON]) is None
