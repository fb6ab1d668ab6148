"""Errors that help (house rule 11): what is wrong, what would be right, and where it is described."""

import gzip
import json

import pytest

from app import clock
from app.services import audit, keys
from tests.factories import basic, fresh

WANTED = "Use HTTP Basic, with the public key as user name and the secret key as password."
MALFORMED = "What stands behind Basic must be public key, colon and secret key, together in base64."
UNKNOWN = "The user name is no public key that is in use: it is unknown, revoked or expired."
OTHER_SECRET = "The password is not the secret key that belongs to this public key."
SWAPPED = "The two keys are swapped: the public key is the user name, the secret key the password."


def hint_of(api, by, path="users"):
    """The hint of a 401, whose sentence and code are as ever and which shows nothing that is secret."""
    refused = api.get(path, by=by)
    assert (refused.status_code, refused.json["code"]) == (401, "wrong_credentials")
    assert refused.json["error"] == "Wrong authentication credentials."
    assert refused.json["docs"] == "/docs/guides/errors#wrong_credentials"
    assert api.keys.secret_key not in refused.text
    return refused.json["hint"]


@pytest.mark.parametrize(("by", "hint"), [
    (None, f"No key was sent. {WANTED}"), ("Bearer abc", f"A Bearer token was sent; those are for the Atomic API. {WANTED}"),
    ("Digest x", f"The Authorization header is of another kind. {WANTED}"), ("Basic", MALFORMED), ("Basic !!!!", MALFORMED),
    ("Basic cGs=", MALFORMED), ("Basic " + "a" * 5000, "The Authorization header is longer than any two keys are."),
    (basic("nosuch", "x"), UNKNOWN), (basic("", ""), UNKNOWN), (basic("x", "\x00"), UNKNOWN), (basic("x", "' OR 1=1--"), UNKNOWN),
])  # fmt: skip
def test_a_401_says_what_was_sent_and_what_is_wanted(api, by, hint):
    assert hint_of(api, by) == hint_of(api, by, "nosuch") == hint


def test_a_401_tells_swapped_keys_and_the_secret_of_another_key(api, other_api):
    public, secret = api.keys.public_key, api.keys.secret_key
    assert hint_of(api, basic(secret, public)) == SWAPPED
    assert hint_of(api, basic("nosuch", public)) == SWAPPED  # which secret there is, it tells not
    assert hint_of(api, basic(public, "wrong")) == OTHER_SECRET
    assert hint_of(api, basic(public, other_api.keys.secret_key)) == OTHER_SECRET
    assert hint_of(api, basic(secret)) == UNKNOWN


def test_a_401_of_a_key_that_was_revoked_or_has_expired_tells_it_as_an_unknown_one(app, api, workspace, monkeypatch):
    old, new = api.keys, keys.rotate(workspace, overlap=1, caller=audit.SHELL)
    keys.revoke(new.public, audit.SHELL)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 3_600_001)
    app.extensions["credentials"].clear()
    for pair in ((old.public_key, old.secret_key), (new.public, new.secret), (new.secret, new.public)):
        assert hint_of(api, basic(*pair)) == UNKNOWN


@pytest.mark.parametrize(("path", "hint"), [
    ("/v1/users/", "No route ends with a slash. Did you mean /v1/users?"),
    ("/users/u1/", "No route ends with a slash. Did you mean /users/{uid}?"),
    ("/v1/users/u1/events/", "No route ends with a slash. Did you mean /v1/users/{uid}/events?"),
    ("/v1/v1/users", "The path has /v1 twice. Did you mean /v1/users?"),
    ("/v1/v1/v1/users/u1/archive", "The path has /v1 twice. Did you mean /v1/users/{uid}/archive?"),
    ("/v1//users", "The path has two slashes in a row. Did you mean /v1/users?"),
    ("/v1/v1/users/", "No route ends with a slash. Did you mean /v1/users?"),
    ("/api/v1/users", "Nothing stands before /v1. Did you mean /v1/users?"), ("/v1/batches", "Did you mean /v1/batch?"),
    ("/api/rest/v1/users/u1/events", "Nothing stands before /v1. Did you mean /v1/users/{uid}/events?"),
    ("/v1/user", "Did you mean /v1/users?"), ("/user/u1", "Did you mean /v1/users/{uid}?"), ("/v2/users", "Did you mean /v1/users?"),
    ("/v1/Users/U1/Event", "Did you mean /v1/users/{uid}/events?"), ("/v1/segmnets", "Did you mean /v1/segments?"),
    ("/v1/healthz", "Did you mean /healthz?"), ("/v1/users/u1/attribute/plan", "Did you mean /v1/users/{uid}/attributes/{name}?"),
    ("/v1/nosuch", "All routes are shown at /docs/."), ("/v1/users/patients/17", "All routes are shown at /docs/."),
    ("/v1", "All routes are shown at /docs/."), ("/robots.txt", "All routes are shown at /docs/."),
    ("/v1/" + "a" * 8000, "All routes are shown at /docs/."), ("/v1/users/u1/%C3%A9vents", "Did you mean /v1/users/{uid}/events?"),
])  # fmt: skip
def test_a_404_names_the_route_that_may_be_meant(api, path, hint):
    refused = api.get(path)
    assert (refused.status_code, refused.json["error"], refused.json["hint"]) == (404, "There is nothing here.", hint)
    assert refused.json["docs"] == "/docs/guides/errors#not_found"


