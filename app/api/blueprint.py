"""flask-smorest adapted: strict JSON bodies, our errors, orjson."""

from collections.abc import Callable
from typing import Any, TypeVar

import flask_smorest
from werkzeug.routing import BaseConverter

from app import errors
from app.api.bodies import StrictParser
from app.domain import environments
from app.schemas.status import ErrorSchema

F = TypeVar("F", bound=Callable[..., Any])


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """The routes of one noun."""

    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: Any, **kwargs: Any) -> Callable[[F], F]:
        """As smorest's, with the schema made once: of a class webargs makes one for each request."""
        made = schema() if isinstance(schema, type) else schema
        load = super().arguments(made, **kwargs)

        def mark(view: F) -> F:
            loading: F = load(view)
            if "location" not in kwargs:
                loading.body_schema = type(made)  # type: ignore[attr-defined]  # app/api/warnings.py
            return loading

        return mark

    def response(self, *args: Any, **kwargs: Any) -> Callable[[F], F]:
        """Document a reply as smorest does, and leave it as it is: our views answer a Response."""
        document = super().response(*args, **kwargs)

        def mark(view: F) -> F:
            view._apidoc = document(view)._apidoc  # type: ignore[attr-defined]
            return view

        return mark


class Api(flask_smorest.Api):  # type: ignore[misc]
    """Collects the OpenAPI document; failures are answered by app/api/errors.py instead."""

    ERROR_SCHEMA = ErrorSchema

    def _register_error_handlers(self) -> None:
        pass


class UidConverter(BaseConverter):
    """A uid in a path: any text without a slash. app/api/requests.py checks it, so that the reply can say why."""

    # With a `regex` of its own werkzeug would try one pattern a route, one after the other, in place of one for all.


class ListIdConverter(BaseConverter):
    """The id of a list in a path; app/api/requests.py checks it."""


class SegmentIdConverter(BaseConverter):
    """The id of a segment in a path; app/api/requests.py checks it."""

    regex = "[^/]+"


class EnvironmentConverter(BaseConverter):
    """An environment id in a path; what cannot be one is another route, or none."""

    regex = environments.FORM


def makes_user(view: F) -> F:
    """Say that the view makes a user of the uid in its path where there is none: conditions may ask for that."""
    view.makes_user = True  # type: ignore[attr-defined]
    return view


def may_raise(*failures: type[errors.Failure]) -> Callable[[F], F]:
    """Say which failures of its own the view can answer with, for the OpenAPI document."""

    def mark(view: F) -> F:
        view.failures = failures  # type: ignore[attr-defined]
        return view

    return mark
