"""The SQL of rules beside the same rules in plain Python, over 2,000 people and 500 rules, on both databases."""

from random import Random

import pytest

from app import clock
from app.domain import ids, rules
from app.domain.consent import SUBSCRIBED
from app.domain.writes import Item, Place
from app.models import segments as store
from app.models import users as users_store
from app.models.database import Statement, db
from app.models.keyset import of_workspace
from app.schemas.rules import check
from app.services import audit, lists, users
from app.services.users import batches
from tests.segments import chance
from tests.segments.by_hand import holds

PEOPLE, RULES, NAMED = 2_000, 500, 8
SEED = 20_261_125


@pytest.fixture
def crowd(app, api, workspace, monkeypatch):
    """People by chance, stored, and as the evaluator by hand sees them; and the ids of lists and uids of accounts."""
    monkeypatch.setattr(clock, "now", lambda: chance.NOW)
    random = Random(SEED)
    list_ids = [lists.create(workspace, {"title": str(one)}, audit.SHELL).id for one in range(chance.LISTS)]
    accounts = [f"acme{one}" for one in range(chance.ACCOUNTS)]
    for one in accounts:
        users.create(workspace, one, {"is_account": True}, full=True)
    items, events = [], {}
    for number in range(PEOPLE):
        uid = f"u{number}"
        items.append(Item(len(items), "create", uid, chance.fields(random)))
        events[uid] = [chance.event(random) for _ in range(random.choice((0, 0, 1, 3, 8)))]
        items += [Item(len(items) + at, "event", uid, one) for at, one in enumerate(events[uid])]
    assert not batches.run(workspace, items)
    for number in range(0, PEOPLE, 3):
        _join(workspace, random, f"u{number}", list_ids, accounts)
    if db.dialect.name == "postgres":
        db.execute_sql("ANALYZE")  # its own process has not had the time yet
    return list_ids, accounts, _as_stored(workspace, events)


def _join(workspace, random, uid, list_ids, accounts):
    places = [{"id": one, "role": random.choice((*chance.ROLES, None))} for one in accounts if random.random() < 0.4]
    device = {"device_token": f"t{uid}", "device_platform": random.choice(("ios", "android", None))}
    on = [one for one in list_ids if random.random() < 0.5]
    users.update(
        workspace,
        uid,
        {
            "lists": [Place(one, SUBSCRIBED) for one in on],
            "accounts": places,
            **(device if random.random() < 0.5 else {}),
        },
        True,
    )
    for one in on[:1]:
        lists.set_subscribed(workspace, one, uid, random.random() < 0.5)
    if random.random() < 0.1:
        users.archive(workspace, uid)


def _as_stored(workspace, events):
    """What is stored of everybody, with the columns that are kept and not shown."""
    kept = "SELECT id, tz, app_version, app_build, app_last_active FROM users WHERE workspace_id = "
    hidden = {row[0]: row[1:] for row in db.execute_sql(f"{kept}{int(workspace)}").fetchall()}
    found, cursor = {}, None
    while True:
        rows, _ = users_store.page(1000, [of_workspace(workspace)], cursor, descending=False)
        if not rows:
            return found
        cursor = rows[-1].id
        for row in rows:
            beside = zip(("tz", "app_version", "app_build", "app_last_active"), hidden[row.id], strict=True)
            found[row.id] = {
                **row._asdict(), **dict(beside), "archived": row.archived_at is not None,
                "member_count": row.member_count if row.is_account else None,
                "devices": {one["platform"] for one in row.devices},
                "accounts": {one["id"]: one["role"] for one in row.accounts},
                "lists": {one["id"]: one["status"] for one in row.lists}, "events": events.get(row.uid, []),
            }  # fmt: skip


def _in_sql(workspace, condition):
    one = store.as_filter(condition, chance.NOW)
    text = f"SELECT users.id FROM users WHERE users.workspace_id = ? AND {one.condition.replace('{row}', 'users')}"
    return {id for (id,) in Statement(text)(workspace, *one.values)}


def test_no_rule_differs_for_anybody_in_a_filter_or_on_a_page(crowd, workspace, monkeypatch):
    list_ids, accounts, people = crowd
    random, known = Random(SEED + 1), {}
    for _ in range(NAMED):
        known[ids.new()] = chance.rule(random, list_ids, accounts, sorted(known))
    asked = {ids.new(): chance.rule(random, list_ids, accounts, sorted(known)) for _ in range(RULES)}
    assert not [(rule, list(check(rule))) for rule in asked.values() if list(check(rule))]
    compiled = store.compile_all({**known, **asked})
    different, kinds = [], {True: 0, False: 0}
    for id, rule in asked.items():
        by_hand = {one for one, user in people.items() if holds(rule, user, chance.NOW, known)}
        in_sql = _in_sql(workspace, compiled.conditions[id])
        kinds[0 < len(by_hand) < len(people)] += 1
        if by_hand != in_sql:
            different.append((rule, [people[one] for one in sorted(by_hand ^ in_sql)[:2]], len(by_hand), len(in_sql)))
    assert not different[:3], len(different)
    assert kinds[True] > RULES * 0.5  # most of them tell people apart
    _decides_as_filters_do(crowd, workspace, monkeypatch)


def _decides_as_filters_do(crowd, workspace, monkeypatch):
    """The statement of reads has all conditions as columns; that of pages has one as its WHERE."""
    list_ids, accounts, people = crowd
    random = Random(SEED + 2)
    asked = {ids.new(): chance.rule(random, list_ids, accounts, []) for _ in range(60)}
    compiled = store.compile_all({rules.EVERYBODY: {"all": []}, **asked})
    monkeypatch.setattr("app.models.segments.sets._compiled", lambda *args: compiled)
    found = store.decide(workspace, "any", sorted(people), chance.NOW)
    for id in asked:
        inside = {one for one, shown in found.items() if {"id": id, "suppressed": False} in shown}
        assert inside == _in_sql(workspace, compiled.conditions[id])
