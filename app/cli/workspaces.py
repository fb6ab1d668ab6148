"""`rollcall workspace`: tenants."""

import json
from dataclasses import asdict

import click

from app.cli.base import Group, as_json, main, with_storage
from app.domain import dates
from app.services import keys, workspaces


@main.group(cls=Group)
def workspace() -> None:
    """Make and list workspaces, the tenants of this installation."""


@workspace.command("create", epilog="Example: rollcall workspace create acme --json")
@click.argument("name")
@as_json
@with_storage
def create_workspace(name: str, as_json: bool) -> None:
    """Make a workspace and print its keys; the secret is shown this once."""
    made = asdict(workspaces.create(name))
    click.echo(json.dumps(made) if as_json else "\n".join(f"{key}: {value}" for key, value in made.items()))


@workspace.command("list", epilog="Example: rollcall workspace list --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@with_storage
def list_workspaces(as_json: bool) -> None:
    """List the workspaces and their public keys."""
    for one in workspaces.everything():
        row = {
            "workspace": one.name,
            "environment_id": one.environment_id,
            "created_at": dates.render(one.created_at),
            "public_keys": keys.valid(one.id),
        }
        click.echo(json.dumps(row) if as_json else "  ".join(map(str, row.values())))
