"""Backups of a running service, and the way back: nothing acknowledged is lost, nobody erased comes back.

Slow: a service must stop before it is restored, and is started again to see what came of it.
"""

import os
import threading
from pathlib import Path

import pytest

from tests.factories import Service, fresh, wait_until

pytestmark = pytest.mark.ci

WRITERS = 20


def restored_from(path, service, url, **environment):
    """A service on the database of that URL, after the backup was restored into it."""
    other = Service(url, **environment)
    other.public, other.secret = service.public, service.secret
    other.rollcall("restore", str(path))
    return other


class Writers:
    """Many who make users with an event and a device each, and remember what was acknowledged."""

    def __init__(self, service):
        self.service, self.acknowledged, self.stop, self.refused = service, [], threading.Event(), []
        self.threads = [threading.Thread(target=self.write) for _ in range(WRITERS)]

    def write(self):
        with self.service.connection() as connection:
            while not self.stop.is_set():
                uid = fresh()
                create = {"type": "create", "id": uid, "device_token": uid, "meta": {uid: 1}}
                body = {"data": [create, {"type": "event", "id": uid, "event": uid}]}
                status, reply = self.service.send(connection, "POST", "batch", body)
                if (status, reply.get("accepted")) == (200, 2):
                    self.acknowledged.append(uid)
                else:
                    self.refused.append(reply)

    def __enter__(self):
        for one in self.threads:
            one.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        for one in self.threads:
            one.join()


