"""The user object that the database writes is the one that app/api/replies.py writes, byte for byte."""

import json
from types import SimpleNamespace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from app.api import replies
from app.domain import dates
from app.models import database, users
from app.models.database import Statement, db
from app.models.dialects import POSTGRES
from app.models.keyset import of_workspace
from app.models.users.rendering import objects, pages
from app.services.users import group_commit
from tests.factories import fresh

_SET_TIMES = Statement(
    "UPDATE users SET created_at = ?, last_interaction = ? WHERE workspace_id = ? AND uid = ? RETURNING id"
)


def apart(rows):
    """The rows of a page, of which Postgres writes the JSON in one text."""
    return [
        one
        for row in rows
        for one in (row.replace('},{"id":"', '}\n{"id":"').split("\n") if isinstance(row, str) else [row])
    ]


def all_ways(workspace):
    """The JSON of all users: on a page, each by itself, and as made of rows in Python."""
    rows, _ = users.page(1_000, [of_workspace(workspace)], None, descending=False)
    single = group_commit.look([group_commit.Retrieval(workspace, row.uid) for row in rows])
    paged = apart(group_commit.look([group_commit.Listing(workspace, 1_000, "")])[0].rows)
    texts = [
        [
            one.encode() if isinstance(one, str) else getattr(one, "json", "").encode() or replies.user_json(one)
            for one in way
        ]
        for way in (paged, single)
    ]
    return *texts, [replies.user_json(row) for row in rows]


def test_users_with_all_that_hangs_on_them(api, workspace, make_list):
    account = api.user(is_account=True)["uid"]
    for number in range(3):
        uid = api.user(f"u{number}", email=f"u{number}@x.io", number="+1555" + str(number), meta={"lists": "[]"})["uid"]
        api.put(f"users/{uid}", {"device_token": f"t{number}", "device_platform": "ios"})
        api.put(f"users/{uid}", {"device_token": f'"devices":[]{number}', "device_platform": "android"})
        api.post(f"users/{uid}/accounts", {"accounts": [{"id": account, "role": "owner"}]})
        api.put(f"users/{uid}", {"lists": [make_list("news")]})
        api.post(f"users/{uid}/events", {"event": "Paid"})
        api.user()
    api.delete(f"lists/{make_list('gone')}")
    api.post("users/u1/archive")
    paged, single, made = all_ways(workspace)
    assert paged == single == made and len(made) == 7
    shown = json.loads(made[1])
    assert len(shown["devices"]) == 2 and shown["accounts"] and shown["lists"] and shown["last_interaction"]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | st.sampled_from(
    ['"devices":[]', "\\", "\x7f\x1f", "%s%d%%", "\U0001f600\u2028"]
)
scalars = (
    texts | st.booleans() | st.none() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first_name=texts | st.none(),
    last_name=texts | st.none(),
    meta=st.dictionaries(texts.filter(lambda key: 0 < len(key) < 40), scalars, max_size=5),
    created_at=st.integers(dates.FIRST, dates.LAST),
)
def test_odd_values(api, workspace, first_name, last_name, meta, created_at):
    uid = fresh()
    response = api.put(f"users/{uid}", {"first_name": first_name, "last_name": last_name, "meta": meta})
    if response.status_code == 200:  # what the schema refuses is not stored
        _SET_TIMES(created_at, created_at + 1, workspace, uid)
    paged, single, made = all_ways(workspace)
    assert paged == single == made


def test_a_page_begins_behind_its_cursor_and_says_whether_anybody_is_before_it(api, workspace):
    ids = [api.user()["id"] for _ in range(4)]
    for cursor, found, behind in (("", ids, False), (ids[0], ids[1:], True), ("0" * 24, ids, False)):
        [page] = group_commit.look([group_commit.Listing(workspace, 10, cursor)])
        assert [json.loads(one)["id"] for one in apart(page.rows)] == found and (page.previous is not None) == behind
    assert group_commit.look([group_commit.Listing(workspace, 10, ids[-1])])[0].rows == []


def test_psycopg_remembers_how_the_statements_are_taken_apart(monkeypatch):
    monkeypatch.setattr(database, "db", SimpleNamespace(obj=SimpleNamespace(dialect=POSTGRES)))
    for one in (pages._page_statement(100), objects._FIND_ONE, objects._FIND_EACH, pages._BESIDE):
        assert len(one.text) <= MAX_CACHED_STATEMENT_LENGTH


def test_what_postgres_spells_otherwise_is_written_in_python(api, workspace):
    odd = {"small": 1e-7, "large": 1e16, "huge": 1.5e300, "long": 1234567890123456, "plain": 0.001}
    api.put("users/odd", {"meta": odd})
    api.put("users/even", {"meta": {"plain": 0.0001}})
    paged, single, made = all_ways(workspace)
    assert paged == single == made
    found = group_commit.look([group_commit.Retrieval(workspace, uid) for uid in ("odd", "even")])
    assert [isinstance(one, str) for one in found] == [db.dialect.name == "sqlite", True]
