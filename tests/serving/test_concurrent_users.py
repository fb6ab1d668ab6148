"""Many writers at once, from real processes against the running service: nothing lost, nothing twice, no 500 or 503."""

import multiprocessing
import random

import pytest

from tests.factories import fresh
from tests.serving.writers import WRITERS, events_of, run

pytestmark = pytest.mark.ci

ROUNDS = 50
CROWD = 16  # writers of the same uid


def _put(service, number, uids):
    """Give each user in turn a key that nobody else gives."""
    with service.connection() as connection:
        return [
            service.send(connection, "PUT", f"users/{uids[one % len(uids)]}", {"meta": {f"w{number}r{one}": one}})[0]
            for one in range(ROUNDS)
        ]


def _post(service, number, uids):
    with service.connection() as connection:
        return [
            service.send(connection, "POST", "users", {"id": uid, "device_token": uid, "meta": {f"w{number}": number}})
            for uid in uids
        ]


def _record(service, number, uid, rounds):
    with service.connection() as connection:
        body = {"event": f"e{number}", "timestamp": 1_700_000_000_000 + number}
        return [service.send(connection, "POST", f"users/{uid}/events", body)[0] for _ in range(rounds)]


def _record_the_same(service, number, uid, rounds):
    with service.connection() as connection:
        return [
            service.send(connection, "POST", f"users/{uid}/events", {"event": "e", "id": f"{uid}{one}"})[0]
            for one in range(rounds)
        ]


def _update_or_delete(service, number, uid):
    statuses = set()
    with service.connection() as connection:
        for one in range(ROUNDS):
            if number % 2:
                assert service.send(connection, "DELETE", f"users/{uid}")[0] in (200, 404)
            else:
                body = {"first_name": "x", "device_token": f"{uid}{number}", "meta": {"n": one}}
                statuses.add(service.send(connection, "PUT", f"users/{uid}", body)[0])
                statuses.add(service.send(connection, "POST", f"users/{uid}/events", {"event": "e"})[0])
    return statuses


def _claim(service, number, uids, tokens):
    """Claim tokens that the others claim too, and some that nobody else does."""
    chance = random.Random(number)
    statuses = set()
    with service.connection() as connection:
        for one in range(ROUNDS):
            token = chance.choice(tokens) if one % 3 else f"{uids[number]}{one}"
            statuses.add(service.send(connection, "PUT", f"users/{uids[number]}", {"device_token": token})[0])
        for token in tokens:
            statuses.add(service.send(connection, "PUT", f"users/{uids[number]}", {"device_token": token})[0])
    return statuses


def _make_once(service, number, makers):
    """Ask for each of the users to be made if there is none; whoever is told 200 made it."""
    with service.connection() as connection:
        return [service.send(connection, *one[number], **{"If-None-Match": "*"})[0] for one in makers]


def _sign_up(service, number, news, emails):
    with service.connection() as connection:
        return [service.send(connection, "POST", f"lists/{news}/subscribers", {"email": one}) for one in emails]


def _churn(service, number, rounds):
    chance = random.Random(number)
    with service.connection() as connection:
        for one in range(rounds):
            uid = f"churn{number}n{one}"
            assert service.send(connection, "POST", "users", {"id": uid})[0] == 200
            if chance.random() < 0.7:
                assert service.send(connection, "DELETE", f"users/{uid}")[0] == 200


def test_merges_of_different_keys_lose_none(service):
    uids = [fresh(), fresh()]  # two, because one may have 300 keys
    assert {status for statuses in run(_put, service, uids) for status in statuses} == {200}
    metas = [service.call("GET", f"users/{uid}")[1]["meta"] for uid in uids]
    assert [len(meta) for meta in metas] == [WRITERS * ROUNDS / 2] * 2
    assert all(key.endswith(f"r{value}") for meta in metas for key, value in meta.items())


def test_16_writers_of_the_same_new_uid_make_one_user_with_what_each_of_them_wrote(service):
    uids = [fresh() for _ in range(ROUNDS)]
    answers = run(_post, service, uids, writers=CROWD)
    assert {status for some in answers for status, _ in some} == {200}
    for position, uid in enumerate(uids):
        assert len({some[position][1]["id"] for some in answers}) == 1
        user = service.call("GET", f"users/{uid}")[1]
        assert user["devices"] == [{"token": uid, "platform": None}]
        assert user["meta"] == {f"w{number}": number for number in range(CROWD)}


