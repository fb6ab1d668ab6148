"""`rollcall worker` and `rollcall purge`: what is done beside requests."""

import click

from app import jobs
from app.cli.base import main, with_storage
from app.config import read_settings
from app.services import purges


@main.command(epilog="Example: rollcall worker")
def worker() -> None:
    """Do the work beside requests until Ctrl-C or SIGTERM. `rollcall serve` runs one itself; more do no harm."""
    jobs.run(read_settings())


@main.command(epilog="Example: rollcall purge")
@with_storage
def purge() -> None:
    """Remove the bytes of deleted rows from the disk. Writers, on Postgres readers too, wait meanwhile."""
    undone = purges.purge()
    for sentence in undone:
        click.echo(f"rollcall: {sentence}", err=True)
    if undone:
        raise click.exceptions.Exit(1)
    click.echo("purged")
