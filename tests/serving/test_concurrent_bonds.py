"""Writes that tie several users together, many at once: merges, batches, lists; accounts are in test_locks.py. No 500 or 503, nothing lost."""

import random
from urllib.parse import urlsplit

import pytest

from tests.factories import fresh
from tests.serving.writers import WRITERS, events_of, run

pytestmark = pytest.mark.ci

ROUNDS = 25


def _subscribe(service, number, news, uids, rounds):
    chance = random.Random(number)
    with service.connection() as connection:
        statuses = set()
        for _ in range(rounds):
            path = f"lists/{news}/subscribers/{chance.choice(uids)}"
            statuses.add(service.send(connection, "PUT", path, {"subscribed": chance.random() < 0.6})[0])
            if chance.random() < 0.2:
                statuses.add(service.send(connection, "DELETE", f"lists/{news}/subscribers/{chance.choice(uids)}")[0])
        return statuses


def test_the_count_of_a_list_is_right_after_concurrent_subscribes(service):
    news = service.call("POST", "lists", {"title": "News"})[1]["id"]
    uids = [fresh() for _ in range(10)]
    for uid in uids:
        service.call("PUT", f"users/{uid}", {})
    assert set().union(*run(_subscribe, service, news, uids, ROUNDS)) == {200}
    subscribed = sum(
        {"id": news, "subscribed": True} in service.call("GET", f"users/{uid}")[1]["lists"] for uid in uids
    )
    assert service.call("GET", f"lists/{news}")[1]["subscriber_count"] == subscribed


def _track_and_merge(service, number, pair, rounds):
    """Two merge, one each way and for ever; the others record events of either, and count what was acknowledged."""
    acknowledged, statuses = 0, set()
    with service.connection() as connection:
        for one in range(rounds):
            if number < 2:
                body = {"source": pair[number], "destination": pair[1 - number]}
                statuses.add(service.send(connection, "POST", "users/merge", body)[0])
            else:
                path = f"users/{pair[(number + one) % 2]}/events"
                status = service.send(connection, "POST", path, {"event": "e"})[0]
                acknowledged += status == 200
                statuses.add(status)
    return acknowledged, statuses


def test_every_event_of_two_users_who_are_merged_both_ways_meanwhile_is_on_one_of_them(service):
    pair = [fresh(), fresh()]
    for uid in pair:
        service.call("PUT", f"users/{uid}", {})
    answers = run(_track_and_merge, service, pair, ROUNDS)
    assert set().union(*(statuses for _, statuses in answers)) == {200}
    # Events that came for somebody who had just gone made him anew; they follow with another merge.
    service.call("POST", "users/merge", {"source": pair[0], "destination": pair[1]})
    assert service.call("GET", f"users/{pair[0]}")[0] == 404
    seen = events_of(service, pair[1])
    assert len(seen) == len(set(seen)) == sum(acknowledged for acknowledged, _ in answers) == (WRITERS - 2) * ROUNDS


def _merge(service, number, uids):
    source, destination = uids if number % 2 else uids[::-1]
    with service.connection() as connection:
        statuses = {service.send(connection, "POST", "users/merge", {"source": source, "destination": destination})[0]}
        statuses.add(service.send(connection, "PUT", f"users/{source}", {"meta": {f"n{number}": 1}})[0])
        return statuses


def test_merging_one_into_the_other_both_ways_at_once_ends_with_somebody(service):
    for _ in range(5):
        uids = [fresh(), fresh()]
        for uid in uids:
            service.call("PUT", f"users/{uid}", {"device_token": uid})
        assert set().union(*run(_merge, service, uids)) == {200}
        found = [service.call("GET", f"users/{uid}") for uid in uids]
        assert 200 in [status for status, _ in found]
        # Whoever is left has all that was written before or after.
        metas = [user["meta"] for status, user in found if status == 200]
        assert {key for meta in metas for key in meta} == {f"n{number}" for number in range(WRITERS)}


def _send_batches(service, number, uids, rounds):
    """Write the same users as the others do, in one order or the other, alone or with what takes several statements."""
    ordered = uids if number % 2 else uids[::-1]
    answers = []
    with service.connection() as connection:
        for one in range(rounds):
            items = [{"type": "update", "id": ordered[0], "device_token": f"{ordered[0]}{number}"}]
            items += [{"type": "update", "id": uid, "meta": {f"w{number}": one}} for uid in ordered]
            items += [{"type": "event", "id": uid, "event": "e"} for uid in ordered]
            status, reply = service.send(connection, "POST", "batch", {"data": items})
            answers.append((status, reply.get("rejected")))
    return answers


def test_batches_that_go_through_the_same_users_in_opposite_orders_are_all_stored(service):
    uids, rounds = sorted(fresh() for _ in range(40)), 10
    answers = run(_send_batches, service, uids, rounds)
    assert {answer for some in answers for answer in some} == {(200, 0)}
    for uid in uids:
        assert service.call("GET", f"users/{uid}")[1]["meta"] == {f"w{number}": rounds - 1 for number in range(WRITERS)}
        assert len(events_of(service, uid)) == WRITERS * rounds


def _follow_or_merge(service, number, rounds):
    """One follows the link of a mail while the other merges the user away."""
    statuses = set()
    with service.connection() as connection:
        for link, uid, into in rounds:
            if number % 2:
                statuses.add(service.send(connection, "POST", link, by=None, Accept="application/json")[0])
            else:
                body = {"source": uid, "destination": into}
                statuses.add(service.send(connection, "POST", "users/merge", body)[0])
    return statuses


@pytest.mark.parametrize("name", ["confirmation_url", "unsubscribe_url"])
def test_a_link_is_good_while_its_user_is_merged(service, name):
    news, rounds = service.call("POST", "lists", {"title": "News", "double_optin": True})[1]["id"], []
    for _ in range(60):
        into = fresh()
        service.call("PUT", f"users/{into}", {"meta": {"n": 1}})
        made = service.call("POST", f"lists/{news}/subscribers", {"email": f"{fresh()}@example.com"})[1]
        link = urlsplit(made[name]).path
        rounds.append((link, made["uid"], into))
    assert set().union(*run(_follow_or_merge, service, rounds, writers=2)) == {200}
    for _, _, into in rounds:
        [place] = service.call("GET", f"users/{into}")[1]["lists"]
        assert place["subscribed"] == (name == "confirmation_url")
