"""Many writers at once, from real processes against the running service: nothing lost, nothing twice, no 500."""

import multiprocessing
import random

import pytest

from tests.factories import fresh

WRITERS = 8


def _run(work, service, *arguments):
    """Run the work in WRITERS processes, each with its number, and return what they answer."""
    with multiprocessing.get_context("fork").Pool(WRITERS) as pool:
        return pool.starmap(work, [(service, number, *arguments) for number in range(WRITERS)])


def _put(service, number, uid, rounds):
    with service.connection() as connection:
        return [
            service.send(connection, "PUT", f"users/{uid}", {"meta": {f"w{number}r{one}": one}})[0]
            for one in range(rounds)
        ]


def _post(service, number, uids):
    with service.connection() as connection:
        return [service.send(connection, "POST", "users", {"id": uid, "device_token": uid}) for uid in uids]


def _record(service, number, uid, rounds):
    with service.connection() as connection:
        body = {"event": f"e{number}", "timestamp": 1_700_000_000_000 + number}
        return [service.send(connection, "POST", f"users/{uid}/events", body)[0] for _ in range(rounds)]


def _update_or_delete(service, number, uid, rounds):
    statuses = set()
    with service.connection() as connection:
        for one in range(rounds):
            if number % 2:
                assert service.send(connection, "DELETE", f"users/{uid}")[0] in (200, 404)
            else:
                body = {"first_name": "x", "device_token": f"{uid}{number}", "meta": {"n": one}}
                statuses.add(service.send(connection, "PUT", f"users/{uid}", body)[0])
                statuses.add(service.send(connection, "POST", f"users/{uid}/events", {"event": "e"})[0])
    return statuses


def _churn(service, number, rounds):
    chance = random.Random(number)
    with service.connection() as connection:
        for one in range(rounds):
            uid = f"churn{number}n{one}"
            assert service.send(connection, "POST", "users", {"id": uid})[0] == 200
            if chance.random() < 0.7:
                assert service.send(connection, "DELETE", f"users/{uid}")[0] == 200


def test_merges_of_different_keys_lose_none(service):
    uid, rounds = fresh(), 30
    assert {status for statuses in _run(_put, service, uid, rounds) for status in statuses} == {200}
    meta = service.call("GET", f"users/{uid}")[1]["meta"]
    assert len(meta) == WRITERS * rounds


def test_two_writers_of_the_same_new_uid_make_one_user(service):
    uids = [fresh() for _ in range(25)]
    answers = _run(_post, service, uids)
    assert {status for some in answers for status, _ in some} == {200}
    for position, uid in enumerate(uids):
        assert len({some[position][1]["id"] for some in answers}) == 1
        assert service.call("GET", f"users/{uid}")[1]["devices"] == [{"token": uid, "platform": None}]


def test_every_acknowledged_event_is_there_once(service):
    uid, rounds = fresh(), 25
    assert {status for statuses in _run(_record, service, uid, rounds) for status in statuses} == {200}
    seen, cursor = [], ""
    with service.connection() as connection:
        while cursor is not None:
            page = service.send(connection, "GET", f"users/{uid}/events?limit=30{cursor}")[1]
            seen += [event["id"] for event in page["data"]]
            cursor = f"&next_cursor={page['next_cursor']}" if "next_cursor" in page else None
    assert len(seen) == len(set(seen)) == WRITERS * rounds
    newest = service.call("GET", f"users/{uid}")[1]["last_interaction"]
    assert newest == "2023-11-14T22:13:20.007+00:00"


def test_delete_against_update_is_one_or_the_other(service):
    statuses = set().union(*_run(_update_or_delete, service, fresh(), 25))
    assert statuses == {200}  # of the updates and events: they make the user anew


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
    assert set().union(*_run(_subscribe, service, news, uids, 25)) == {200}
    subscribed = sum(
        {"id": news, "subscribed": True} in service.call("GET", f"users/{uid}")[1]["lists"] for uid in uids
    )
    assert service.call("GET", f"lists/{news}")[1]["subscriber_count"] == subscribed


def _track_and_merge(service, number, source, destination, rounds):
    acknowledged = 0
    with service.connection() as connection:
        for one in range(rounds):
            uid = source if number % 2 else destination
            acknowledged += service.send(connection, "POST", f"users/{uid}/events", {"event": "e"})[0] == 200
            if number == 0 and one == rounds // 2:
                body = {"source": source, "destination": destination}
                assert service.send(connection, "POST", "users/merge", body)[0] == 200
    return acknowledged


def test_every_event_of_two_users_who_are_merged_meanwhile_is_on_the_survivor(service):
    source, destination = fresh(), fresh()
    for uid in (source, destination):
        service.call("PUT", f"users/{uid}", {})
    acknowledged = sum(_run(_track_and_merge, service, source, destination, 20))
    # Events that came for the source after it was gone made it anew; they follow with another merge.
    service.call("POST", "users/merge", {"source": source, "destination": destination})
    assert service.call("GET", f"users/{source}")[0] == 404
    seen, cursor = 0, ""
    while cursor is not None:
        page = service.call("GET", f"users/{destination}/events?limit=100{cursor}")[1]
        seen += len(page["data"])
        cursor = f"&next_cursor={page['next_cursor']}" if "next_cursor" in page else None
    assert seen == acknowledged == WRITERS * 20


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
        assert set().union(*_run(_merge, service, uids)) <= {200}
        assert 200 in {service.call("GET", f"users/{uid}")[0] for uid in uids}
