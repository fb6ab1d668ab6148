"""openapi.yaml: current, valid, complete, with examples that are valid too."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from app.api import openapi
from app.api.auth import OPEN
from app.api.conventions import ENGAGE


@pytest.fixture(scope="module")
def document(root):
    """The document as it stands at the top of the repository."""
    return yaml.safe_load((root / "openapi.yaml").read_text())


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "put", "post", "delete", "patch"):
                yield f"{method.upper()} {path}", operation


def test_it_is_current(app, root):
    with app.app_context():
        assert (root / "openapi.yaml").read_text() == openapi.as_yaml(), "run `make openapi`"


def test_it_is_served(api, document):
    assert api.get("/openapi.json", by=None).json == json.loads(json.dumps(document))


def test_it_is_valid(document):
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_route_is_in_it(app, document):
    served = {
        f"{method} {openapi.path_of(rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if not rule.endpoint.startswith(("unversioned_", "swagger_ui", "openapi."))
    }
    assert {name for name, _ in operations(document)} == served


def test_the_unversioned_routes_are_the_same_as_those_under_v1(app):
    rules = {(rule.rule, tuple(sorted(rule.methods))) for rule in app.url_map.iter_rules()}
    engage = [one for one in rules if openapi.face_of(openapi.path_of(one[0])) == ENGAGE]
    versioned = {(rule.removeprefix("/v1"), methods) for rule, methods in engage if rule.startswith("/v1/")}
    assert versioned and versioned <= rules


def resolved(document, parameter):
    """Return a parameter, which may stand among the components."""
    name = parameter.get("$ref", "").rpartition("/")[2]
    return document["components"]["parameters"][name] if name else parameter


def test_everything_is_described(document):
    for name, operation in operations(document):
        assert operation["summary"], name
        named = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
        assert all(parameter["description"] for parameter in named), name
        assert "requestBody" not in operation or operation["requestBody"]["description"], name
        assert all(reply["description"] for reply in operation["responses"].values()), name
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name


def test_security_is_what_the_views_ask_for(app, document):
    for rule in app.url_map.iter_rules():
        operation_of = document["paths"].get(openapi.path_of(rule.rule), {})
        for method in rule.methods & {"GET", "PUT", "POST", "DELETE"}:
            if method.lower() in operation_of:
                level = app.view_functions[rule.endpoint].access
                replies = operation_of[method.lower()]["responses"]
                assert ("401" in replies) == (level != OPEN) and "500" in replies


def test_every_example_is_valid_against_its_schema(document):
    seen = 0
    for name, operation in operations(document):
        for content in [operation.get("requestBody", {}), *operation["responses"].values()]:
            body = content.get("content", {}).get("application/json")
            if body:
                examples = (
                    [body["example"]] if "example" in body else [one["value"] for one in body["examples"].values()]
                )
                for example in examples:
                    check(document, body["schema"], example, name)
                    seen += 1
        for parameter in operation.get("parameters", []):
            if "example" in parameter.get("schema", {}):
                check(document, parameter["schema"], parameter["schema"]["example"], name)
    for name, schema in document["components"]["schemas"].items():
        check(document, schema, schema["example"], name)
        for field, one in schema.get("properties", {}).items():
            if "example" in one:
                check(document, one, one["example"], f"{name}.{field}")
                seen += 1
    assert seen > 50


def check(document, schema, example, name):
    whole = {**schema, "components": document["components"]}
    errors = [error.message for error in Draft202012Validator(whole).iter_errors(example)]
    assert not errors, (name, errors)


def test_the_docs_browser_does_not_keep_the_secret(api):
    page = api.get("/docs/", by=None).get_data(as_text=True)
    assert '"persistAuthorization": false' in page
