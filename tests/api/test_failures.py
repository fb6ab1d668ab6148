"""What every route does alike: credentials, bodies, errors, request ids (engage.md sections 1 and 2)."""

import json
import re

import pytest

from app import clock, errors
from app.api.errors import STATUS
from app.services import audit, keys, workspaces
from app.services.users import rendering
from tests.factories import basic, fresh


def test_every_failure_has_a_status_a_code_and_a_sentence():
    failures = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.Failure)]
    codes = [one.code for one in failures if one not in (errors.Failure,)]
    assert set(failures) - {errors.Failure} == STATUS.keys()
    assert len(set(codes)) == len(codes) and all(re.fullmatch("[a-z][a-z0-9_]*", code) for code in codes)


@pytest.mark.parametrize("by", [
    None, "Basic", "Basic !!!!", "Bearer x", "Basic " + "a" * 5000, basic("nosuch", "x"), basic("", ""), basic("\x00", "x"),
    "Digest x", "Basic cGs=",
])  # fmt: skip
def test_wrong_credentials_are_401_and_say_so_in_the_vendors_words(api, by):
    refused = api.get("users", by=by)
    assert refused.status_code == 401
    assert refused.json["error"] == "Wrong authentication credentials."
    assert refused.headers["WWW-Authenticate"] == 'Basic realm="Rollcall"'


@pytest.mark.parametrize("secret", ["wrong", "é", "x" * 600])
def test_a_wrong_secret_is_401_also_where_the_public_key_is_enough(api, secret):
    assert api.post("users", {"id": fresh()}, by=basic(api.keys.public_key, secret)).status_code == 401


def test_the_secret_of_another_workspace_is_wrong(api, other_api):
    assert api.get("users", by=basic(api.keys.public_key, other_api.keys.secret_key)).status_code == 401


def test_a_rotated_pair_lives_on_for_the_overlap_and_a_revoked_one_does_not(app, api, workspace, monkeypatch):
    old, new = api.keys, keys.rotate(workspace, overlap=2, caller=audit.SHELL)
    app.extensions["credentials"].clear()
    both = basic(old.public_key, old.secret_key), basic(new.public, new.secret)
    assert [api.get("users", by=one).status_code for one in both] == [200, 200]
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 2 * 3_600_000 + 1)
    app.extensions["credentials"].clear()
    assert [api.get("users", by=one).status_code for one in both] == [401, 200]
    keys.revoke(new.public, audit.SHELL)
    app.extensions["credentials"].clear()
    assert api.get("users", by=both[1]).status_code == 401


def test_a_revoked_key_stops_working_within_a_second(api, monkeypatch):
    from app.api import auth

    monkeypatch.setattr(auth, "_CACHE_SECONDS", 0.0)
    assert api.get("users").status_code == 200
    keys.revoke(api.keys.public_key, audit.SHELL)
    assert api.get("users").status_code == 401


def test_a_secret_is_stored_as_its_hash_alone(app, api, tables):
    stored = json.dumps(tables())
    assert api.keys.public_key in stored and api.keys.secret_key not in stored


@pytest.mark.parametrize(
    "body",
    [
        b"", b"  \n", b"null", b"[]", b'"x"', b"1", b'{"id":"a",}', b'{"id":"a"} x', b'{"id":"a"}{"id":"b"}', b"{'id':'a'}",
        b'\xef\xbb\xbf{"id":"a"}', '{"id":"a"}'.encode("utf-16"), b'{"id":"a","first_name":"\xe9"}', b'{"id":"a","id":"b"}',
        b'{"id":"a","\\u0069d":"b"}', b'{"id":"a","x":{"a":1,"a":1}}', b'{"id":"a","x":NaN}', b'{"id":"a","x":-Infinity}',
        b'{"id":"a","x":1e999}', b'{"id":"a","x":9007199254740992}', b'{"id":"a","x":' + b"9" * 5000 + b"}",
        b'{"id":"a","x":' + b"[" * 8 + b"]" * 8 + b"}", b"[" * 20000, b'{"id":"a","x":"a\x00b"}', b'{"id":"a","x":01}',
    ],
)  # fmt: skip
def test_a_body_that_is_no_strict_json_object_is_refused(api, tables, body):
    before = tables()
    refused = api.post("users", body)
    assert (refused.status_code, refused.json["code"]) == (400, "invalid_body")
    assert tables() == before


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udfff x"])
def test_nul_and_lone_surrogates_are_refused_and_the_field_named(api, text):
    refused = api.post("users", f'{{"id":"a","meta":{{"x":"{text}"}}}}'.encode())
    assert (refused.status_code, list(refused.json["details"])) == (400, ["meta.x"])
    assert api.post("users", f'{{"id":"a","extra":{{"{text}":1}}}}'.encode()).status_code == 400


