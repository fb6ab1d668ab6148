"""Signed users: what the public key may do where the workspace demands signatures. Every route that it may call."""

import hashlib
import hmac

import pytest

from app.api.auth import PUBLIC_KEY
from app.services import signatures
from tests.factories import fresh

# Route -> a body, with {uid} for the user it is about. The uid stands in the path, or in the body where the path has none.
WRITES = {
    "POST /v1/users": {"id": "{uid}", "first_name": "Ada"},
    "PUT /v1/users/<uid:uid>": {"first_name": "Ada"},
    "POST /v1/users/<uid:uid>/events": {"event": "Paid"},
    "POST /v1/users/merge": {"source": "{other}", "destination": "{uid}"},
    "POST /v1/users/<uid:uid>/convert": {"type": "customer"},
    "POST /v1/users/<uid:uid>/accounts": {"accounts": [{"id": "{account}"}]},
    "PUT /v1/users/<uid:uid>/accounts/<uid:account>": {"role": "owner"},
    "DELETE /v1/users/<uid:uid>/accounts/<uid:account>": None,
    "DELETE /v1/users/<uid:uid>/tokens/<path:token>": None,
}
READS = {"GET /v1/lists", "GET /v1/lists/<list:list_id>"}  # about nobody


@pytest.fixture
def secret(app, api, workspace):
    """The signing secret of the workspace, which demands signatures from now on."""
    made = signatures.require(workspace)
    app.extensions["credentials"].clear()
    return made


@pytest.fixture
def people(api):
    """Three users that are there: whom a request is about, another one, an account they are in."""
    account = api.user(is_account=True)["uid"]
    uid, other = (api.user(fresh(), accounts=[{"id": account}])["uid"] for _ in range(2))
    return {"uid": uid, "other": other, "account": account}


def signature(secret, uid):
    """As SECURITY.md tells the callers to make it."""
    return hmac.new(secret.encode(), uid.encode(), hashlib.sha256).hexdigest()


def send(api, route, people, signed=None, by="public"):
    method, path = route.split()
    for name, value in {"<uid:uid>": people["uid"], "<uid:account>": people["account"], "<path:token>": "t"}.items():
        path = path.replace(name, value)
    headers = {"X-User-Signature": signed} if signed is not None else {}
    return api.call(method, path, filled(WRITES[route], people), by=by, headers=headers)


def filled(value, people):
    if isinstance(value, dict):
        return {key: filled(one, people) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, people) for one in value]
    return value.format(**people) if isinstance(value, str) else value


def right(secret, route, people):
    uids = [people["uid"], people["other"]] if route.endswith("merge") else [people["uid"]]
    return ", ".join(signature(secret, uid) for uid in uids)


