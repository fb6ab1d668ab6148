"""Connections to Postgres that are killed all the time, under mixed load: each event is stored once, or never told so."""

import threading

import psycopg
import pytest

from tests.factories import Service, fresh

pytestmark = pytest.mark.ci  # starts the service, and kills for seconds
WRITERS, PAUSE, KILLS = 24, 0.2, 10  # threads; seconds between two kills; kills a round
KILL = (
    "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE application_name = 'rollcall' "
    "AND datname = current_database() ORDER BY random() LIMIT 2) AS chosen"
)
STORED = "SELECT uid, count(*) FROM events JOIN users ON users.id = user_id GROUP BY uid"


@pytest.mark.parametrize("hot_path", ["true", "false"])
def test_killed_connections_lose_no_acknowledged_event_and_store_none_twice(new_database, rounds, hot_path):
    with Service(new_database("postgres"), LOG_LEVEL="critical", ROLLCALL_HOT_PATH=hot_path) as service:
        stop, sent, acknowledged = threading.Event(), [], []

        def write():
            with service.connection() as connection:
                while not stop.is_set():
                    uid = fresh()
                    sent.append(uid)
                    status, reply = service.send(connection, "POST", f"users/{uid}/events", {"event": "Paid"})
                    assert status in (200, 503), reply
                    if status == 200:
                        acknowledged.append(uid)
                    service.send(connection, "PUT", f"users/{fresh()}", {"first_name": "Ada"})

        threads = [threading.Thread(target=write) for _ in range(WRITERS)]
        for one in threads:
            one.start()
        with psycopg.connect(service.environment["DATABASE_URL"], autocommit=True) as other:
            killed = 0
            for _ in range(rounds * KILLS):
                stop.wait(PAUSE)
                killed += other.execute(KILL).fetchone()[0]
            stop.set()
            for one in threads:
                one.join()
            stored = dict(other.execute(STORED).fetchall())
    lost = [uid for uid in acknowledged if uid not in stored]
    twice = [uid for uid, count in stored.items() if count > 1]
    print(f"killed {killed} connections, {len(acknowledged)} of {len(sent)} events acknowledged, {len(stored)} stored")
    assert killed and len(acknowledged) > len(sent) / 2
    assert (lost, twice) == ([], [])
