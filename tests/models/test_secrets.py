"""What the files of the database hold of the secrets: nothing."""

from pathlib import Path

import pytest

from app.models.database import db
from app.services import audit, keys, signatures
from tests.factories import fresh


@pytest.fixture
def stored(app, engine):
    """Return the bytes of every file of the database: tables, WAL, logs."""

    def read():
        if engine == "sqlite":
            folder = Path(db.database).parent
        else:
            db.execute_sql("CHECKPOINT")
            folder = Path(db.execute_sql("SHOW data_directory").fetchone()[0])
        return b"\0".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    return read


def test_a_raw_scan_of_the_database_finds_no_secret(app, api, workspace, stored, engine):
    rotated = keys.rotate(workspace, overlap=1, caller=audit.SHELL)
    signing = signatures.require(workspace)
    app.extensions["credentials"].clear()
    marker = fresh()
    assert api.put(f"users/{marker}", {"first_name": "Ada"}, headers={"Idempotency-Key": fresh()}).status_code == 200
    signed = {"X-User-Signature": signatures.sign(signing, marker)}
    assert api.put(f"users/{marker}", {}, by="public", headers=signed).status_code == 200
    assert api.get("users", by="Basic " + "wrong-secret-" * 3).status_code == 401
    found = stored()
    assert marker.encode() in found and api.keys.public_key.encode() in found  # it can find what is there
    for secret in (api.keys.secret_key, rotated.secret, signing, signed["X-User-Signature"]):
        assert secret.encode() not in found
