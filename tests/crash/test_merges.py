"""kill -9 in the middle of a merge: both users are there, or one, and never a mixture."""

import http.client
import os
import signal
import threading

import pytest

from tests.factories import Service, fresh

pytestmark = pytest.mark.ci

PAIRS = 60
EVENTS = 3


def test_a_merge_that_dies_half_way_has_happened_or_has_not(new_database, engine):
    with Service(new_database(engine)) as service:
        pairs = [(fresh(), fresh()) for _ in range(PAIRS)]
        for names in pairs:
            for name in names:
                events = [{"type": "event", "id": name, "event": "e"}] * EVENTS
                create = {"type": "update", "id": name, "meta": {name: 1}, "device_token": name}
                assert service.call("POST", "batch", {"data": [create, *events]})[1]["rejected"] == 0
        acknowledged = _merge_until_killed(service, pairs)
        service.start()
        for source, destination in pairs:
            left, kept = (service.call("GET", f"users/{name}") for name in (source, destination))
            merged = left[0] == 404
            assert merged or source not in acknowledged
            expected = {source, destination} if merged else {destination}
            assert kept[0] == 200 and set(kept[1]["meta"]) == expected
            assert {one["token"] for one in kept[1]["devices"]} == expected
            events = service.call("GET", f"users/{destination}/events?limit=100")[1]["data"]
            assert len(events) == EVENTS * len(expected)
            if not merged:
                assert len(service.call("GET", f"users/{source}/events?limit=100")[1]["data"]) == EVENTS


def _merge_until_killed(service, pairs):
    """Merge pair after pair until the service is killed; return the sources whose merge was acknowledged."""
    acknowledged = set()
    threading.Timer(0.05, os.killpg, (service.process.pid, signal.SIGKILL)).start()
    for source, destination in pairs:
        try:
            if service.call("POST", "users/merge", {"source": source, "destination": destination})[0] == 200:
                acknowledged.add(source)
        except (OSError, http.client.HTTPException):
            break
    service.process.wait()
    return acknowledged
