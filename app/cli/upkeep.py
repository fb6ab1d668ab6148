"""`rollcall worker`, `purge`, `backup` and `restore`."""

import click

from app import errors, jobs, logs
from app.cli.base import main, with_storage
from app.config import read_settings
from app.services import backups, purges, retention, storage


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


@main.command(epilog="Example: ROLLCALL_EVENT_RETENTION_DAYS=90 rollcall sweep")
@with_storage
def sweep() -> None:
    """Delete the events that are older than ROLLCALL_EVENT_RETENTION_DAYS now; the service does it every hour."""
    days = read_settings().event_retention_days
    if not days:
        raise errors.Misconfigured("ROLLCALL_EVENT_RETENTION_DAYS: Must be set, as events are kept for ever otherwise.")
    swept = retention.sweep(days)
    click.echo(f"{swept.months} months dropped, {swept.events} events deleted")


@main.command(epilog="Example: rollcall backup /backups/rollcall-2026-11-23")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def backup(file: str, force: bool) -> None:
    """Write all that is stored to FILE, while the service runs. Nothing is migrated."""
    logs.configure("error")
    storage.open(read_settings())
    click.echo(f"{backups.backup(file, force)} bytes")


@main.command(epilog="Example: rollcall restore /backups/rollcall-2026-11-23")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace a database that has workspaces.")
def restore(file: str, force: bool) -> None:
    """Put a backup in the place of the database, and erase again who was erased since. Stop the service first."""
    settings = read_settings()
    logs.configure("error")
    storage.open(settings)
    again = backups.restore(settings, file, force)
    click.echo(f"restored; {again} users erased again")
