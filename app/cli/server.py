"""`rollcall serve` and the commands around a running service."""

import os
import sys

import click

from app import configure, create_app
from app.api import openapi
from app.cli.base import main
from app.config import read_settings
from app.services import storage


@main.command(epilog="Example: PORT=9000 rollcall serve")
def serve() -> None:
    """Migrate the database and serve with gunicorn until Ctrl-C or SIGTERM."""
    read_settings()  # so that a bad value ends here, with its one line
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "python:app.serving.defaults", "wsgi:app"])


@main.command(epilog="Example: rollcall migrate")
def migrate() -> None:
    """Bring the database to the schema of this release."""
    storage.open(read_settings())
    names = storage.migrate()
    click.echo("\n".join(f"applied {name}" for name in names) or "nothing to do")


@main.command("openapi", epilog="Example: rollcall openapi > openapi.yaml")
def print_openapi() -> None:
    """Print the OpenAPI document as YAML."""
    settings = read_settings()
    configure(settings)
    with create_app(settings).app_context():
        click.echo(openapi.as_yaml(), nl=False)
