"""`rollcall list` and `rollcall seed`: create lists and test data."""

import click
from tqdm import tqdm

from app.cli.base import Group, main, of_workspace, with_storage
from app.services import audit, lists, seeds, workspaces


@main.group("list", cls=Group)
def list_group() -> None:
    """Make lists."""


@list_group.command("create", epilog='Example: rollcall list create "Weekly news"')
@click.argument("title")
@of_workspace
@with_storage
def create_list(title: str, workspace: str) -> None:
    """Make a list and print its id."""
    click.echo(lists.create(workspaces.find(workspace), {"title": title}, audit.SHELL).id)


@main.command(epilog="Example: rollcall seed 10000 --seed 7 --workspace acme")
@click.argument("count", type=click.IntRange(1, 10_000_000))
@of_workspace
@click.option("--seed", default=1, show_default=True, help="The same number makes the same people.")
@with_storage
def seed(count: int, workspace: str, seed: int) -> None:
    """Fill a workspace with COUNT realistic users and their events."""
    planting = seeds.plant(workspaces.find(workspace), count, seed)
    with tqdm(total=count, unit=" users") as progress:
        for done in planting:
            progress.update(done)