def test_every_acknowledged_event_is_there_once(service):
    uid, rounds = fresh(), 25
    assert {status for statuses in run(_record, service, uid, rounds) for status in statuses} == {200}
    seen = events_of(service, uid)
    assert len(seen) == len(set(seen)) == WRITERS * rounds
    newest = service.call("GET", f"users/{uid}")[1]["last_interaction"]
    assert newest == "2023-11-14T22:13:20.007+00:00"


def test_the_same_event_sent_by_all_at_once_is_stored_once(service):
    uid, rounds = fresh(), 25
    assert {status for statuses in run(_record_the_same, service, uid, rounds) for status in statuses} == {200}
    assert len(events_of(service, uid)) == rounds


def test_delete_against_update_is_one_or_the_other(service):
    statuses = set().union(*run(_update_or_delete, service, fresh()))
    assert statuses == {200}  # of the updates and events: they make the user anew


def test_a_token_that_many_claim_has_one_owner_and_nobody_has_more_than_five(service):
    uids, tokens = [fresh() for _ in range(WRITERS)], [fresh() for _ in range(3)]
    assert set().union(*run(_claim, service, uids, tokens)) == {200}
    devices = [[one["token"] for one in service.call("GET", f"users/{uid}")[1]["devices"]] for uid in uids]
    assert all(len(some) <= 5 for some in devices)
    owned = [token for some in devices for token in some]
    assert len(owned) == len(set(owned)) and set(tokens) <= set(owned)


@pytest.mark.parametrize("limit", [1, 7, 30])
def test_a_walk_sees_each_user_that_was_there_throughout_once_in_both_directions(service, limit):
    with service.connection() as connection:
        stayed = [fresh() for _ in range(60)]
        for uid in stayed:
            assert service.send(connection, "POST", "users", {"id": uid})[0] == 200
    fork = multiprocessing.get_context("fork")
    churners = [fork.Process(target=_churn, args=(service, number, 40)) for number in range(3)]
    for one in churners:
        one.start()
    for backwards in (False, True):
        seen = [uid for uid in service.walk(limit, backwards) if uid in set(stayed)]
        assert seen == (stayed[::-1] if backwards else stayed)
    for one in churners:
        one.join()
    assert [one.exitcode for one in churners] == [0, 0, 0]


def _events(service, uid):
    return [("POST", f"users/{uid}/events", {"event": f"e{number}"}) for number in range(CROWD)]


def _events_of_ids(service, uid):
    return [("POST", f"users/{uid}/events", {"event": "e", "id": f"{uid}{number}"}) for number in range(CROWD)]


def _puts(service, uid):
    return [("PUT", f"users/{uid}", {"meta": {f"w{number}": 1}}) for number in range(CROWD)]


def _claims(service, uid):
    """Each has the email of somebody without a uid of their own, who becomes that user."""
    service.call("POST", "lists/" + service.news + "/subscribers", {"email": f"{uid}@example.com"})
    return [("PUT", f"users/{uid}", {"email": f"{uid}@example.com"})] * CROWD


def _merges(service, uid):
    sources = [fresh() for _ in range(CROWD)]
    for one in sources:
        service.call("PUT", f"users/{one}", {})
    return [("POST", "users/merge", {"source": one, "destination": uid}) for one in sources]


@pytest.mark.parametrize("kind", [_events, _events_of_ids, _puts, _claims, _merges])
def test_of_many_who_must_make_a_user_one_does(service, kind):
    service.news = service.call("POST", "lists", {"title": "News"})[1]["id"]
    uids = [fresh() for _ in range(10)]
    answers = run(_make_once, service, [kind(service, uid) for uid in uids], writers=CROWD)
    for position, uid in enumerate(uids):
        assert sorted(some[position] for some in answers) == [200] + [412] * (CROWD - 1)
        users = service.call("GET", f"users?email={uid}@example.com")[1]["data"]
        assert [one["uid"] for one in users] == ([uid] if kind is _claims else [])
        assert len(events_of(service, uid)) == (1 if kind in (_events, _events_of_ids) else 0)


def test_many_sign_ups_of_one_new_email_make_one_user(service):
    news = service.call("POST", "lists", {"title": "News"})[1]["id"]
    emails = [f"{fresh()}@example.com" for _ in range(20)]
    answers = run(_sign_up, service, news, emails, writers=CROWD)
    assert {status for some in answers for status, _ in some} == {200}
    for position, email in enumerate(emails):
        assert len({some[position][1]["uid"] for some in answers}) == 1
        assert len(service.call("GET", f"users?email={email}")[1]["data"]) == 1
    assert service.call("GET", f"lists/{news}")[1]["subscriber_count"] == len(emails)
