"""Workspaces: the tenants of an installation."""

import re
import secrets
from dataclasses import dataclass

from app import clock, errors
from app.domain import environments
from app.models import segments
from app.models.database import statement, transaction
from app.models.workspaces import Workspace
from app.services import keys
from app.services.keys import KeyPair

DEFAULT = "default"
_MAX_NAME = 64
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]*")
_SIGNING_KEY_BYTES = 32  # the width of the SHA-256 that it keys


@dataclass(frozen=True)
class NewWorkspace:
    """A workspace just made, with the only sight there will ever be of its secret."""

    workspace: str
    environment_id: str
    public_key: str
    secret_key: str


@transaction
def create(name: str, pair: KeyPair | None = None, environment_id: str = "") -> NewWorkspace:
    """Make a workspace with a key pair and an environment id, random ones where none are given.

    name: 1 to 64 letters, digits, spaces or _ . -  Raises errors.InvalidInput, errors.Conflict when the name is taken.
    """
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        raise errors.InvalidInput({"name": [f"Must be 1 to {_MAX_NAME} letters, digits, spaces or _ . -"]})
    if Workspace.get_or_none(Workspace.name == name):
        raise errors.Conflict(f"There is a workspace {name} already.")
    made = Workspace.create(
        name=name,
        environment_id=environment_id or environments.new(),
        signing_key=secrets.token_urlsafe(_SIGNING_KEY_BYTES),
        created_at=clock.now(),
    )
    segments.create_everybody(made.id, made.created_at)
    pair = keys.add(made.id, pair)
    return NewWorkspace(name, made.environment_id, pair.public, pair.secret)


@transaction
def ensure_default(pair: KeyPair | None, environment_id: str = "") -> NewWorkspace | None:
    """Make the default workspace when there is no workspace at all; return it if this call made it."""
    return None if Workspace.select().exists() else create(DEFAULT, pair, environment_id)


@statement
def everything() -> list[Workspace]:
    """Return all workspaces in the order they were made."""
    return list(Workspace.select().order_by(Workspace.id))


@statement
def find(name: str) -> int:
    """Return the id of the workspace of that name. Raises errors.NotFound."""
    found = Workspace.get_or_none(Workspace.name == name)
    if found is None:
        raise errors.NotFound(f"There is no workspace {name}.")
    return int(found.id)


@statement
def of_environment(environment_id: str) -> int | None:
    """Return the id of the workspace with that environment id."""
    found = Workspace.get_or_none(Workspace.environment_id == environment_id)
    return None if found is None else int(found.id)


def find_environment(environment_id: str) -> int:
    """Return the id of the workspace with that environment id. Raises errors.NotFound."""
    found = of_environment(environment_id)
    if found is None:
        raise errors.NotFound(f"There is no environment {environment_id}.")
    return found
