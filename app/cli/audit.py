"""`rollcall audit`: print the audit log."""

import json

import click

from app.cli.base import main, of_workspace, with_storage
from app.domain import dates
from app.services import audit, workspaces

_MAX_ROWS = 10_000


@main.command("audit", epilog="Example: rollcall audit --workspace acme --limit 50 --json")
@of_workspace
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, _MAX_ROWS), help="Records at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@with_storage
def show_audit(workspace: str, limit: int, as_json: bool) -> None:
    """Show what was done to a workspace, newest first."""
    for record in audit.page(workspaces.find(workspace), limit).rows:
        row = {**record._asdict(), "at": dates.render(record.at)}
        told = [row[name] or "-" for name in ("at", "action", "actor", "level", "subject", "other", "request_id")]
        click.echo(json.dumps(row) if as_json else "  ".join(told))
