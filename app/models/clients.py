"""Clients of the Atomic API: id and secret with one role each. A client id leads to its workspace."""

from typing import NamedTuple

import peewee

from app.models.database import BaseModel
from app.models.workspaces import Workspace


class Client(BaseModel):
    """A client pair. The secret itself is kept nowhere; times are epoch milliseconds."""

    id = peewee.TextField(primary_key=True)
    workspace_id = peewee.BigIntegerField()
    role = peewee.TextField()
    secret_hash = peewee.TextField()
    created_at = peewee.BigIntegerField()
    revoked_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "clients"


class ClientRow(NamedTuple):
    """What a request needs to know of its client, and of the workspace that the client speaks for."""

    id: str
    workspace: int
    role: str
    secret_hash: str
    environment_id: str
    workspace_name: str
    signing_key: str


def find(id: str) -> ClientRow | None:
    """Return the client of that id unless it was revoked."""
    query = Client.select(
        Client.id,
        Client.workspace_id,
        Client.role,
        Client.secret_hash,
        Workspace.environment_id,
        Workspace.name,
        Workspace.signing_key,
    ).join(Workspace, on=(Workspace.id == Client.workspace_id))
    found = query.where((Client.id == id) & Client.revoked_at.is_null()).tuples().first()
    return ClientRow._make(found) if found else None


def add(workspace: int, id: str, role: str, secret_hash: str, now: int) -> bool:
    """Keep a new client. Returns False, and keeps nothing, when there is one of that id already."""
    if Client.get_or_none(Client.id == id):
        return False
    Client.create(id=id, workspace_id=workspace, role=role, secret_hash=secret_hash, created_at=now)
    return True


def revoke(workspace: int, id: str, now: int) -> bool:
    """Make the client of the workspace worthless. Returns whether there was one that was not."""
    query = Client.update(revoked_at=now).where(
        (Client.workspace_id == workspace) & (Client.id == id) & Client.revoked_at.is_null()
    )
    return bool(query.execute())


def of_workspace(workspace: int) -> list[Client]:
    """Return the clients of the workspace that work, oldest first."""
    query = Client.select().where((Client.workspace_id == workspace) & Client.revoked_at.is_null())
    return list(query.order_by(Client.created_at, Client.id))
