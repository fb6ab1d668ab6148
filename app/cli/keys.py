"""`rollcall key`: key pairs and their allowed web origins."""

import json

import click

from app.cli.base import Group, as_json, main, of_workspace, with_storage
from app.services import audit, keys, signatures, workspaces


@main.group(cls=Group)
def key() -> None:
    """Rotate and revoke key pairs."""


@key.command("rotate", epilog="Example: rollcall key rotate --workspace acme --overlap 48")
@of_workspace
@click.option(
    "--overlap", default=24.0, show_default=True, type=click.FloatRange(0, 8760), help="Hours the old pair lives on."
)
@as_json
@with_storage
def rotate_key(workspace: str, overlap: float, as_json: bool) -> None:
    """Make a new key pair; the old one stays valid for a while."""
    made = {"workspace": workspace, **keys.rotate(workspaces.find(workspace), overlap, audit.SHELL).shown()}
    click.echo(json.dumps(made) if as_json else "\n".join(f"{key}: {value}" for key, value in made.items()))


@key.command("revoke", epilog="Example: rollcall key revoke pk_Xq19azQeXq19azQeXq19azQe")
@click.argument("public_key")
@with_storage
def revoke_key(public_key: str) -> None:
    """Make a key pair worthless, at once."""
    keys.revoke(public_key, audit.SHELL)
    click.echo(f"revoked {public_key}")


@key.command("require-signature", epilog="Example: rollcall key require-signature --workspace acme")
@of_workspace
@click.option("--off", is_flag=True, help="Take the public key alone at its word again.")
@as_json
@with_storage
def require_signature(workspace: str, off: bool, as_json: bool) -> None:
    """Let the public key alone write to signed users only, and print the secret to sign them with, once.

    Again, it prints a new secret, and what was signed with the old one is refused. See SECURITY.md.
    """
    found = workspaces.find(workspace)
    if off:
        signatures.stop_requiring(found)
        click.echo("signatures are not required")
        return
    made = {"workspace": workspace, "signing_secret": signatures.require(found)}
    click.echo(json.dumps(made) if as_json else "\n".join(f"{key}: {value}" for key, value in made.items()))


@key.group("origins", cls=Group)
def key_origins() -> None:
    """Say which web pages may call with a public key; none, unless they are on its list."""


@key_origins.command("add", epilog="Example: rollcall key origins add pk_Xq19azQe https://www.example.com")
@click.argument("public_key")
@click.argument("origin")
@with_storage
def add_origin(public_key: str, origin: str) -> None:
    """Let pages of ORIGIN (or *, any) call with the public key."""
    keys.allow_origin(public_key, origin, audit.SHELL)
    click.echo(f"allowed {origin}")


@key_origins.command("remove", epilog="Example: rollcall key origins remove pk_Xq19azQe https://www.example.com")
@click.argument("public_key")
@click.argument("origin")
@with_storage
def remove_origin(public_key: str, origin: str) -> None:
    """Take ORIGIN off the list of the key."""
    keys.forbid_origin(public_key, origin, audit.SHELL)
    click.echo(f"removed {origin}")


@key_origins.command("list", epilog="Example: rollcall key origins list pk_Xq19azQe")
@click.argument("public_key")
@with_storage
def list_origins(public_key: str) -> None:
    """List the origins of a key, one a line."""
    click.echo("\n".join(keys.origins(public_key)), nl=bool(keys.origins(public_key)))