def test_8_levels_are_taken(api):
    assert api.post("users", b'{"id":"a1","x":' + b"[" * 7 + b"]" * 7 + b"}").status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-7", ""]
)
def test_a_body_is_json_whatever_its_content_type_says(api, kind):
    assert api.post("users", {"id": fresh()}, headers={"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize("route", ["users", "users/u1/events"])
def test_64_kib_are_taken_and_a_byte_more_is_not(api, tables, route):
    def padded(size):
        start = f'{{"id":"{fresh()}","event":"e","extra":"'.encode()
        return start + b"a" * (size - len(start) - 2) + b'"}'

    assert api.post(route, padded(65536)).status_code == 200
    before = tables()
    refused = api.post(route, padded(65537))
    assert (refused.status_code, refused.json["code"]) == (413, "body_too_large")
    assert tables() == before


def test_the_length_is_looked_at_after_the_credentials(api):
    assert api.post("users", b"a" * 70000, by=None).status_code == 401


def test_many_mistakes_make_a_short_reply(api):
    refused = api.post("users", {"id": fresh(), "meta": {f"key{i}" * 20: [] for i in range(300)}})
    assert refused.status_code == 400
    assert len(refused.json["details"]) == errors.MAX_DETAILS and len(refused.data) < 16384


def test_an_unknown_route_is_404_with_a_key_and_401_without(api):
    assert (api.get("nosuch").status_code, api.get("nosuch").json["code"]) == (404, "not_found")
    assert api.get("/v2/users").status_code == 404
    assert api.get("users/").status_code == 404 and api.get("/v1//users").status_code == 404
    assert api.get("nosuch", by=None).status_code == 401


def test_a_wrong_method_is_405_and_told_the_right_ones(api):
    refused = api.call("DELETE", "users")
    assert (refused.status_code, refused.json["code"]) == (405, "method_not_allowed")
    assert set(refused.headers["Allow"].split(", ")) >= {"GET", "POST"}


def test_options_needs_no_credentials_and_names_the_methods(api):
    answered = api.call("OPTIONS", "users", by=None)
    assert answered.status_code == 200 and answered.json == {"status": "ok"}
    assert "POST" in answered.headers["Allow"]


def test_a_fault_of_ours_shows_nothing_of_the_inside(api, monkeypatch):
    def broken(*args):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(rendering, "find", broken)
    failed = api.get(f"users/{fresh()}")
    assert (failed.status_code, failed.json["code"]) == (500, "internal_error")
    assert b"secret detail" not in failed.data and failed.json["request_id"] == failed.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-1.2_X", True), ("a" * 65, False), ("a b", False), ("é", False), ("", False)]
)
def test_a_request_id_is_taken_over_where_that_is_safe(api, sent, kept):
    answered = api.get("users", headers={"X-Request-Id": sent})
    assert (answered.headers["X-Request-Id"] == sent) is kept
    assert re.fullmatch("[A-Za-z0-9._-]{1,64}", answered.headers["X-Request-Id"])


def test_personal_data_is_not_cached(api):
    assert api.get("users").headers["Cache-Control"] == "no-store"


def test_hostile_text_is_stored_as_text(api, tables):
    hostile = "Robert'); DROP TABLE users;-- %s {0} ? :x $1 \" \\ \u202e"
    sent = {"first_name": hostile, "meta": {hostile: hostile}}
    assert api.put("users/%27%20OR%201%3D1--%3F%25s", sent).json["first_name"] == hostile
    shown = api.get("users/%27%20OR%201%3D1--%3F%25s").json
    assert shown["meta"] == {hostile: hostile} and shown["uid"] == "' OR 1=1--?%s"


def test_two_workspaces_cannot_see_each_other(api, other_api):
    uid = fresh()
    ours, theirs = api.user(uid, first_name="Ours"), other_api.user(uid, first_name="Theirs")
    assert (api.get(f"users/{uid}").json, other_api.get(f"users/{uid}").json) == (ours, theirs)
    assert ours["id"] != theirs["id"]
    api.delete(f"users/{uid}")
    assert other_api.get(f"users/{uid}").json == theirs
    assert [one.name for one in workspaces.everything() if one.name == api.keys.workspace]
