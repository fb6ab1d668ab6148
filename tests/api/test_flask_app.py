"""What app/api/flask_app.py leaves out of Flask is missed by nobody."""

import pytest
from flask import Flask, Response
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from app.api.flask_app import BareFlask, JsonReply

HOSTS = ["localhost", "EXAMPLE.com:8000", "example.com:80", "[::1]:8000", "a..b", "x" * 64 + ".com", "no host", "", "é"]
TARGETS = ["/", "/v1/users/a%20b?limit=2&x=%C3%A9", "/%FF", "/v1/users/ü"]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("target", TARGETS)
def test_a_request_is_matched_as_flask_would_match_it(host, target):
    app = BareFlask("app", static_folder=None)
    app.url_map.merge_slashes = False
    for method, scheme in (("GET", "http"), ("POST", "https")):
        environ = EnvironBuilder(target, f"{scheme}://localhost", method=method).get_environ()
        environ["HTTP_HOST"] = host
        ours, theirs = _outcome(app, environ, app.create_url_adapter), _outcome(app, environ, _of_flask(app))
        assert ours == theirs


@pytest.mark.parametrize("path", ["//v1/users", "//", "///v1/users"])
def test_two_slashes_in_front_are_not_taken_for_one(api, path):
    missing = api.get(path, base_url="http://x", environ_overrides={"PATH_INFO": path})
    assert missing.status_code == 404 and missing.json["hint"].startswith("The path has two slashes in a row.")
    stranger = api.get(path, by=None, environ_overrides={"PATH_INFO": path})
    assert stranger.status_code == (404 if path == "//" else 401)


def _of_flask(app):
    return lambda request: Flask.create_url_adapter(app, request)


def _outcome(app, environ, create):
    request = Request(dict(environ))
    try:
        found = vars(create(request))
    except HTTPException as error:
        return type(error)
    found["path_info"] = "/" + found["path_info"].lstrip("/")  # what the match begins with
    return found, request.host


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("status", [200, 404, 503])
def test_a_json_reply_is_sent_as_flask_would_send_it(method, status):
    environ = EnvironBuilder(method=method).get_environ()
    ours, theirs = JsonReply(b'{"a":1}', status), Response(b'{"a":1}', status, mimetype="application/json")
    for one in (ours, theirs):
        one.headers["ETag"] = '"x"'
    (body, *head), (their_body, *their_head) = ours.get_wsgi_response(environ), theirs.get_wsgi_response(environ)
    assert (b"".join(body), head) == (b"".join(their_body), their_head)


def test_headers_that_every_reply_has_come_last():
    reply = JsonReply(b"{}")
    reply.common = [("X-Request-Id", "1")]
    assert reply.get_wsgi_response(EnvironBuilder().get_environ())[2][-1] == ("X-Request-Id", "1")
