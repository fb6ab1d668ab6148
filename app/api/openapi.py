"""The OpenAPI document: what flask-smorest collects from the views, completed with what all operations share."""

import copy
import inspect
import re
from collections import defaultdict
from typing import Any

import yaml
from flask import Flask, current_app

from app import errors
from app.api import conventions, retries, warnings
from app.api.auth import OPEN, PUBLIC_KEY, SECRET_KEY
from app.api.bearers import BEARER, SDK
from app.api.blueprint import Api, EnvironmentConverter, ListIdConverter, SegmentIdConverter, UidConverter
from app.api.errors import STATUS
from app.api.rates import UNLIMITED
from app.api.requests import WRITES
from app.domain import environments, ids, uids
from app.schemas import grammar
from app.schemas.customers import AtomicErrorsSchema, OauthErrorSchema
from app.services.retries import MAX_KEY

_INTRODUCTION = (
    "Rollcall keeps who a product's users are, what they did, and which lists and accounts they belong to.\n\n"
    "Authenticate with HTTP Basic: the public key as user name and the secret key as password. Where the public key "
    "alone is enough, the password is empty. Every reply is a JSON object; every success is 200; errors have one shape."
    "\n\nThe routes under **atomic** are the Atomic Users API over the same users: bearer tokens, errors of its own."
)
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    OPEN: [],
    PUBLIC_KEY: [{"publicKey": []}, {"publicKey": [], "userSignature": []}, {"secretKey": []}],
    SECRET_KEY: [{"secretKey": []}],
    SDK: [{"sdkToken": []}],
}
_SCHEMES = {
    "publicKey": {
        "type": "http",
        "scheme": "basic",
        "description": "The public key as user name, an empty password: for browsers and phones.",
    },
    "userSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-User-Signature",
        "description": "Beside the public key, for writes in a workspace that demands it: "
        "hex(HMAC-SHA256(signing secret, uid)) of the user that is written to; for a merge of both, with a comma.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The access token of a client (`POST /oauth2/token`) with one of the roles that are named.",
    },
    "sdkToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A JSON Web Token of the user, signed with the SDK key that `x-atomic-sdk-api-key` names.",
    },
    "secretKey": {
        "type": "http",
        "scheme": "basic",
        "description": "The public key as user name, the secret key as password: for servers.",
    },
}
_WARNINGS = {
    warnings.HEADER: {
        "description": "Keys of the body that are ignored, as a JSON array of sentences; told to the secret alone.",
        "schema": {"type": "string", "example": '["plan: is ignored; attributes of your own go into meta."]'},
    }
}
_RATE_HEADERS = {
    "RateLimit-Policy": {
        "description": "The limits that apply: each with its quota and its window in seconds "
        "(draft-ietf-httpapi-ratelimit-headers-10).",
        "schema": {"type": "string", "example": '"address";q=10000;w=1, "key";q=20000;w=1'},
    },
    "RateLimit": {
        "description": "What is left of each limit, and the seconds until its window ends.",
        "schema": {"type": "string", "example": '"address";r=9999;t=1, "key";r=19998;t=1'},
    },
}
_CONDITIONS = {
    "IfMatch": {
        "name": "If-Match",
        "description": "Change the user only in the state of one of these ETags; `*`: only if there is a user.",
        "example": '"6f1d0a4c8e2b4f60a1c3d5e7f9b1d3f5.1a2b3c4d"',
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "description": "Do it only if no such ETag is that of the user; `*`: only if there is no user yet.",
        "example": "*",
    },
}
_IF_CHANGED = {
    "IfNoneMatchRead": {
        "name": "If-None-Match",
        "description": "Answer 304 where one of these ETags is still that of the user.",
        "example": '"6f1d0a4c8e2b4f60a1c3d5e7f9b1d3f5.1a2b3c4d"',
    },
}
_IDEMPOTENCY_KEY = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "description": "The same key and request within 24 hours is done once, and answered as the first time.",
        "example": "5f0c9d2e-order-17",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
    },
}
_ETAG = {"ETag": {"description": "The state of the user, and the view of it.", "schema": {"type": "string"}}}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait before trying again.", "schema": {"type": "integer"}}}
_HEADERS = {
    401: {"WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}}},
    429: _RETRY_AFTER,
    503: _RETRY_AFTER,
}
_EXAMPLE_PLACES = {
    conventions.ENGAGE: "email",
    conventions.ATOMIC: "/users/3/profile/email",
    conventions.OAUTH: "email",
}
_EXAMPLE_HINTS: dict[type[errors.Failure], str] = {
    errors.WrongCredentials: "The password is not the secret key that belongs to this public key.",
}
_ORDER = ("openapi", "info", "servers", "tags", "paths", "components")
_PATH_PARAMETERS = {
    "environment": {"description": "The environment id of the workspace.", "example": "XQ19azQe"},
    "client_id": {"description": "The id of the client.", "example": "cl4f0c5d1fa2b63c7d8e9f0a1b"},
    "sdk_key_id": {"description": "The id of the SDK key.", "example": "01a209c87cbe2baa19be3bcb"},
    "uid": {"description": "The caller's identifier of the user.", "example": "u144"},
    "account": {"description": "The uid of the account.", "example": "acme"},
    "name": {"description": "The name of an attribute.", "example": "plan"},
    "token": {"description": "A push token, URL-encoded.", "example": "ExponentPushToken[x]"},
    "link": {"description": "A signed link, as a reply gave it.", "example": "XQ19azQe.WyJhIiwiYiJd.aBc.dEf"},
    "segment_id": {"description": "The id of the segment.", "example": "62bbdd2e5bfea4dca4834045"},
    "list_id": {"description": "The id of the list.", "example": "60036440419768607192801b"},
}
_UID = {"type": "string", "pattern": uids.PATTERN}
_ENVIRONMENT = {"type": "string", "pattern": f"^{environments.FORM}$"}
_ERROR_SCHEMAS = {conventions.ENGAGE: "Error", conventions.ATOMIC: "AtomicErrors", conventions.OAUTH: "OauthError"}


def options(version: str) -> dict[str, Any]:
    """Return the settings of flask-smorest."""
    return {
        "API_TITLE": "Rollcall",
        "API_VERSION": version,
        "OPENAPI_VERSION": "3.1.0",
        "API_SPEC_OPTIONS": {
            "info": {"description": _INTRODUCTION, "license": {"name": "MIT", "identifier": "MIT"}},
            "servers": [{"url": "/", "description": "This server."}],
        },
    }


def new_api(app: Flask) -> Api:
    """Return the collector of the document."""
    api = Api(app)
    api.register_converter(UidConverter, lambda converter: _UID)
    api.register_converter(EnvironmentConverter, lambda converter: _ENVIRONMENT)
    api.spec.components.schema("AtomicErrors", schema=AtomicErrorsSchema)
    api.spec.components.schema("OauthError", schema=OauthErrorSchema)
    api.register_converter(ListIdConverter, lambda converter: {"type": "string", "pattern": ids.PATTERN})
    api.register_converter(SegmentIdConverter, lambda converter: {"type": "string", "pattern": ids.PATTERN})
    api.ma_plugin.converter.add_attribute_function(_names)
    for name, scheme in _SCHEMES.items():
        api.spec.components.security_scheme(name, scheme)
    for name, schema in grammar.documents().items():
        api.spec.components.schema(name, schema)
    for name, header in (_RATE_HEADERS | _WARNINGS).items():
        api.spec.components.header(name, header)
    for name, parameter in (_CONDITIONS | _IF_CHANGED | _IDEMPOTENCY_KEY).items():
        api.spec.components.parameter(name, "header", {"schema": {"type": "string"}, **parameter})
    return api


def _names(converter: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
    """What a field demands of the names in its object: apispec knows no propertyNames."""
    return dict(getattr(field, "names", {}))


def document(prefix: str = "") -> dict[str, Any]:
    """Return the whole document of the current app. prefix: the path under which a proxy has it."""
    api = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    found: dict[str, Any] = copy.deepcopy(api.spec.to_dict())  # it gives away its own
    schemas = found["components"]["schemas"]
    found["components"].pop("responses", None)
    _describe(schemas)
    for rule in current_app.url_map.iter_rules():
        path = path_of(rule.rule)
        for method, operation in found["paths"].get(path, {}).items():
            if method.upper() in (rule.methods or ()):
                view = current_app.view_functions[rule.endpoint]
                operation["operationId"] = rule.endpoint.replace(".", "_")
                operation["security"] = _security(view)
                _finish(operation, path, view, schemas, method)
                _name_headers(operation, path, method, view)
                if rule.endpoint.partition(".")[0] not in UNLIMITED:
                    _limit(operation, path)
    found["servers"][0]["url"] = f"{prefix}/"
    return {name: found[name] for name in _ORDER if name in found}


def _security(view: Any) -> list[dict[str, list[str]]]:
    level = getattr(view, "access", SECRET_KEY)
    return [{"bearer": list(view.roles)}] if level == BEARER else _SECURITY[level]


def path_of(rule: str) -> str:
    """Return the path of a Flask rule as OpenAPI writes it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def as_yaml(prefix: str = "") -> str:
    """Return the document as it stands in openapi.yaml. prefix: as of `document`."""
    head = "# Generated by `make openapi`; do not edit.\n"
    return head + yaml.dump(document(prefix), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=120)


class _PlainDumper(yaml.SafeDumper):
    """Writes what stands in two places twice: anchors help nobody who reads the file."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never refer to an earlier place."""
        return True


def _finish(operation: dict[str, Any], path: str, view: Any, schemas: dict[str, Any], method: str) -> None:
    for parameter in operation.get("parameters", []):
        if parameter.get("in") == "path":
            parameter.update(_PATH_PARAMETERS[parameter["name"]])
    for one in [operation.get("requestBody"), *operation["responses"].values()]:
        content = (one or {}).get("content", {}).get("application/json")
        if content and "example" not in content:
            content["example"] = _example(content["schema"], schemas)
    if "requestBody" in operation:
        operation["requestBody"].setdefault("description", "JSON in UTF-8; keys that are not listed are ignored.")
    operation["responses"].pop("default", None)
    _add(operation, path, _failures(operation, path, view, method))


def _add(operation: dict[str, Any], path: str, failures: list[type[errors.Failure]]) -> None:
    found = operation["responses"] | _error_responses(failures, face_of(path))
    operation["responses"] = dict(sorted((str(code), reply) for code, reply in found.items()))


def face_of(path: str) -> str:
    """Return the convention of a path of the document."""
    return conventions.of_path(path.replace("{environment}", _PATH_PARAMETERS["environment"]["example"]))


def _name_headers(operation: dict[str, Any], path: str, method: str, view: Any) -> None:
    """Say which headers of a request the operation obeys, conditions and keys of retries, and what its reply has."""
    headers: list[str] = []
    if getattr(view, "conditional", False):
        headers += _CONDITIONS
    if getattr(view, "tells_etag", False):
        headers += _IF_CHANGED
        operation["responses"]["200"]["headers"] = dict(_ETAG)
        operation["responses"]["304"] = {"description": "The user is as it was.", "headers": dict(_ETAG)}
    if retries.keeps(view, method):
        headers += _IDEMPOTENCY_KEY
    if hasattr(view, "body_schema") and conventions.of_path(path) == conventions.ENGAGE:
        told = {name: {"$ref": f"#/components/headers/{name}"} for name in _WARNINGS}
        reply = operation["responses"]["200"]
        reply["headers"] = {**reply.get("headers", {}), **told}
    if headers:
        found = [{"$ref": f"#/components/parameters/{name}"} for name in headers]
        operation["parameters"] = [*operation.get("parameters", []), *found]


def _limit(operation: dict[str, Any], path: str) -> None:
    """Say that the calls of the operation are counted (app/api/rates.py)."""
    _add(operation, path, [errors.TooManyRequests])
    told = {name: {"$ref": f"#/components/headers/{name}"} for name in _RATE_HEADERS}
    for reply in operation["responses"].values():
        reply["headers"] = {**reply.get("headers", {}), **told}


def _failures(operation: dict[str, Any], path: str, view: Any, method: str) -> list[type[errors.Failure]]:
    level, found = getattr(view, "access", SECRET_KEY), list(getattr(view, "failures", ()))
    names_user = "{uid}" in path and method.upper() in WRITES
    keeps_replies = retries.keeps(view, method)
    if "parameters" in operation or "requestBody" in operation or names_user or keeps_replies:
        found.append(errors.InvalidInput)
    if keeps_replies:
        found += [errors.KeyReused, errors.StillRunning, errors.ReplyErased]
    if getattr(view, "conditional", False):
        found.append(errors.PreconditionFailed)
    if "requestBody" in operation:
        found += [errors.InvalidBody, errors.BodyTooLarge]
    if level == BEARER:
        found += [errors.TokenInvalid, errors.RoleNeeded, errors.StorageUnavailable]
    elif level == SDK:
        found += [errors.TokenInvalid, errors.StorageUnavailable]
    elif level != OPEN:
        found += [errors.WrongCredentials, errors.StorageUnavailable]
    if level == SECRET_KEY:
        found.append(errors.SecretNeeded)
    if level == PUBLIC_KEY and method != "get":
        found.append(errors.SignatureNeeded)
    if "{" in path:
        found.append(errors.NotFound)
    return [*dict.fromkeys(found), errors.InternalError]


def _error_responses(failures: list[type[errors.Failure]], convention: str) -> dict[str, Any]:
    by_status = defaultdict(list)
    for failure in failures:
        by_status[STATUS[failure]].append(failure)
    return {
        str(status): {
            "description": " ".join(inspect.getdoc(failure).split("\n")[0] for failure in found),  # type: ignore[union-attr]
            "headers": _HEADERS.get(status, {}),
            "content": {
                "application/json": {
                    "schema": {"$ref": f"#/components/schemas/{_ERROR_SCHEMAS[convention]}"},
                    "examples": {failure.code: {"value": _error_example(failure, convention)} for failure in found},
                }
            },
        }
        for status, found in by_status.items()
    }


def _error_example(failure: type[errors.Failure], convention: str) -> dict[str, Any]:
    """Such a failure as it may come; the request id is made up."""
    if issubclass(failure, errors.InvalidInput):
        made: errors.Failure = failure({_EXAMPLE_PLACES[convention]: ["Must be a valid email address."]})
    else:
        made = failure("The body must not be longer than 65536 bytes." if failure is errors.BodyTooLarge else None)
    made.hint = _EXAMPLE_HINTS.get(failure, "")
    return conventions.error_body(convention, made, "f1c2d3e4a5b60718")


def _describe(schemas: dict[str, Any]) -> None:
    """Give every schema the first line of its class, and an example made of the examples of its fields."""
    by_name = {type(schema).__name__.removesuffix("Schema"): type(schema) for schema in _used_schemas()}
    for name, schema in schemas.items():
        if name not in by_name:  # the grammar of rules, which describes itself
            continue
        schema["description"] = (inspect.getdoc(by_name[name]) or "").split("\n")[0]
        schema["example"] = _example(schema, schemas)


def _used_schemas() -> list[Any]:
    api = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    refs = api.ma_plugin.converter.refs
    return [key[0]() for key in refs]


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "example" in schema:
        return schema["example"]
    if schema.get("type") == "array":
        return [_example(schema["items"], schemas)]
    return {
        name: _example(one, schemas)
        for name, one in schema.get("properties", {}).items()
        if name in schema.get("required", []) or "example" in one or "$ref" in one or one.get("type") == "array"
    }
