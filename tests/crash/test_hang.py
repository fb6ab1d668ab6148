"""A database that takes connections and does not answer: the process says that it lives, and goes on afterwards."""

import threading
import time

from tests.factories import Service

WAITING = 30  # requests, more than the workers have threads


def test_healthz_answers_while_postgres_hangs_and_what_waited_is_answered_afterwards(own_postgres):
    with Service(own_postgres.new_database(), LOG_LEVEL="warning") as service:
        service.call("PUT", "users/u1", {})
        answers, threads = [], []
        own_postgres.freeze()
        try:
            for number in range(WAITING):
                body = {"meta": {f"k{number}": number}}
                threads.append(
                    threading.Thread(target=lambda body=body: answers.append(service.call("PUT", "users/u1", body)[0]))
                )
                threads[-1].start()
            time.sleep(1)
            for _ in range(10):
                started = time.monotonic()
                assert service.status("/healthz") == 200
                assert time.monotonic() - started < 0.5
            assert not answers
        finally:
            own_postgres.thaw()
        for one in threads:
            one.join()
        assert answers == [200] * WAITING
        assert len(service.call("GET", "users/u1")[1]["meta"]) == WAITING
