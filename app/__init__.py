"""Rollcall: a self-hosted users service."""

from collections.abc import Callable

from flask import Flask

from app import api, banner, logs
from app.api import openapi
from app.api.hot import HotPath
from app.api.retries import App
from app.config import Settings
from app.services import jwks, storage
from app.services.workspaces import NewWorkspace

__version__ = "0.1.0"


def configure(settings: Settings) -> None:
    """Make these settings those of this process: its log, its database, its key sets. Nothing is connected yet.

    Raises errors.Misconfigured.
    """
    logs.configure(settings.log_level)
    storage.open(settings)
    jwks.configure(settings)


def create_app(settings: Settings, announce: Callable[[NewWorkspace], None] | None = None) -> Flask:
    """Put the service together: the one composition root. Nothing is connected or read yet.

    announce: called with the default workspace when the first request is what makes it, because the database was
    away at the start; prints it when None.
    """
    configure(settings)
    app = App(__name__, static_folder=None)
    app.config.update(
        SETTINGS=settings,
        CREATE_ID=settings.create_id,
        PUBLIC_REPLIES=settings.public_replies,
        ANNOUNCE=announce or (lambda made: banner.show(settings, made)),
        **openapi.options(__version__),
    )
    api.init_app(app)
    if settings.hot_path:
        app.extensions["hot"] = HotPath(app)
    return app
