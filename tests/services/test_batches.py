"""A batch leaves what its items would leave one by one, though it takes a statement for many of them."""

import random

import pytest

from app import errors
from app.models.database import db
from app.services import batches, events, users, workspaces
from app.services.batches import Item
from tests.factories import fresh

ODD = ["", "NULL", 'a"b', "a\\b", "a\\", "{x,y}", "a,b", "a\tb\nc", "'); --", "é😀", "  ", '"', "%s", "$1"]
ODD_UIDS = ["NULL", 'q"', "b\\", "{u}", "a,b", "é😀", "u", "U", "null", "a b", "%s"]
NOW = 1_700_000_000_000


def _fields(chance: random.Random) -> dict:
    every = {
        "first_name": chance.choice([*ODD, None]),
        "last_name": "Lovelace",
        "email": chance.choice(["Ada@example.com", None]),
        "number": chance.choice(["+234 803", None]),
        "is_account": chance.random() < 0.5,
        "meta": {chance.choice(ODD[1:]): chance.choice([*ODD, 1, 1.5, True, 2**53 - 1]) for _ in range(3)},
        "created_at": chance.randrange(-10, NOW),
        "app_version": chance.choice(ODD[1:]),
    }
    return {name: every[name] for name in every if chance.random() < 0.3}


def _items(chance: random.Random, count: int) -> list[Item]:
    items = []
    for position in range(count):
        uid, kind = chance.choice(ODD_UIDS), chance.choice(["update", "update", "event"])
        happened = {
            "event": chance.choice(ODD[1:]),
            "value": chance.choice([*ODD, None, 1, 2.5, False]),
            "properties": {chance.choice(ODD): chance.choice([*ODD, 7, True])},
            "timestamp": chance.randrange(NOW),
        }
        items.append(Item(position, kind, uid, happened if kind == "event" else _fields(chance)))
    return items


def _one_by_one(workspace: int, items: list[Item]) -> dict:
    refused = {}
    for item in items:
        try:
            if item.type == "event":
                events.record(workspace, item.uid, **item.fields)
            else:
                users.update(workspace, item.uid, item.fields, full=True)
        except errors.Failure as failure:
            refused[item.position] = failure
    return refused


def _stored(workspace: int) -> list:
    """All users and events but for their ids, and for times that are the clock's."""
    found = []
    for user in users.page(workspace, 100).rows:
        happened = [one._replace(id="") for one in events.page(workspace, user.uid, 1000).rows]
        moments = {"created_at": user.created_at if user.created_at < NOW else None}
        found.append((user.uid, user._replace(id="", **moments), sorted(happened, key=repr)))
    return sorted(found, key=lambda one: one[0])


def _columns_not_shown(workspace: int) -> list:
    return db.execute_sql(
        "SELECT uid, email_key, number_digits, app_version FROM users WHERE "
        f"workspace_id = {workspace} ORDER BY uid, app_version"
    ).fetchall()


@pytest.mark.parametrize("seed", range(8))
def test_a_batch_leaves_what_its_items_leave_one_by_one(api, other_api, seed):
    items = _items(random.Random(seed), 120)
    ours, theirs = (workspaces.find(one.keys.workspace) for one in (api, other_api))
    assert batches.run(ours, items) == {} == _one_by_one(theirs, items)
    assert _stored(ours) == _stored(theirs)
    assert sorted(_columns_not_shown(ours)) == sorted(_columns_not_shown(theirs))


@pytest.mark.parametrize("beside", [(), (Item(3, "event", "b", {"event": "Paid"}),)])
def test_only_the_change_with_too_much_meta_is_refused_and_leaves_nothing(workspace, beside):
    uid = fresh()
    many = {f"k{number}": number for number in range(300)}
    items = [
        Item(0, "update", uid, {"meta": many}),
        Item(1, "update", uid, {"meta": {"more": 1}}),
        Item(2, "update", uid, {"first_name": "Ada"}),
        *beside,
    ]
    refused = batches.run(workspace, items)
    assert set(refused) == {1} and "meta" in refused[1].details
    user = users.retrieve(workspace, uid)
    assert (user.first_name, len(user.meta), "more" in user.meta) == ("Ada", 300, False)


def test_a_thousand_new_users_with_the_same_fields_take_one_statement(workspace, monkeypatch):
    run_many, seen = type(db.obj).run_many, []

    def watched(self, text, *more):
        seen.append(text)
        return run_many(self, text, *more)

    monkeypatch.setattr(type(db.obj), "run_many", watched)
    people = [Item(n, "update", fresh(), {"first_name": "Ada", "meta": {"n": n}}) for n in range(1000)]
    assert batches.run(workspace, people) == {} and len(seen) == 1
    happened = [Item(n, "event", one.uid, {"event": "Paid"}) for n, one in enumerate(people)]
    assert batches.run(workspace, happened) == {} and len(seen) <= 3