def test_every_route_that_the_public_key_may_call_is_known_here(app):
    found = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "access", None) == PUBLIC_KEY and rule.rule.startswith("/v1/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert found == WRITES.keys() | READS


@pytest.mark.parametrize("route", WRITES)
def test_a_write_with_the_public_key_needs_the_signature_of_its_user(api, secret, people, tables, route):
    before = tables()
    wrong = [
        None, "", "x", "é", signature(secret, people["other"]), signature("0" * 64, people["uid"]), signature(secret, people["uid"])[:-1],
        f"{'0' * 64}, {'1' * 64}, {right(secret, route, people)}",
    ]  # fmt: skip
    for signed in wrong:
        refused = send(api, route, people, signed)
        assert (refused.status_code, refused.json["code"]) == (403, "signature_needed"), signed
    unversioned = route.replace("/v1/", "/")
    WRITES[unversioned] = WRITES[route]
    assert send(api, unversioned, people).status_code == 403
    del WRITES[unversioned]
    assert tables() == before
    assert send(api, route, people, right(secret, route, people)).status_code == 200


@pytest.mark.parametrize("route", WRITES)
def test_with_the_secret_no_signature_is_needed(api, secret, people, route):
    assert send(api, route, people, by="secret").status_code == 200


@pytest.mark.parametrize("route", WRITES)
def test_nothing_is_asked_of_a_workspace_that_does_not_demand_it(api, people, route):
    assert send(api, route, people).status_code == 200


def test_lists_are_read_without_a_signature(api, secret, make_list):
    list_id = make_list("News")
    assert [api.get(path, by="public").status_code for path in ("lists", f"lists/{list_id}")] == [200, 200]


def test_an_unknown_route_is_not_found_with_or_without_one(api, secret):
    assert api.post("nosuch", {}, by="public").status_code == 404


def test_a_merge_needs_the_signatures_of_both(api, secret, people):
    source, destination = (signature(secret, people[one]) for one in ("other", "uid"))
    body = {"source": people["other"], "destination": people["uid"]}
    signed = [source, destination, f"{source},{source}", f"{source},{destination}"]
    codes = [
        api.post("users/merge", body, by="public", headers={"X-User-Signature": one}).status_code for one in signed
    ]
    assert codes == [403, 403, 403, 200]


def test_a_new_uid_needs_its_signature_too(app, api, secret, make_list):
    uid = api.post(f"lists/{make_list('News')}/subscribers", {"email": "a@example.com"}).json["uid"]
    new = fresh()
    both = f"{signature(secret, uid)}, {signature(secret, new)}"
    codes = [
        api.put(f"users/{uid}", {"uid": new}, by="public", headers={"X-User-Signature": one}).status_code
        for one in (signature(secret, uid), signature(secret, new), both)
    ]
    assert codes == [403, 403, 200]


@pytest.mark.parametrize("uid", ["a@example.com", "Zoë", "%s {0}", "42"])
def test_the_signature_is_that_of_the_uid_in_utf_8(api, secret, uid):
    from urllib.parse import quote

    signed = {"X-User-Signature": signature(secret, uid).upper()}
    assert api.put(f"users/{quote(uid)}", {}, by="public", headers=signed).status_code == 200


@pytest.mark.parametrize("id", [42, 42.0, "42"])
def test_a_number_is_signed_as_its_digits(api, secret, id):
    assert api.post("users", {"id": id}, by="public").status_code == 403
    signed = {"X-User-Signature": signature(secret, "42")}
    assert api.post("users", {"id": id}, by="public", headers=signed).status_code == 200


@pytest.mark.parametrize("body", [{}, {"id": None}, {"id": ["u1"]}, {"id": {}}, {"id": True}, []])
def test_a_body_that_names_nobody_is_refused(api, secret, body):
    signed = {"X-User-Signature": signature(secret, "u1")}
    assert api.post("users", body, by="public", headers=signed).status_code == 403


def test_a_retry_needs_the_signature_as_the_first_request_did(api, secret, people):
    key, body = {"Idempotency-Key": fresh()}, {"id": people["uid"]}
    signed = {"X-User-Signature": signature(secret, people["uid"])}
    assert api.post("users", body, by="public", headers={**key, **signed}).status_code == 200
    assert api.post("users", body, by="public", headers=key).status_code == 403


def test_a_new_secret_makes_the_old_one_worthless(app, api, workspace, secret):
    new = signatures.require(workspace)
    app.extensions["credentials"].clear()
    codes = [
        api.put("users/u1", {}, by="public", headers={"X-User-Signature": signature(one, "u1")}).status_code
        for one in (secret, new)
    ]
    assert new != secret and codes == [403, 200]
    signatures.stop_requiring(workspace)
    app.extensions["credentials"].clear()
    assert api.put("users/u1", {}, by="public").status_code == 200


def test_the_secret_of_one_workspace_is_of_no_use_in_another(app, api, other_api, secret):
    from app.services import workspaces

    theirs = signatures.require(workspaces.find(other_api.keys.workspace))
    app.extensions["credentials"].clear()
    assert (
        api.put("users/u1", {}, by="public", headers={"X-User-Signature": signature(theirs, "u1")}).status_code == 403
    )


def test_browsers_may_send_the_header(api):
    from app.services import audit, keys

    keys.allow_origin(api.keys.public_key, "https://page.example", audit.SHELL)
    asked = {"Origin": "https://page.example", "Access-Control-Request-Method": "PUT"}
    answered = api.call("OPTIONS", "users/u1", by=None, headers=asked)
    assert "X-User-Signature" in answered.headers["Access-Control-Allow-Headers"]
