"""A batch leaves what its items would leave one by one, though it takes a statement for many of them."""

import random

import pytest

from app import errors
from app.domain.writes import Item, are_plain
from app.models.users import bulk
from app.services import events, users, workspaces
from app.services.users import batches
from tests.factories import fresh
from tests.services.outcomes import NOW, ODD, ODD_UIDS, columns_not_shown, one_by_one, stored


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


@pytest.mark.parametrize("seed", range(8))
def test_a_batch_leaves_what_its_items_leaveone_by_one(api, other_api, seed):
    items = _items(random.Random(seed), 120)
    ours, theirs = (workspaces.find(one.keys.workspace) for one in (api, other_api))
    assert batches.run(ours, items) == {} == one_by_one(theirs, items)
    assert stored(ours) == stored(theirs)
    assert sorted(columns_not_shown(ours)) == sorted(columns_not_shown(theirs))


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


def test_a_thousand_users_or_events_take_a_few_statements(workspace, bulk):
    people = [Item(n, "update", fresh(), {"first_name": "Ada", "meta": {"n": n}}) for n in range(1000)]
    assert batches.run(workspace, people) == {} and len(bulk) == 1
    bulk.clear()
    assert batches.run(workspace, people) == {} and bulk == ["write_many"]
    bulk.clear()
    happened = [Item(n, "event", one.uid, {"event": "Paid"}) for n, one in enumerate(people)]
    assert batches.run(workspace, happened) == {} and len(bulk) <= 3


@pytest.mark.parametrize("known", [0, 1, 30])
def test_what_was_prepared_before_the_transaction_leaves_the_same(api, other_api, known, in_transaction):
    people = [Item(n, "update", f"u{n % 28}", {"first_name": f"Ada\t{n}", "meta": {f"k{n}": n}}) for n in range(30)]
    ours, theirs = (workspaces.find(one.keys.workspace) for one in (api, other_api))
    ready = batches.prepare(ours, people)
    for workspace in (ours, theirs):
        one_by_one(workspace, people[:known])
    assert in_transaction(batches.run_within, ours, ready) == {} == one_by_one(theirs, people)
    assert in_transaction(batches.run_within, ours, ready) == {}  # as after a conflict, though that leaves nothing
    assert stored(ours) == stored(theirs)


def test_what_was_prepared_claims_who_was_made_meanwhile(workspace, in_transaction):
    ready = batches.prepare(workspace, [Item(0, "update", "u1", {"email": "late@x.co", "meta": {"n": 1}})])
    late = users.make_without_uid(workspace, {"email": "late@x.co", "meta": {"kept": 1}})
    assert ready.prepared and in_transaction(batches.run_within, workspace, ready) == {}
    assert users.retrieve(workspace, "u1").id == late.id and users.retrieve(workspace, "u1").meta == {"kept": 1, "n": 1}


def test_of_what_was_prepared_too_much_meta_is_refused(workspace, in_transaction):
    many = {f"k{number}": number for number in range(300)}
    items = [Item(5, "update", "u1", {"meta": many}), Item(7, "update", "u1", {"meta": {"more": 1}})]
    assert set(in_transaction(batches.run_within, workspace, batches.prepare(workspace, items))) == {7}


@pytest.mark.parametrize("item", [
    Item(0, "event", "u1", {"event": "Paid"}), Item(0, "nameless", "", {}), Item(0, "update", "u1", {"lists": ["1"]}),
])  # fmt: skip
def test_what_depends_on_its_turn_is_not_prepared(workspace, item):
    assert batches.prepare(workspace, [Item(1, "update", "u0", {}), item]).prepared is None


def _person(chance, uid):
    return Item(0, "update", uid, _fields(chance) | ({"tz": "UTC"} if chance.random() < 0.2 else {}))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share_known", [0, 0.02, 1])
def test_many_users_are_stored_as_one_by_one_whether_they_are_new_or_known(api, other_api, seed, share_known):
    chance = random.Random(seed)
    ours, theirs = (workspaces.find(one.keys.workspace) for one in (api, other_api))
    uids = [f"{uid}{n}" for uid in ODD_UIDS for n in range(6)]
    known = [_person(chance, uid) for uid in uids if chance.random() < share_known]
    items = [_person(chance, uid)._replace(position=n) for n, uid in enumerate(chance.sample(uids, len(uids)))]
    for workspace in (ours, theirs):
        one_by_one(workspace, known)
    assert batches.run(ours, items) == {} == one_by_one(theirs, items)
    assert stored(ours) == stored(theirs)
    assert sorted(columns_not_shown(ours), key=repr) == sorted(columns_not_shown(theirs), key=repr)


