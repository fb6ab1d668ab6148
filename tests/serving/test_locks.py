"""Writes that need several users at once: whoever comes second waits, and nobody is turned away."""

import multiprocessing
import random

import psycopg
import pytest

from tests.factories import Service, fresh, wait_until

pytestmark = pytest.mark.ci

WRITERS, ROUNDS, USERS = 6, 40, 4


def _join_and_leave(service, number, uids):
    chance, seen = random.Random(number), []
    with service.connection() as connection:
        for _ in range(ROUNDS):
            uid, *others = chance.sample(uids, 3)
            accounts = [{"id": other, "role": f"r{number}"} for other in others]
            path, body = chance.choice(
                [
                    (f"users/{uid}/accounts", {"accounts": accounts}),
                    (f"users/{uid}", {"accounts": accounts}),
                    (f"users/{uid}/accounts/{others[0]}", None),
                ]
            )
            method = "DELETE" if body is None else "PUT" if path.endswith(uid) else "POST"
            seen.append(service.send(connection, method, path, body))
    return seen


def _merge_and_make(service, number, uids):
    chance, seen = random.Random(number), []
    with service.connection() as connection:
        for _ in range(ROUNDS // 4):
            source, destination, account = chance.sample(uids, 3)
            body = {"source": source, "destination": destination}
            seen.append(service.send(connection, "POST", "users/merge", body))
            service.send(connection, "PUT", f"users/{source}", {"accounts": [{"id": account}]})
    return seen


def _work(service, number, uids):
    return (_merge_and_make if number == 0 else _join_and_leave)(service, number, uids)


def _run(work, service, uids):
    with multiprocessing.get_context("fork").Pool(WRITERS) as pool:
        seen = pool.starmap(work, [(service, number, uids) for number in range(WRITERS)])
    return [one for several in seen for one in several]


def _counts_are_right(service, uids):
    for uid in uids:
        status, user = service.call("GET", f"users/{uid}")
        if status == 200 and user["is_account"]:
            members = service.call("GET", f"users/{uid}/members?limit=30")[1]["data"]
            assert user["member_count"] == len(members), uid


def _deadlocks(service):
    """Stop the service; return how often Postgres had to end a transaction for another one in this database."""
    if service.environment["DATABASE_URL"].startswith("sqlite"):
        return 0
    service.stop()
    with psycopg.connect(service.environment["DATABASE_URL"], autocommit=True) as connection:
        others = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rollcall' AND datname = current_database()"
        )
        wait_until(lambda: connection.execute(others).fetchone() == (0,))  # sessions report their figures at their end
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return connection.execute(query).fetchone()[0]


def test_users_who_join_each_others_accounts_at_once_all_get_in(new_database, engine):
    with Service(new_database(engine)) as service:  # its own, as the deadlocks of a whole database are counted
        uids = [fresh() for _ in range(USERS)]
        for uid in uids:
            service.call("PUT", f"users/{uid}", {"first_name": uid})
        seen = _run(_join_and_leave, service, uids)
        assert {status for status, _ in seen} <= {200, 404}  # 404: not in the account that was to be left
        _counts_are_right(service, uids)
        assert _deadlocks(service) == 0


def test_joins_and_merges_at_once_leave_right_counts(service):
    uids = [fresh() for _ in range(USERS)]
    for uid in uids:
        service.call("PUT", f"users/{uid}", {"first_name": uid})
    seen = _run(_work, service, uids)
    # 400, 404: the merge took away a user that is named
    assert {status for status, _ in seen} <= {200, 400, 404}, [one for one in seen if one[0] > 404]
    _counts_are_right(service, uids)
