"""What the contract stands on: a lane, the reference beside it, and all that is stored."""

import pytest

from app.models.database import db
from tests.contract.lanes import LANES, Routes
from tests.tenancy import tables

# What a lane leaves beside users: how far a file has been read, the custom fields that a profile needs, who defined them.
BESIDE_USERS = {"imports", "profile_fields", "audit"}


@pytest.fixture
def lane(request, app, api, tmp_path):
    """The lane that the rule runs over, in the workspace of this test."""
    return LANES[request.param](app, api, tmp_path)


@pytest.fixture
def reference(app, api, tmp_path):
    """The routes, in the workspace of the lane."""
    return Routes(app, api, tmp_path)


@pytest.fixture
def twin(app, other_api, tmp_path):
    """The routes, in another workspace: what they leave there, the lane must leave here."""
    return Routes(app, other_api, tmp_path)


@pytest.fixture
def stored(workspace):
    """Return all rows of the workspace that hold anything about users."""
    names = sorted(tables() - BESIDE_USERS)

    def dump():
        rows = {
            name: db.execute_sql(f"SELECT * FROM {name} WHERE workspace_id = {workspace}").fetchall() for name in names
        }
        return {name: sorted(map(repr, found)) for name, found in rows.items()}

    return dump
