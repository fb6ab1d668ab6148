"""Large requests one behind the other on a connection: each is answered, however early the next one comes."""

import pytest

from tests.factories import fresh

pytestmark = pytest.mark.ci

MANY = 60


def test_a_large_request_that_follows_at_once_is_not_lost(service):
    uids = [fresh() for _ in range(1000)]
    with service.connection() as connection:
        for _ in range(MANY):
            people = [{"type": "update", "id": uid, "first_name": "x" * 200} for uid in uids]
            status, reply = service.send(connection, "POST", "batch", {"data": people})
            assert (status, reply["accepted"]) == (200, 1000)
