"""`@engage_so/node` of npm against the running service; only its host is changed."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.factories import fresh
from tests.sdk.conftest import VENDOR

pytestmark = pytest.mark.ci


def test_every_call_is_answered_as_the_sdk_expects_and_stored(service, packages, tmp_path):
    shutil.copytree(packages, tmp_path / "node_modules")
    core = tmp_path / "node_modules/@engage_so/core/index.js"
    source = core.read_text()
    assert source.count(VENDOR) == 1
    core.write_text(source.replace(VENDOR, f"http://127.0.0.1:{service.port}"))
    shutil.copy(Path(__file__).parent / "drive.js", tmp_path)
    uid, account = fresh(), fresh()
    ended = subprocess.run(
        ["node", "drive.js", service.public, service.secret, uid, account],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
    )
    answers = json.loads(ended.stdout)

    assert (answers["identify"]["uid"], answers["identify"]["email"]) == (uid, f"{uid}@example.com")
    assert answers["identify"]["meta"] == {"plan": "pro", "age": 34}
    assert answers["identify"]["created_at"] == "2020-08-11T00:00:00.000+00:00"
    assert answers["again"] == answers["identify"]
    assert answers["account"]["is_account"] is True
    assert answers["addAttribute"]["meta"] == {"plan": "pro", "age": 35, "vip": True}
    assert answers["trackText"] == answers["trackObject"] == {"status": "ok"}
    assert answers["convertToCustomer"]["is_account"] is False
    assert answers["addToAccount"]["accounts"] == [{"id": account, "role": "owner"}]
    assert answers["changeAccountRole"]["accounts"] == [{"id": account, "role": "member"}]
    assert answers["removeFromAccount"]["accounts"] == []
    assert answers["convertToAccount"]["is_account"] is True
    assert answers["unknown"].keys() == {"error"} and "account" in answers["unknown"]["error"]

    stored = service.call("GET", f"users/{uid}")[1]
    assert answers["get"] == stored and (stored["first_name"], stored["meta"]["vip"]) == ("Ada", True)
    events = service.call("GET", f"users/{uid}/events")[1]["data"]
    assert [(one["event"], one["value"]) for one in events] == [("Paid", 49.5), ("loggedin", True)]
