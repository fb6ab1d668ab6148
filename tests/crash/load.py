"""Writers that remember what was acknowledged, and what must be there afterwards."""

import collections
import http.client
import threading
import time

from tests.factories import fresh, wait_until

BATCH = 10  # users in a batch, each with an event


class Load:
    """Six writers, each of one kind, on the running service. `stop`, then `check` when the service is back."""

    def __init__(self, service):
        self.service = service
        self.acknowledged = collections.defaultdict(list)
        self.unknown = collections.defaultdict(list)
        self.statuses = collections.Counter()
        self.last_success = 0.0
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(kind,))
            for kind in (self.create, self.create, self.update, self.event, self.event_with_id, self.batch)
        ]

    def __enter__(self):
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def stop(self):
        """Let every writer end the request that it is at."""
        self._stopping.set()
        for one in self._threads:
            one.join()

    # ---- the kinds: each returns (method, path, body, what to remember) of its next request

    def create(self, number):
        """A user with something in two tables, in one request."""
        uid = fresh()
        return "POST", "users", {"id": uid, "first_name": uid, "meta": {"uid": uid}, "device_token": uid}, uid

    def update(self, number):
        """The same user again and again: two fields that must always agree."""
        uid = f"counter{id(self)}"
        return "PUT", f"users/{uid}", {"first_name": str(number), "meta": {"number": number}}, (uid, number)

    def event(self, number):
        """An event that must not be there twice; its user comes with it."""
        uid = fresh()
        return "POST", f"users/{uid}/events", {"event": "e", "properties": {"uid": uid}}, uid

    def event_with_id(self, number):
        """An event that may be sent again."""
        uid = fresh()
        return "POST", f"users/{uid}/events", {"event": "e", "id": f"{uid}e"}, uid

    def batch(self, number):
        """Users and events, all or none of them."""
        uids = [fresh() for _ in range(BATCH)]
        items = [{"type": "create", "id": uid, "meta": {"uid": uid}} for uid in uids]
        items += [{"type": "event", "id": uid, "event": "e"} for uid in uids]
        return "POST", "batch", {"data": items}, uids

    def _write(self, kind):
        with self.service.connection() as connection:
            number = 0
            while not self._stopping.is_set():
                number += 1
                self._send(connection, kind, number)

    def _send(self, connection, kind, number):
        method, path, body, remembered = kind(number)
        try:
            status = self.service.send(connection, method, path, body)[0]
        except (OSError, http.client.HTTPException):
            connection.close()  # the next request opens it again
            status = None
        if status != 200:
            self._stopping.wait(0.05)
        self.statuses[status] += 1
        (self.acknowledged if status == 200 else self.unknown)[kind.__name__].append(remembered)
        if status == 200:
            self.last_success = time.monotonic()

    # ---- what must be there

    def check(self):
        """Assert that all that was acknowledged is there once and whole, and the rest whole or not at all."""
        with self.service.connection() as self._reader:
            self._check()

    def _check(self):
        for uid in self.acknowledged["create"]:
            self._is_whole(uid)
        for uid in self.unknown["create"]:
            if self._user(uid):
                self._is_whole(uid)
        self._check_counter()
        for uid in self.acknowledged["event"]:
            assert self._count_events(uid) == 1, uid
        for uid in self.unknown["event"]:
            assert self._count_events(uid) <= 1, uid
        for uid in self.acknowledged["event_with_id"] + self.unknown["event_with_id"][-5:]:
            again = self._call("POST", f"users/{uid}/events", {"event": "e", "id": f"{uid}e"})
            assert again[0] == 200 and self._count_events(uid) == 1, uid
        for uids in self.acknowledged["batch"]:
            assert self._stored_of(uids) == BATCH
        for uids in self.unknown["batch"]:
            assert self._stored_of(uids) in (0, BATCH)

    def wait_for_more(self):
        """Return when ten more requests were acknowledged."""
        before = self.count()
        wait_until(lambda: self.count() >= before + 10)

    def count(self):
        """Return how many requests were acknowledged."""
        return sum(map(len, list(self.acknowledged.values())))

    def _user(self, uid):
        status, user = self._call("GET", f"users/{uid}")
        assert status in (200, 404)
        return user if status == 200 else None

    def _count_events(self, uid):
        status, page = self._call("GET", f"users/{uid}/events")
        return len(page["data"]) if status == 200 else 0

    def _call(self, *request):
        return self.service.send(self._reader, *request)

    def _is_whole(self, uid):
        user = self._user(uid)
        assert user, f"lost {uid}"
        assert (user["first_name"], user["meta"], len(user["devices"])) == (uid, {"uid": uid}, 1)

    def _check_counter(self):
        written = self.acknowledged["update"] + self.unknown["update"]
        if not self.acknowledged["update"]:
            return
        user = self._user(written[0][0])
        number = user["meta"]["number"]
        assert user["first_name"] == str(number)
        assert number >= self.acknowledged["update"][-1][1]

    def _stored_of(self, uids):
        stored = 0
        for uid in uids:
            if user := self._user(uid):
                stored += user["meta"] == {"uid": uid} and self._count_events(uid) == 1
        return stored
