"""Items that are alike are done as columns, and leave what they would leave one by one."""

import random

import pytest

from app.domain.writes import Alike, Item
from app.models.database import db
from app.services import users, workspaces
from app.services.users import batches
from tests.services.outcomes import ODD_UIDS, columns_not_shown, one_by_one, stored


def _alike(items: list[Item]) -> Alike:
    columns = {name: [one.fields[name] for one in items] for name in items[0].fields}
    return Alike([one.type for one in items], [one.uid for one in items], columns)


def _people(chance: random.Random, uids: list[str], kind: str = "update") -> list[Item]:
    values = {name: chance.choice([None, "+2348", "Ada"]) for name in ("first_name", "last_name")}
    return [
        Item(n, kind, uid, {**values, "email": f"A{n % 9}@x.co", "number": f"+23 {n}", "meta": {f"k{n % 7}": n}})
        for n, uid in enumerate(uids)
    ]


def test_items_that_are_alike_are_items():
    items = _people(random.Random(1), [f"u{n}" for n in range(9)])
    alike = _alike(items)
    assert [*alike] == items and alike[-1] == items[-1] and len(alike) == 9
    assert [*alike[3:7]] == items[3:7] and [*alike[3:7][1:]] == items[4:7]
    assert [*alike[1::3]] == items[1::3] and [*alike[::-1]] == items[::-1]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("known", [0, 1, 60])
@pytest.mark.parametrize("size", [1000, 7])
@pytest.mark.parametrize("kind", ["create", "update"])
def test_items_that_are_alike_leave_what_they_leave_one_by_one(api, other_api, monkeypatch, seed, known, size, kind):
    monkeypatch.setattr(batches, "_CHUNK_OF_PLAIN", size)
    chance = random.Random(seed)
    ours, theirs = (workspaces.find(one.keys.workspace) for one in (api, other_api))
    uids = chance.sample([f"{uid}{n}" for uid in ODD_UIDS for n in range(6)], 60)
    items = _people(chance, uids if seed % 2 else [*uids[:50], *uids[:10]], kind)
    for workspace in (ours, theirs):
        one_by_one(workspace, _people(random.Random(seed), uids[:known]))
    assert batches.run(ours, _alike(items)) == {} == one_by_one(theirs, items)
    assert stored(ours) == stored(theirs)
    assert sorted(columns_not_shown(ours), key=repr) == sorted(columns_not_shown(theirs), key=repr)


def test_items_that_are_alike_are_prepared_as_columns(workspace, in_transaction, monkeypatch, bulk):
    monkeypatch.setattr(Alike, "__getitem__", lambda *_: pytest.fail("made an item"))
    items = Alike(["update"] * 30, [f"u{29 - n:02}" for n in range(30)], {"meta": [{"n": n} for n in range(30)]})
    ready = batches.prepare(workspace, items)
    columns = ready.prepared.fitting.columns
    assert list(columns["uid"]) == sorted(items.uids)  # in this order they are locked
    assert [one[5:-1] for one in columns["meta"]] == [str(29 - n) for n in range(30)]
    assert in_transaction(batches.run_within, workspace, ready) == {}
    assert len(bulk) == 1
    assert [user.uid for user in users.page(workspace, 30).rows] == list(items.uids)  # in the order in which they came


def test_of_items_that_are_alike_only_what_is_too_much_is_refused(workspace, monkeypatch):
    monkeypatch.setattr(batches, "_CHUNK_OF_PLAIN", 7)
    full = {f"k{number}": number for number in range(300)}
    users.update(workspace, "u8", {"meta": full}, full=True)
    items = _alike([Item(n, "update", f"u{n}", {"first_name": "Ada", "meta": {"more": n}}) for n in range(12)])
    refused = batches.run(workspace, items)
    assert set(refused) == {8} and "meta" in refused[8].details
    assert users.retrieve(workspace, "u8").first_name is None
    assert [users.retrieve(workspace, f"u{n}").meta for n in (7, 9, 11)] == [{"more": 7}, {"more": 9}, {"more": 11}]


def test_somebody_whom_no_item_claims_keeps_none_from_being_done_together(workspace, bulk):
    users.make_without_uid(workspace, {"email": "nobody@x.co"})
    items = _alike(_people(random.Random(1), [f"u{n}" for n in range(30)]))
    bulk.clear()
    assert batches.run(workspace, items) == {} and len(bulk) == 1
    assert len(users.page(workspace, 40).rows) == 31


def test_one_of_items_that_are_alike_may_claim(workspace):
    late = users.make_without_uid(workspace, {"email": "a3@x.co", "meta": {"kept": 1}})
    assert batches.run(workspace, _alike(_people(random.Random(1), [f"u{n}" for n in range(9)]))) == {}
    found = users.retrieve(workspace, "u3")
    assert (found.id, found.meta, len(users.page(workspace, 30).rows)) == (late.id, {"kept": 1, "k3": 3}, 9)


@pytest.mark.parametrize("known", [[], ["u7"]])
def test_users_who_are_to_be_created_are_inserted_and_those_who_are_there_are_merged(workspace, bulk, known):
    for uid in known:
        users.update(workspace, uid, {"meta": {"kept": 1}}, full=True)
    items = _alike(_people(random.Random(1), [f"u{n}" for n in range(30)], "create"))
    assert batches.run(workspace, items) == {}
    insert, merge = ["insert_new"], ["write_many"]
    assert bulk == {
        ("sqlite", 0): insert, ("sqlite", 1): insert + merge, ("postgres", 0): insert, ("postgres", 1): merge,
    }[db.obj.dialect.name, len(known)]  # fmt: skip
    assert users.retrieve(workspace, "u7").meta == {"k0": 7} | dict.fromkeys(["kept"][: len(known)], 1)