def test_a_backup_under_load_has_every_write_acknowledged_before_it_began(service, new_database, tmp_path):
    path = tmp_path / "backup"
    with Writers(service) as writers:
        for more in range(3):
            wait_until(lambda wanted=10 * (more + 1) * WRITERS: len(writers.acknowledged) > wanted)
            before = list(writers.acknowledged)
            service.rollcall("backup", str(path), "--force")
    assert not writers.refused
    with restored_from(path, service, new_database(service.engine)) as other:
        there = set(other.walk(30))
        assert set(before) <= there <= set(writers.acknowledged) | set(service.walk(30))
        for uid in before[:: max(1, len(before) // 50)]:
            user = other.call("GET", f"users/{uid}")[1]
            assert user["meta"] == {uid: 1} and user["devices"][0]["token"] == uid
            assert [one["event"] for one in other.call("GET", f"users/{uid}/events")[1]["data"]] == [uid]


def test_a_backup_is_readable_by_its_owner_alone_and_replaces_nothing(service, tmp_path):
    path = tmp_path / "backup"
    service.rollcall("backup", str(path))
    assert os.stat(path).st_mode & 0o777 == 0o600 and list(tmp_path.iterdir()) == [path]
    before = path.read_bytes()
    assert "--force" in service.rollcall("backup", str(path), status=1)
    assert path.read_bytes() == before
    assert "cannot be written" in service.rollcall("backup", str(tmp_path / "nowhere" / "backup"), status=1)


def test_a_running_service_is_not_replaced(new_database, engine, tmp_path):
    path = tmp_path / "backup"
    with Service(new_database(engine)) as service:
        service.call("GET", "users")
        service.rollcall("backup", str(path))
        assert "stop the service" in service.rollcall("restore", str(path), "--force", status=1)
        service.stop()
        assert "--force" in service.rollcall("restore", str(path), status=1)
        service.rollcall("restore", str(path), "--force")
        service.start()
        assert service.call("GET", "users")[0] == 200


def test_who_was_erased_since_does_not_come_back(new_database, engine, tmp_path):
    path, erased, stayed = tmp_path / "backup", fresh(), fresh()
    with Service(new_database(engine)) as service:
        for uid in (erased, stayed):
            service.call("PUT", f"users/{uid}", {"first_name": uid})
        service.rollcall("backup", str(path))
        assert service.call("DELETE", f"users/{erased}")[0] == 200
        service.stop()
        assert "1 users erased again" in service.rollcall("restore", str(path), "--force")
        service.start()
        assert [service.call("GET", f"users/{uid}")[0] for uid in (erased, stayed)] == [404, 200]


def test_who_was_erased_does_not_come_back_when_the_database_is_lost(new_database, engine, tmp_path):
    path, journal, erased, stayed = tmp_path / "backup", str(tmp_path / "journal"), fresh(), fresh()
    with Service(new_database(engine), ROLLCALL_ERASURE_JOURNAL=journal) as service:
        for uid in (erased, stayed):
            service.call("PUT", f"users/{uid}", {"first_name": uid})
        service.rollcall("backup", str(path))
        assert service.call("DELETE", f"users/{erased}")[0] == 200
    with restored_from(path, service, new_database(engine), ROLLCALL_ERASURE_JOURNAL=journal) as other:
        assert [other.call("GET", f"users/{uid}")[0] for uid in (erased, stayed)] == [404, 200]


def test_a_restored_file_without_a_restore_is_caught_at_the_start(new_database, tmp_path):
    """As when somebody copies the file of SQLite back by hand."""
    path, erased = tmp_path / "backup", fresh()
    url = new_database("sqlite")
    with Service(url) as service:
        service.call("PUT", f"users/{erased}", {})
        service.rollcall("backup", str(path))
        service.call("DELETE", f"users/{erased}")
        service.stop()
        Path(url.removeprefix("sqlite:///")).write_bytes(path.read_bytes())
        service.start()
        assert service.call("GET", f"users/{erased}")[0] == 404


def test_a_damaged_backup_changes_nothing(new_database, engine, tmp_path):
    path = tmp_path / "backup"
    with Service(new_database(engine)) as service:
        uids = [fresh() for _ in range(200)]
        data = [{"type": "create", "id": uid, "meta": {fresh(): fresh() for _ in range(20)}} for uid in uids]
        assert service.call("POST", "batch", {"data": data})[0] == 200
        service.rollcall("backup", str(path))
        content = path.read_bytes()
        middle = len(content) // 2
        overwritten = content[:middle] + b"\xff" * 8192 + content[middle + 8192 :]
        service.stop()
        for damaged in (b"hello", content[:middle], overwritten):
            path.write_bytes(damaged)
            assert "FILE: Must" in service.rollcall("restore", str(path), "--force", status=1)
        service.start()
        assert sorted(service.walk(30)) == sorted(uids)


def test_a_backup_of_a_newer_release_is_refused(migrated_database, engine, tmp_path):
    import apsw
    import psycopg

    path, url = tmp_path / "backup", migrated_database(engine)
    service = Service(url)
    later = "INSERT INTO schema_migrations (name, applied) VALUES ('9999_later', '2026-01-01')"
    with apsw.Connection(url.removeprefix("sqlite:///")) if engine == "sqlite" else psycopg.connect(url) as one:
        one.execute(later)
    service.rollcall("backup", str(path))
    assert "9999_later" in service.rollcall("restore", str(path), "--force", status=1)


def test_a_database_that_is_damaged_can_be_replaced(new_database, tmp_path):
    path, url = tmp_path / "backup", new_database("sqlite")
    with Service(url) as service:
        service.call("PUT", "users/kept", {})
        service.rollcall("backup", str(path))
        service.stop()
        Path(url.removeprefix("sqlite:///")).write_bytes(b"no database at all" * 1000)
        service.rollcall("restore", str(path), status=1)
        service.rollcall("restore", str(path), "--force")
        service.start()
        assert service.call("GET", "users/kept")[0] == 200


def test_without_the_programs_of_postgres_it_is_said_what_is_missing(migrated_database, tmp_path):
    service = Service(migrated_database("postgres"))
    said = service.rollcall("backup", str(tmp_path / "backup"), status=1, PATH=str(tmp_path))
    assert "pg_dump" in said and "docs/backup.md" in said and list(tmp_path.iterdir()) == []
