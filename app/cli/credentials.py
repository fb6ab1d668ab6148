"""`rollcall credentials`: the clients of the Atomic API."""

import json

import click

from app.cli.base import Group, as_json, main, of_workspace, with_storage
from app.services import audit, workspaces
from app.services.atomic import clients


@main.group(cls=Group)
def credentials() -> None:
    """Make, list and revoke clients of the Atomic API."""


@credentials.command("create", epilog="Example: rollcall credentials create events --workspace acme")
@click.argument("role", type=click.Choice(clients.ROLES))
@of_workspace
@as_json
@with_storage
def create_client(role: str, workspace: str, as_json: bool) -> None:
    """Make a client with ROLE and print its id and secret; the secret is shown this once.

    auth makes and revokes clients, workbench defines fields, segments and SDK keys, events reads and writes customers.
    """
    made = clients.create(workspaces.find(workspace), role, audit.SHELL)
    shown = {"workspace": workspace, "role": role, "client_id": made.id, "client_secret": made.secret}
    click.echo(json.dumps(shown) if as_json else "\n".join(f"{key}: {value}" for key, value in shown.items()))


@credentials.command("list", epilog="Example: rollcall credentials list --workspace acme")
@of_workspace
@with_storage
def list_clients(workspace: str) -> None:
    """List the clients of a workspace, one a line: id and role."""
    for id, role in clients.valid(workspaces.find(workspace)):
        click.echo(f"{id}  {role}")


@credentials.command("revoke", epilog="Example: rollcall credentials revoke cl4f0c5d1fa2b63c7d8e9f0a1b")
@click.argument("client_id")
@of_workspace
@with_storage
def revoke_client(client_id: str, workspace: str) -> None:
    """Make a client and its tokens worthless, within a second."""
    clients.revoke(workspaces.find(workspace), client_id, audit.SHELL)
    click.echo(f"revoked {client_id}")
