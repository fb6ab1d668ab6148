"""Browsers of other origins: the public key of a page that is on its list, and nothing else."""

import pytest

from app import errors
from app.services import audit, keys
from tests.factories import fresh

PAGE, EVIL = "https://www.example.com", "https://evil.example"
ASK = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.fixture
def page(app, api):
    """An origin that is on the list of the key."""
    keys.allow_origin(api.keys.public_key, PAGE, audit.SHELL)
    app.extensions["credentials"].clear()
    return PAGE


def allowed(response):
    return response.headers.get("Access-Control-Allow-Origin")


def test_a_page_on_the_list_may_call_with_the_public_key(api, page):
    asked = api.call("OPTIONS", "users/u1", by=None, headers={"Origin": page, **ASK})
    assert (asked.status_code, allowed(asked), asked.headers["Vary"]) == (200, page, "Origin")
    assert "PUT" in asked.headers["Access-Control-Allow-Methods"]
    assert {"authorization", "content-type"} <= set(asked.headers["Access-Control-Allow-Headers"].lower().split(", "))
    called = api.put(f"users/{fresh()}", {}, by="public", headers={"Origin": page})
    assert (called.status_code, allowed(called), called.headers["Vary"]) == (200, page, "Origin")
    refused = api.get("users", by="public", headers={"Origin": page})
    assert (refused.status_code, allowed(refused)) == (403, page)


def test_nobody_may_read_a_reply_to_the_secret_across_origins(api, page):
    assert allowed(api.get("users", headers={"Origin": page})) is None


def test_a_page_that_is_on_no_list_is_not_let_in(api, page):
    assert allowed(api.call("OPTIONS", "users/u1", by=None, headers={"Origin": EVIL, **ASK})) is None
    assert allowed(api.put(f"users/{fresh()}", {}, by="public", headers={"Origin": EVIL})) is None


def test_the_list_of_one_key_does_not_open_another(api, other_api, page):
    assert allowed(other_api.put(f"users/{fresh()}", {}, by="public", headers={"Origin": page})) is None


def test_any_page_where_the_list_says_so(app, api):
    keys.allow_origin(api.keys.public_key, "*", audit.SHELL)
    app.extensions["credentials"].clear()
    assert allowed(api.put(f"users/{fresh()}", {}, by="public", headers={"Origin": EVIL})) == EVIL
    assert allowed(api.get("users", headers={"Origin": EVIL})) is None
    keys.forbid_origin(api.keys.public_key, "*", audit.SHELL)
    assert keys.origins(api.keys.public_key) == []


def test_credentials_of_the_browser_are_never_asked_for(api, page):
    for response in (
        api.call("OPTIONS", "users", by=None, headers={"Origin": page, **ASK}),
        api.get("users", by="public"),
    ):
        assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    "origin", ["", "example.com", "https://a.example/x", "https://A.example", "null", "https://*.a.example"]
)
def test_what_is_no_origin_is_refused(api, origin):
    with pytest.raises(errors.InvalidInput):
        keys.allow_origin(api.keys.public_key, origin, audit.SHELL)


def test_an_unknown_key_or_origin_is_not_found(api):
    for call in (
        lambda: keys.allow_origin("pk_nobody", PAGE, audit.SHELL),
        lambda: keys.forbid_origin(api.keys.public_key, PAGE, audit.SHELL),
    ):
        with pytest.raises(errors.NotFound):
            call()
