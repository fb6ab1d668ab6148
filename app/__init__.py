"""Rollcall: a self-hosted users service."""

from collections.abc import Callable, Mapping

from flask import Flask

from app import api, banner, errors, logs
from app.api import openapi, proxies
from app.api.hot import HotPath
from app.api.retries import App
from app.config import Settings, read_settings
from app.domain import uids
from app.services import storage
from app.services.atomic import jwks
from app.services.workspaces import NewWorkspace

__version__ = "0.1.0"


_current: Settings | None = None  # of this process


def configure(settings: Settings) -> None:
    """Make these settings those of this process: its log, its database, its key sets. Nothing is connected yet.

    Raises errors.Misconfigured.
    """
    global _current
    logs.configure(settings.log_level)
    storage.open(settings)
    jwks.configure(settings)
    uids.let_any_be_created(settings.create_id == "any")
    _current = settings


def create_app(
    settings: Settings | Mapping[str, object] | None = None, announce: Callable[[NewWorkspace], None] | None = None
) -> Flask:
    """Put the service together: the one composition root. Nothing is connected yet.

    settings: a mapping has the names of docs/settings.md, and stands for the environment; None reads that. The database
    is made ready by whoever uses it first, a request or a query. announce: called with the default workspace when the
    first use is what makes it; prints it when None.
    Raises errors.Misconfigured, also when this process has an app with other settings: it would share its database.
    """
    chosen = settings if isinstance(settings, Settings) else read_settings(settings)
    if _current not in (None, chosen):
        raise errors.Misconfigured("This process has an app with other settings already: start another process for it.")
    configure(chosen)
    app = App(__name__, static_folder=None)
    app.config.update(
        SETTINGS=chosen,
        PUBLIC_REPLIES=chosen.public_replies,
        ANNOUNCE=announce or (lambda made: banner.show(chosen, made, base_url=proxies.own_url(chosen))),
        **openapi.options(__version__),
    )
    storage.at_first_use(lambda: storage.prepare_and_announce(chosen, app.config["ANNOUNCE"]))
    api.init_app(app)
    if chosen.hot_path:
        app.extensions["hot"] = HotPath(app)
    return app
