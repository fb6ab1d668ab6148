"""What the OpenAPI document promises, asked of the app with thousands of generated requests, on both databases."""

import contextlib
from unittest import SkipTest

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from app import configure, create_app
from app.api import conventions
from app.config import Settings
from app.models.database import forget_connection
from app.services import audit, storage, workspaces
from app.services.atomic import clients
from tests.conftest import ENGINES
from tests.factories import basic

# Rules that JSON Schema has no words for: what exists, what time it is, what is a day, which two go together.
BEYOND_SCHEMA = {
    "lists", "accounts", "timestamp", "created_at", "app_last_active", "created_since", "created_until", "since", "until", "device_platform", "uid",
    "next_cursor", "previous_cursor", "after_id", "before_id", "email", "tz", "number", "destination", "redirect_url",
}  # fmt: skip
PHPS_OBJECTS = ("meta", "properties")  # PHP writes one without keys as []
# Invalid data may be too long as well, which is looked at first.
CONFIG = {
    # Unknown parameters are ignored; texts with NUL are refused by rule.
    "generation": {"allow-x00": False, "allow-extra-parameters": False},
    "checks": {"negative_data_rejection": {"expected-statuses": ["400", "401", "403", "404", "405", "409", "413"]}},
}


FEW, MANY = 5, 60  # requests to each operation in each mode


@pytest.fixture(
    scope="module",
    params=[("sqlite", FEW), *(pytest.param((engine, MANY), marks=pytest.mark.ci) for engine in ENGINES)],
    ids=lambda one: "-".join(map(str, one)),
)
def document(request, migrated_database):
    """The document of an app on a database, with a key pair to call it with, and how many requests to make of it."""
    engine, examples = request.param
    app_settings = Settings(database_url=migrated_database(engine), log_level="critical", rate_login="0")
    configure(app_settings)
    app = create_app(app_settings)
    storage.prepare(app_settings)
    keys = workspaces.create("schemathesis")
    loaded = schemathesis.openapi.from_wsgi("/openapi.json", app, config=schemathesis.Config.from_dict(CONFIG))
    loaded.authorization = basic(keys.public_key, keys.secret_key)
    loaded.environment, loaded.examples = keys.environment_id, examples
    made = [clients.create(workspaces.find(keys.workspace), role, audit.SHELL) for role in clients.ROLES]
    loaded.tokens = {one.role: f"Bearer {clients.issue(one.id, one.secret)}" for one in made}
    yield loaded
    forget_connection()


@schemathesis.check
def valid_data_is_refused_only_for_what_a_schema_cannot_say(ctx, response, case):
    """In place of the check that knows no such rules."""
    if case.meta.generation.mode.is_positive and response.status_code == 400:
        reply = response.json()
        if conventions.of_path(case.path.replace("{environment}", "ZZ99zzZZ")) != conventions.ENGAGE:
            return  # what a customer is, or a client, only its environment knows
        # The grammar of rules has tests of its own (tests/schemas/test_rules.py): what is there, depth, dates.
        named = {name.partition(".")[0] for name in reply.get("details", {}) if not name.startswith("/rule")}
        # An ignored key may hold what strict JSON forbids: an integer beyond 2^53-1, nine levels.
        assert reply["code"] == "invalid_body" or named <= BEYOND_SCHEMA, response.text


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
def test_the_app_keeps_what_the_document_promises(document, mode):
    operations = [found.ok() for found in document.get_all_operations()]
    assert operations
    for operation in operations:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=document.examples, deadline=None, suppress_health_check=list(HealthCheck))
        def keeps(case):
            if mode.is_positive and "environment" in (case.path_parameters or {}):
                case.path_parameters["environment"] = document.environment
            # A word of Engage's routes in place of an environment makes it a route of Engage's.
            assume(str((case.path_parameters or {}).get("environment")) not in conventions._nouns)
            assume(not has_empty_object_of_php(case.body))
            case.call_and_validate(
                headers={"Authorization": caller(document, case.operation)}, excluded_checks=[positive_data_acceptance]
            )

        with contextlib.suppress(Unsatisfiable, SkipTest):  # nothing can be wrong with a request that takes nothing
            keeps()


def has_empty_object_of_php(body):
    """Tell whether an empty array stands for an empty object: it is taken, though the document asks for an object."""
    if isinstance(body, list):
        return any(map(has_empty_object_of_php, body))
    if not isinstance(body, dict):
        return False
    return any(body.get(name) == [] for name in PHPS_OBJECTS) or any(map(has_empty_object_of_php, body.values()))


def caller(document, operation):
    """Return the Authorization of somebody who may call the operation."""
    security = operation.definition.raw.get("security") or [{}]
    return document.tokens[security[0]["bearer"][0]] if "bearer" in security[0] else document.authorization
