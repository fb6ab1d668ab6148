"""The command group, and what all commands share."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from app import __version__, banner, errors, logs
from app.config import read_settings
from app.services import storage, workspaces


def with_storage(command: Callable[..., Any]) -> Callable[..., Any]:
    """Run the command with the database ready."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        settings = read_settings()
        storage.open(settings)
        made = storage.start(settings)
        if made:
            banner.show(settings, made, sys.stderr)  # what the command itself prints may be read by a program
        return command(*args, **kwargs)

    return run


class Group(click.Group):
    """A group whose commands end a known failure with one line, or one for each bad input, and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command of the context."""
        try:
            return super().invoke(ctx)
        except errors.StorageUnavailable as error:
            click.echo(f"rollcall: {storage.why(error) if error.__cause__ else error}", err=True)
            ctx.exit(1)
        except errors.InvalidInput as error:
            for field, messages in error.details.items():
                click.echo(f"rollcall: {field}: {messages[0]}", err=True)
            ctx.exit(1)
        except (errors.Failure, errors.Misconfigured) as error:
            click.echo(f"rollcall: {error}", err=True)
            ctx.exit(1)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rollcall")
def main() -> None:
    """Rollcall, a self-hosted users service. Settings come from the environment: see docs/settings.md."""
    logs.configure("error")  # a command ends with a line of its own


of_workspace = click.option("--workspace", default=workspaces.DEFAULT, show_default=True, help="Name of the workspace.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
