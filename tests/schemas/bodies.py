"""Users, events and items of a batch for the loaders: valid ones, and ones with a single odd field.

`COMMON_...` has the values that the fast loader must take, up to each limit. `ODD_...` has those just outside, those of
the wrong type, and valid ones that are rare, which the fast loader may leave to the schema.
"""

from typing import Any

from hypothesis import strategies as st

from app.domain import dates
from app.schemas.events import MAX_AHEAD

NOW = 1_800_000_000_000  # milliseconds; the time of the clock in these tests
LAST_TIMESTAMP = NOW + MAX_AHEAD
FIRST_MILLISECONDS = 10**11  # a smaller number is read as seconds

WRONG = [None, True, False, 0, 1, 1.5, "", "x", "é" * 300, [], ["x"], [None], {}, {"k": {}}, {"k": [1]}]
RARE = [None, True, "x", []]  # of fields that the fast loader leaves to the schema

COMMON_NAMES = [None, "", "Ada", "x" * 255, "é" * 255, "𝄞" * 255, "a\nb"]
COMMON_DATES = [
    "2020-08-11", "2026-01-12T05:24:39Z", "2026-01-12T05:24:39.062+02:00", "1900-01-01", 0, -1.5, 1_700_000_000, dates.FIRST,
]  # fmt: skip
COMMON_USER: dict[str, list[Any]] = {
    "first_name": COMMON_NAMES,
    "last_name": COMMON_NAMES,
    "number": [None, "12345", "+12345", "0" * 20, "+234 803 123 4567", "+(1) 2.3-4 5", "12345".ljust(64)],
    "email": [
        None, "a@b.co", "a+b@c.co", "ada.l+x_y-Z9@mail.example.com", "A@B.ABCDEF", "a" * 64 + "@b.co", "a@" + "b" * 60 + ".co",
        "a" * 64 + "@" + ("b" * 60 + ".") * 3 + "abcdef",
    ],
    "is_account": [False, True],
    "meta": [
        {}, {"k": 1, "n": 1.5, "b": False, "s": ""}, {"k" * 128: "é" * 1024}, {"é" * 128: "𝄞" * 1024}, {"k": "x" * 1024},
        {str(key): key for key in range(300)},
    ],
    "created_at": [*COMMON_DATES, "2199-12-31", dates.LAST],
    "tz": [None, "Africa/Lagos", "Etc/GMT+1", "x" * 64, "UTC-3:00"],
    "app_version": [None, "", "2.1.0", "é" * 64],
    "app_build": [None, "", "410", "é" * 64],
    "app_last_active": [None, *COMMON_DATES],
}  # fmt: skip
IGNORED_BY_USERS = {"unknown": WRONG, "event": WRONG, "value": WRONG, "properties": WRONG, "timestamp": WRONG}
COMMON_EVENT: dict[str, list[Any]] = {
    "event": ["Paid", "x", "x" * 255, "é" * 255, " "],
    "value": [None, False, True, 0, -1.5, "", "x" * 5_000],
    "properties": [
        {},
        {"currency": "USD"},
        {"k": ""},
        {"k" * 128: "x" * 5_000},
        {str(key): True for key in range(100)},
        None,
    ],
    "timestamp": [None, *COMMON_DATES, LAST_TIMESTAMP],
}
IGNORED_BY_EVENTS = {"unknown": WRONG, "first_name": WRONG, "email": WRONG, "meta": WRONG, "created_at": WRONG}

ODD_NAMES = [*WRONG, "x" * 256, "𝄞" * 256]
ODD_DATES = [
    *WRONG, "2026-02-30", "2026-13-01", "2026-01-12\n", "20260112", "1899-12-31", "2200-01-01", dates.FIRST - 1, dates.LAST + 1, 1e300,
]  # fmt: skip
ODD_USER: dict[str, list[Any]] = {
    "first_name": ODD_NAMES,
    "last_name": ODD_NAMES,
    "number": [
        *WRONG, "1234", "+1234", "0" * 21, "+" + "0" * 21, "12345".ljust(65), "12345\n", "+23480\n23480", "++12345", "1+2345",
        "12345x", "१२३४५", "+", 12345, 12345.0, 9999, -12345,
    ],
    "email": [
        *WRONG, "a@b", "@b.co", "a@@b.co", "a@b@c.co", "a..b@c.co", ".a@b.co", "a.@b.co", "a b@c.co", "a@b.co\n", "a@b.co\nc@d.co",
        "a@-b.co", "a@b-.co", "a@b..co", "a@.co", "a@b.c", "a@b_c.co", "é@b.co", "a@é.co", '"a"@b.co', "a@[1.2.3.4]", "a@localhost",
        "a!b@c.co", "a@b-c.co", "a@b.abcdefg", "a" * 65 + "@b.co", "a@" + "b" * 63 + ".co", "a@" + "b" * 64 + ".co",
        "a" * 64 + "@" + ("b" * 60 + ".") * 2 + "b" * 57 + ".ccc.abcdef",
    ],
    "is_account": [*WRONG, 1.0, "true"],
    "meta": [
        *WRONG, {"": 1}, {"k" * 129: 1}, {"k": None}, {"n": 1, "k": None}, {"k": "x" * 1025}, {"k": "x" * 4097}, {"k": "é" * 2049},
        {"k": "𝄞" * 1025}, {"s": "", "k": "é" * 2049}, {str(key): key for key in range(301)},
    ],
    "created_at": ODD_DATES,
    "device_token": [*RARE, "f3c1a9"],
    "device_platform": [*RARE, "ios"],
    "lists": [*RARE, ["6" * 24]],
    "accounts": [*RARE, [{"id": "acme"}]],
    "tz": [*WRONG, "/etc/passwd", "a b", "x" * 65, "UTC\n", "é"],
    "app_version": [*WRONG, "x" * 65],
    "app_build": [*WRONG, "x" * 65],
    "app_last_active": ODD_DATES,
    "archived": RARE,
    "uid": RARE,
}  # fmt: skip
ODD_EVENT: dict[str, list[Any]] = {
    "event": ODD_NAMES,
    "value": WRONG,
    "properties": [
        *WRONG,
        {"": 1},
        {"k" * 129: 1},
        {"k": None},
        {"n": 1, "k": None},
        {str(key): key for key in range(101)},
    ],
    "timestamp": [*ODD_DATES, LAST_TIMESTAMP + 1, "2199-12-31"],
    "id": [*WRONG, "order-4711-paid", 4711],
}

