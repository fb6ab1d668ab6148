"""`rollcall`: everything that is done from a shell. A thin front of the services; failures end with exit status 1."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

import click
from tqdm import tqdm

from app import __version__, banner, create_app, dates, errors, logs
from app.api import openapi
from app.config import Settings, read_settings
from app.services import keys, lists, seeds, storage, workspaces


def _storage(command: Callable[..., Any]) -> Callable[..., Any]:
    """Run the command with the database ready."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        settings = _settings()
        logs.configure("warning")
        storage.open(settings)
        made = storage.prepare(settings)
        if made:
            banner.show(settings, made, sys.stderr)  # what the command itself prints may be read by a program
        return command(*args, **kwargs)

    return run


def _settings() -> Settings:
    return read_settings()


class _Group(click.Group):
    """A group whose commands end a known failure with one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command of the context."""
        try:
            return super().invoke(ctx)
        except (errors.Failure, errors.Misconfigured) as error:
            click.echo(f"rollcall: {error}", err=True)
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rollcall")
def main() -> None:
    """Rollcall, a self-hosted users service. Settings come from the environment: see docs/settings.md."""


_WORKSPACE = click.option("--workspace", default=workspaces.DEFAULT, show_default=True, help="Name of the workspace.")


@main.command(epilog="Example: PORT=9000 rollcall serve")
def serve() -> None:
    """Migrate the database and serve with gunicorn until Ctrl-C or SIGTERM."""
    _settings()  # so that a bad value ends here, with its one line
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "python:app.serving.defaults", "wsgi:app"])


@main.command(epilog="Example: rollcall migrate")
def migrate() -> None:
    """Bring the database to the schema of this release."""
    storage.open(_settings())
    names = storage.migrate()
    click.echo("\n".join(f"applied {name}" for name in names) or "nothing to do")


@main.group(cls=_Group)
def workspace() -> None:
    """Make and list workspaces, the tenants of this installation."""


@workspace.command("create", epilog="Example: rollcall workspace create acme --json")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_storage
def create_workspace(name: str, as_json: bool) -> None:
    """Make a workspace and print its keys; the secret is shown this once."""
    made = asdict(workspaces.create(name))
    click.echo(json.dumps(made) if as_json else "\n".join(f"{key}: {value}" for key, value in made.items()))


@workspace.command("list", epilog="Example: rollcall workspace list --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@_storage
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


@main.group(cls=_Group)
def key() -> None:
    """Rotate and revoke key pairs."""


@key.command("rotate", epilog="Example: rollcall key rotate --workspace acme --overlap 48")
@_WORKSPACE
@click.option(
    "--overlap", default=24.0, show_default=True, type=click.FloatRange(0, 8760), help="Hours the old pair lives on."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_storage
def rotate_key(workspace: str, overlap: float, as_json: bool) -> None:
    """Make a new key pair; the old one stays valid for a while."""
    made = {"workspace": workspace, **keys.rotate(workspaces.find(workspace), overlap).shown()}
    click.echo(json.dumps(made) if as_json else "\n".join(f"{key}: {value}" for key, value in made.items()))


@key.command("revoke", epilog="Example: rollcall key revoke pk_Xq19azQeXq19azQeXq19azQe")
@click.argument("public_key")
@_storage
def revoke_key(public_key: str) -> None:
    """Make a key pair worthless, at once."""
    keys.revoke(public_key)
    click.echo(f"revoked {public_key}")


@key.group("origins", cls=_Group)
def key_origins() -> None:
    """Say which web pages may call with a public key; none, unless they are on its list."""


@key_origins.command("add", epilog="Example: rollcall key origins add pk_Xq19azQe https://www.example.com")
@click.argument("public_key")
@click.argument("origin")
@_storage
def add_origin(public_key: str, origin: str) -> None:
    """Let pages of ORIGIN (or *, any) call with the public key."""
    keys.allow_origin(public_key, origin)
    click.echo(f"allowed {origin}")


@key_origins.command("remove", epilog="Example: rollcall key origins remove pk_Xq19azQe https://www.example.com")
@click.argument("public_key")
@click.argument("origin")
@_storage
def remove_origin(public_key: str, origin: str) -> None:
    """Take ORIGIN off the list of the key."""
    keys.forbid_origin(public_key, origin)
    click.echo(f"removed {origin}")


@key_origins.command("list", epilog="Example: rollcall key origins list pk_Xq19azQe")
@click.argument("public_key")
@_storage
def list_origins(public_key: str) -> None:
    """List the origins of a key, one a line."""
    click.echo("\n".join(keys.origins(public_key)), nl=bool(keys.origins(public_key)))


@main.group("list", cls=_Group)
def list_group() -> None:
    """Make lists."""


@list_group.command("create", epilog='Example: rollcall list create "Weekly news"')
@click.argument("title")
@_WORKSPACE
@_storage
def create_list(title: str, workspace: str) -> None:
    """Make a list and print its id."""
    click.echo(lists.create(workspaces.find(workspace), {"title": title}).id)


@main.command("openapi", epilog="Example: rollcall openapi > openapi.yaml")
def print_openapi() -> None:
    """Print the OpenAPI document as YAML."""
    with create_app(_settings()).app_context():
        click.echo(openapi.as_yaml(), nl=False)


@main.command(epilog="Example: rollcall seed 10000 --seed 7 --workspace acme")
@click.argument("count", type=click.IntRange(1, 10_000_000))
@_WORKSPACE
@click.option("--seed", default=1, show_default=True, help="The same number makes the same people.")
@_storage
def seed(count: int, workspace: str, seed: int) -> None:
    """Fill a workspace with COUNT realistic users and their events."""
    planting = seeds.plant(workspaces.find(workspace), count, seed)
    with tqdm(total=count, unit=" users") as progress:
        for done in planting:
            progress.update(done)
