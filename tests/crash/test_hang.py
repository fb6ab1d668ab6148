"""A database that takes connections and does not answer: the process says that it lives, and goes on afterwards."""

import threading
import time

import pytest

from tests.factories import Service

pytestmark = pytest.mark.ci

PROMPTLY = 3  # seconds, below the five after which a request gives up waiting for the database
WAITING = 30  # requests, more than the workers have threads


def _put(service, number, answers):
    answers[number] = service.call("PUT", "users/u1", {"meta": {f"k{number}": number}})[0]


@pytest.mark.xdist_group("own-postgres")
def test_healthz_answers_while_postgres_hangs_and_what_was_acknowledged_is_there_afterwards(own_postgres):
    with Service(own_postgres.new_database(), LOG_LEVEL="warning") as service:
        service.call("PUT", "users/u1", {})
        answers = {}
        threads = [threading.Thread(target=_put, args=(service, number, answers)) for number in range(WAITING)]
        own_postgres.freeze()
        try:
            for one in threads:
                one.start()
            service.wait_until_read()
            for _ in range(10):
                time.sleep(0.05)  # half a second, in which none of the waiting may be answered with 200
                started = time.monotonic()
                assert service.status("/healthz") == 200
                assert time.monotonic() - started < PROMPTLY
            assert 200 not in answers.values()
        finally:
            own_postgres.thaw()
            for one in threads:
                one.join()
        assert len(answers) == WAITING and set(answers.values()) <= {200, 503} and 200 in answers.values()
        acknowledged = {f"k{number}" for number, status in answers.items() if status == 200}
        assert acknowledged <= service.call("GET", "users/u1")[1]["meta"].keys()