COMMON_UIDS = ["u1", "0", "aZ09", "x" * 255]
ODD_UIDS = [*WRONG, "x" * 256, "ü", "a b", "a-b", "a/b", ".", "u1\n", " ", "٣", 5.0, -5]
ODD_TYPES = [*WRONG, "events", "Update", "nameless"]

_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
_scalars = (
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | _texts
)
_flat = st.dictionaries(_texts.filter(bool), _scalars, max_size=3)
_anything = (
    st.none() | _scalars | st.lists(_scalars, max_size=2) | st.dictionaries(_texts, st.none() | _scalars, max_size=2)
)
_seconds = st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9)
_random = {
    "first_name": _texts,
    "last_name": _texts,
    "number": st.from_regex(r"\+?([0-9][ ().-]?){5,20}", fullmatch=True),
    "email": st.from_regex(r"[a-z0-9_+-]{1,8}(\.[a-z]{1,4})?@([A-Za-z0-9]{1,5}\.){1,3}[a-z]{2,6}", fullmatch=True),
    "meta": _flat,
    "tz": st.from_regex(r"[A-Za-z0-9_+:-][A-Za-z0-9_+/:-]{0,63}", fullmatch=True),
    "app_version": _texts,
    "app_build": _texts,
    "app_last_active": _seconds,
    "created_at": _seconds | st.integers(FIRST_MILLISECONDS, dates.LAST),
    "event": _texts.filter(bool),
    "value": _scalars,
    "properties": _flat,
    "timestamp": _seconds | st.integers(FIRST_MILLISECONDS, LAST_TIMESTAMP),
}


def _fields(common: dict[str, list[Any]], ignored: dict[str, list[Any]]) -> dict[str, st.SearchStrategy[Any]]:
    random = {name: st.sampled_from(values) | _random.get(name, st.nothing()) for name, values in common.items()}
    return random | {name: st.sampled_from(values) for name, values in ignored.items()}


_of_user = _fields(COMMON_USER, IGNORED_BY_USERS)
_of_event = _fields(COMMON_EVENT, IGNORED_BY_EVENTS)
_uids = st.sampled_from(COMMON_UIDS) | st.from_regex("[A-Za-z0-9]{1,5}", fullmatch=True)
_user = st.fixed_dictionaries({}, optional=_of_user)
_event = st.fixed_dictionaries({"event": _of_event.pop("event")}, optional=_of_event)


def _item(types: list[str], body: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    head = st.fixed_dictionaries({"type": st.sampled_from(types), "id": _uids})
    return st.builds(lambda fields, head: fields | head, body, head)


def _several(one: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(one, min_size=1, max_size=3)


def _alike(names: set[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return _several(st.fixed_dictionaries({name: _of_user[name] for name in sorted(names)}))


@st.composite
def _with_odd_twin(draw, several: st.SearchStrategy[list[Any]], odd: dict[str, list[Any]], adds: bool = True) -> Any:
    """Draw bodies that are all common, and the same ones of which one has one odd field. adds: maybe one that it lacked."""
    bodies = draw(several)
    index = draw(st.integers(0, len(bodies) - 1))
    pairs = [(name, value) for name, values in odd.items() if adds or name in bodies[index] for value in values]
    if not pairs:
        return bodies, bodies
    name, value = draw(st.sampled_from(pairs))
    twin = {**bodies[index], name: draw(_anything) if draw(st.integers(0, 4)) == 4 else value}
    return bodies, [*bodies[:index], twin, *bodies[index + 1 :]]


_names = sorted(_of_user)
_users_alike = st.sets(st.sampled_from(_names)).flatmap(_alike)
_items = _several(_item(["update", "create"], _user)) | _several(
    _item(["update", "create"], _user) | _item(["event"], _event)
)
UIDS = _with_odd_twin(_several(st.fixed_dictionaries({"id": _uids})), {"id": ODD_UIDS})
USERS = _with_odd_twin(_several(_user) | _users_alike, ODD_USER)
USERS_ALIKE = _with_odd_twin(_users_alike, ODD_USER, adds=False)
EVENTS = _with_odd_twin(_several(_event), ODD_EVENT)
ITEMS = _with_odd_twin(_items, {**ODD_USER, **ODD_EVENT, "type": ODD_TYPES, "id": ODD_UIDS})
