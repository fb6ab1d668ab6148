"""The Atomic API as clients of one environment see it."""

import pytest

from app.services import audit, workspaces
from app.services.atomic import clients
from tests.factories import Api


class Atomic(Api):
    """Calls the Atomic API in this process. A path that does not begin with a slash stands under the environment.

    by: a role of a client of the environment, None for no token, or the value of an Authorization header.
    """

    def __init__(self, client, keys):
        super().__init__(client, keys)
        self.workspace, self.environment = workspaces.find(keys.workspace), keys.environment_id
        self.clients = {role: clients.create(self.workspace, role, audit.SHELL) for role in clients.ROLES}
        self.tokens = {role: clients.issue(one.id, one.secret) for role, one in self.clients.items()}

    def call(self, method, path, body=None, by="events", **more):
        by = f"Bearer {self.tokens[by]}" if by in self.tokens else by
        path = path if path.startswith("/") else f"/v1/{self.environment}/{path}"
        return super().call(method, path, body, by, **more)

    def customer(self, uid):
        """Return what `GET user` shows."""
        response = self.get(f"user?id={uid}")
        assert response.status_code == 200, response.json
        return response.json["data"]

    def profile(self, uid):
        """Return the profile that `GET user` shows."""
        return self.customer(uid)["profile"]


@pytest.fixture
def atomic(api):
    """The environment of the workspace of this test."""
    return Atomic(api.client, api.keys)


@pytest.fixture
def other_atomic(other_api):
    """The environment of another workspace."""
    return Atomic(other_api.client, other_api.keys)


@pytest.fixture
def refused(atomic):
    """Check that a request is refused with a status and a code in the Atomic shape; return its first error."""

    def check(response, status, code):
        assert response.status_code == status, response.json
        assert list(response.json) == ["errors"] and 1 <= len(response.json["errors"]) <= 20
        first = response.json["errors"][0]
        assert list(first) == ["title", "code", "detail", "source"] and first["code"] == code
        return first

    return check
