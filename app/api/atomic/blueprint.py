"""The blueprint of the Atomic API: one tag in OpenAPI, and a parser whose errors are JSON pointers."""

from typing import Any, NoReturn

from flask import g

from app import errors
from app.api.blueprint import Blueprint
from app.api.bodies import StrictParser, read_json
from app.schemas import messages

ENVIRONMENT = "/v1/<environment:environment>"
MAX_BODY = 1024 * 1024  # bytes, as of a batch: a thousand customers


class AtomicParser(StrictParser):
    """The strict parser, whose errors name places as JSON pointers (RFC 6901)."""

    def load_json(self, req: Any, schema: Any) -> Any:
        """Return the body: an object, or an array where the schema wants many. Raises as StrictParser does."""
        try:
            body = read_json(req)
        except errors.InvalidInput as failure:
            raise errors.InvalidInput(
                {errors.pointer(*place.split(".")): said for place, said in failure.details.items()}
            ) from None
        if isinstance(body, list) != schema.many or not isinstance(body, list | dict):
            raise errors.InvalidBody(f"The body must be a JSON {'array' if schema.many else 'object'}.")
        return body

    def handle_error(
        self, error: Any, req: Any, schema: Any, *, error_status_code: Any, error_headers: Any
    ) -> NoReturn:
        """Raise what marshmallow found as errors.InvalidInput."""
        found = error.normalized_messages()
        raise errors.InvalidInput(
            messages.pointers(found["json"]) if "json" in found else messages.flatten(found.get("query", found))
        )


class AtomicBlueprint(Blueprint):
    """The routes of the Atomic API."""

    ARGUMENTS_PARSER = AtomicParser()


blp = AtomicBlueprint(
    "atomic", __name__, description="The Atomic Users API over the same users: an environment is a workspace."
)


@blp.url_value_preprocessor
def take_environment(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Take the environment out of the path: app/api/bearers.py compares it with that of the token."""
    if values and "environment" in values:
        g.wanted_environment = values.pop("environment")