@pytest.mark.parametrize(("method", "path", "route"), [
    ("POST", "/v1/users/merge/", "/v1/users/merge"), ("PUT", "/v1/users/merge/", "/v1/users/{uid}"),
    ("POST", "/v1/segments/preview/", "/v1/segments/preview"), ("DELETE", "/v1/users/u1/", "/v1/users/{uid}"),
])  # fmt: skip
def test_a_404_names_the_route_of_the_method(api, method, path, route):
    assert api.call(method, path, {}).json["hint"] == f"No route ends with a slash. Did you mean {route}?"


def test_every_404_names_a_route_that_was_not_sent(app, api):
    """Each route with a letter left out of its last word, with all its routes as the ones that may be meant."""
    routes = {rule.rule for rule in app.url_map.iter_rules() if not rule.arguments and len(rule.rule) > 1}
    for route in routes - {"/docs/"}:
        told = api.get(route[:-1] if route[-2] != "/" else f"{route}x")
        if told.status_code == 404:
            assert f" {route[:-1]}?" not in told.json.get("hint", "")


def test_a_405_says_what_the_route_takes(api):
    assert api.call("DELETE", "users").json["hint"] == "It takes GET, HEAD, OPTIONS, POST."


@pytest.mark.parametrize(("body", "headers", "told"), [
    (b"", {}, "The body is empty; it must be JSON."), (b" \r\n", {"Content-Type": "application/json"}, "The body is empty; it must be JSON."),
    (b"id=u1", {"Content-Type": "application/x-www-form-urlencoded"}, "The body is form-encoded; it must be JSON, whatever its Content-Type."),
    (b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"}, "The body is form-encoded; it must be JSON, whatever its Content-Type."),
    (b"\xef\xbb\xbf{\"id\": \"u1\"}", {"Content-Type": "application/x-www-form-urlencoded"}, "The body begins with a byte order mark; it must be JSON in UTF-8 without one."),
    (gzip.compress(b"{}", mtime=0), {"Content-Encoding": "gzip"}, "The body is compressed; it must be JSON as it is, without Content-Encoding."),
    (gzip.compress(b"{}", mtime=0), {}, "The body is compressed; it must be JSON as it is, without Content-Encoding."),
    (b"\x8b\x00", {"Content-Encoding": "br"}, "The body is compressed; it must be JSON as it is, without Content-Encoding."),
    (b'{"id":', {"Content-Type": "application/x-www-form-urlencoded"}, "The body is not JSON: Expecting value at character 6."),
])  # fmt: skip
def test_a_body_that_is_no_json_is_400_and_told_what_it_is(api, body, headers, told):
    for method, path in (
        ("POST", "users"),
        ("PUT", "users/u1"),
        ("POST", "users/u1/events"),
        ("POST", "batch"),
        ("POST", "lists"),
    ):
        refused = api.call(method, path, body, headers=headers)
        assert (refused.status_code, refused.json["code"], refused.json["error"]) == (400, "invalid_body", told), path


def test_json_is_taken_with_the_headers_of_a_form(api):
    """What curl -d sends."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert api.post("users", json.dumps({"id": fresh()}).encode(), headers=headers).status_code == 200


@pytest.mark.parametrize(("method", "path", "body", "by"), [
    ("GET", "users/nobody", None, "secret"), ("POST", "users", {}, "secret"), ("GET", "users", None, "public"), ("POST", "users", b"{", "public"),
    ("PUT", "users", None, "secret"), ("GET", "nosuch", None, "secret"), ("GET", "users", None, None),
])  # fmt: skip
def test_every_error_says_where_its_code_is_explained(api, method, path, body, by):
    told = api.call(method, path, body, by=by).json
    assert told["docs"] == f"/docs/guides/errors#{told['code']}" and isinstance(told["error"], str)