def test_a_user_who_is_made_by_another_at_the_same_moment_is_changed(workspace, monkeypatch):
    uid = fresh()
    users.update(workspace, uid, {"first_name": "Ada", "meta": {"kept": 1}}, full=True)
    monkeypatch.setattr(bulk, "_ANY_KNOWN", lambda *call: [])  # as it is where the other commits after we looked
    items = [Item(n, "update", fresh(), {"meta": {"n": n}}) for n in range(50)]
    assert batches.run(workspace, [*items, Item(50, "update", uid, {"meta": {"n": 50}})]) == {}
    assert users.retrieve(workspace, uid).meta == {"kept": 1, "n": 50}
    assert users.retrieve(workspace, items[0].uid).meta == {"n": 0}


@pytest.mark.parametrize("seed", range(12))
def test_uids_go_to_those_who_have_none_asone_by_one(api, other_api, seed):
    chance = random.Random(seed)
    emails, numbers = [f"u{n}@x.co" for n in range(4)], [f"555{n}55" for n in range(3)]

    def fields():
        every = {"email": chance.choice([*emails, None]), "number": chance.choice([*numbers, None])}
        every |= {"first_name": chance.choice(ODD), "meta": {chance.choice("abc"): chance.random()}}
        return {name: value for name, value in every.items() if chance.random() < 0.5}

    ours, theirs = (workspaces.find(one.keys.workspace) for one in (api, other_api))
    late = [fields() for _ in range(4)]
    made = {one: [users.make_without_uid(one, more).uid for more in late] for one in (ours, theirs)}
    sent = [(chance.choice(["update"] * 6 + ["event", "nameless"]), chance.choice("ABCDEFGH0123")) for _ in range(40)]
    more = [
        {
            "event": "Paid",
            "timestamp": 1,
            "value": at,
            **({"id": chance.choice("xyzA")} if chance.random() < 0.5 else {}),
        }
        if kind == "event"
        else fields()
        for at, (kind, _) in enumerate(sent)
    ]

    def items(workspace):
        for position, ((kind, uid), one) in enumerate(zip(sent, more, strict=True)):
            uid = made[workspace][int(uid)] if uid.isdigit() else uid
            yield Item(position, kind, "" if kind == "nameless" else uid, one)

    verdicts = batches.run(ours, list(items(ours)))
    assert verdicts == one_by_one(theirs, list(items(theirs))) and batches.refused_of(verdicts) == {}

    def named(workspace):
        """Those who were made without a uid by their number."""
        numbers = {uid: str(number) for number, uid in enumerate(made[workspace])}
        found = [
            ("" if user.uid_updateable and user.uid not in numbers else numbers.get(user.uid, user.uid), user, more)
            for _, user, more in stored(workspace)
        ]
        return sorted(((uid, user._replace(uid=""), more) for uid, user, more in found), key=repr)

    assert named(ours) == named(theirs)


def test_a_claim_that_leaves_too_much_meta_is_refused_and_the_uid_stays_free(workspace):
    many = {f"k{number}": number for number in range(300)}
    late = users.make_without_uid(workspace, {"email": "late@x.co", "meta": many})
    refused = batches.run(workspace, [Item(0, "update", "taken", {"email": "late@x.co", "meta": {"more": 1}})])
    assert set(refused) == {0} and users.retrieve(workspace, late.uid).uid_updateable
    with pytest.raises(errors.UserNotFound):
        users.retrieve(workspace, "taken")


def test_a_batch_that_is_done_together_has_no_item_that_must_be_done_alone():
    kinds, uids = ["create", "update", "event", "nameless"], ["u1", "u", "ü", "a b"]
    odd = [
        {},
        {"first_name": "Ada"},
        {"event": "Paid"},
        {"lists": None},
        {"lists": ["1"]},
        {"uid": "v"},
    ]
    every = [Item(0, kind, uid, fields) for kind in kinds for uid in uids for fields in odd]
    for one in every:
        if are_plain([every[7], one]):
            assert one.is_plain
    assert are_plain([one for one in every if one.type == "update" and one.fields in odd[:3]])


def test_many_events_are_made_as_each_is():
    sent = [
        {"event": "Paid"},
        {"event": "a", "value": False, "properties": {"k": 1}, "timestamp": 5},
        {"event": "b", "timestamp": None},
    ]
    together = events.new_rows(NOW, sent)
    assert [one._replace(id="") for one in together] == [events.new_row(NOW, **one)._replace(id="") for one in sent]
    assert len({one.id for one in together}) == 3
