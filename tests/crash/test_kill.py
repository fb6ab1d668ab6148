"""kill -9 under write load, of everything in turn: what was acknowledged is there, once and whole.

Slow: each round starts again what was killed, and reads all that was acknowledged.
"""

import random
import time

import pytest

from tests.crash.load import Load
from tests.factories import Service, fresh, wait_until

pytestmark = pytest.mark.ci

RECOVERY_SECONDS = 15  # five, on a machine that has nothing else to do
LOAD_SECONDS = 0.3
WORKERS = 2  # of a Service


def _moments(rounds):
    """Seconds of load until each kill, which must meet it anywhere."""
    chance = random.Random(rounds)
    return [chance.uniform(0, LOAD_SECONDS) for _ in range(rounds)]


@pytest.mark.parametrize("hot_path", ["true", "false"])
def test_all_that_was_acknowledged_outlives_the_service(new_database, engine, rounds, hot_path):
    acknowledged = 0
    with Service(new_database(engine), LOG_LEVEL="warning", ROLLCALL_HOT_PATH=hot_path) as service:
        for seconds in _moments(rounds):
            with Load(service) as load:
                load.wait_for_more()
                time.sleep(seconds)
                service.kill()
            service.start()
            load.check()
            assert load.statuses.keys() <= {200, None}
            acknowledged += load.count()
    assert acknowledged > rounds
    print(f"{engine}, hot path {hot_path}: service killed {rounds} times, {acknowledged} acknowledged, 0 lost")


@pytest.mark.xdist_group("own-postgres")
def test_all_that_was_acknowledged_outlives_postgres_and_the_service_finds_it_again(own_postgres, rounds):
    acknowledged, slowest, unavailable = 0, 0.0, 0
    with Service(own_postgres.new_database(), LOG_LEVEL="warning") as service:
        for seconds in _moments(rounds):
            with Load(service) as load:
                load.wait_for_more()
                time.sleep(seconds)
                own_postgres.kill()
                wait_until(lambda load=load: load.statuses[503])
                assert service.status("/healthz") == 200 and service.status("/readyz") == 503
                own_postgres.start()
                back = time.monotonic()
                wait_until(lambda load=load, back=back: load.last_success > back, RECOVERY_SECONDS)
                slowest = max(slowest, load.last_success - back)
            load.check()
            assert load.statuses.keys() <= {200, 503} and load.statuses[503]
            acknowledged, unavailable = acknowledged + load.count(), unavailable + load.statuses[503]
    print(
        f"postgres killed {rounds} times, {acknowledged} acknowledged, 0 lost, {unavailable} times 503, "
        f"back after {slowest:.2f} s at most"
    )


def test_a_worker_that_is_killed_again_and_again_costs_its_connections_and_nothing_else(new_database, engine, rounds):
    with Service(new_database(engine), LOG_LEVEL="warning") as service, Load(service) as load:
        for number in range(rounds):
            wait_until(lambda: len(service.workers()) == WORKERS)
            load.wait_for_more()
            if workers := service.workers():  # one that was killed before may be gone, and none in its place yet
                workers[number % len(workers)].kill()
        load.wait_for_more()
        load.stop()
        load.check()
        assert load.statuses.keys() <= {200, None}
        print(f"{engine}: {rounds} workers killed, {load.count()} acknowledged, 0 lost, {load.statuses[None]} cut off")


def test_the_load_sees_what_is_missing(new_database):
    """The check is worth something only if it fails: a user is deleted behind its back."""
    with Service(new_database("sqlite"), LOG_LEVEL="warning") as service:
        with Load(service) as load:
            load.wait_for_more()
        load.check()
        load.acknowledged["create"].append(fresh())
        try:
            load.check()
        except AssertionError as error:
            assert "lost" in str(error)
        else:
            raise AssertionError("nothing was missed")
