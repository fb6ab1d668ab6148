"""`rollcall deletions`: retry erasures that have failed."""

import click

from app.cli.base import Group, main, of_workspace, with_storage
from app.services import workspaces
from app.services.atomic import deletions


@main.group("deletions", cls=Group)
def deletion_group() -> None:
    """Look after erasures that were asked for over the Atomic API."""


@deletion_group.command("retry", epilog="Example: rollcall deletions retry --workspace acme")
@of_workspace
@with_storage
def retry_deletions(workspace: str) -> None:
    """Have the worker try again what it has given up."""
    click.echo(f"{deletions.retry(workspaces.find(workspace))} to be tried again")
