"""`POST /oauth2/token` and what its tokens open."""

import time

import pytest

from app.services import audit
from app.services.atomic import clients
from tests.factories import basic

PATH = "/oauth2/token"
GRANT = "grant_type=client_credentials"


@pytest.fixture
def ask(atomic):
    """Ask for a token with a form and a query; return the response."""

    def ask(form="", query="", by=None):
        return atomic.call("POST", PATH + query, form.encode(), by=by)

    return ask


def works(atomic, token, path="/v1/environments"):
    return atomic.get(path, by=f"Bearer {token}").status_code


@pytest.mark.parametrize("way", ["form", "query", "basic", "basic and query", "basic with the id repeated"])
def test_a_pair_gets_a_token_that_works(atomic, ask, way):
    id, secret, _ = atomic.clients["events"]
    pair = f"{GRANT}&client_id={id}&client_secret={secret}"
    response = {
        "form": lambda: ask(pair),
        "query": lambda: ask(query=f"?{pair}"),
        "basic": lambda: ask(GRANT, by=basic(id, secret)),
        "basic and query": lambda: ask(query=f"?{GRANT}", by=basic(id, secret)),
        "basic with the id repeated": lambda: ask(query=f"?{GRANT}&client_id={id}", by=basic(id, secret)),
    }[way]()
    assert response.status_code == 200, response.json
    assert {**response.json, "access_token": ""} == {"access_token": "", "token_type": "Bearer", "expires_in": 3600}
    assert works(atomic, response.json["access_token"]) == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("", "invalid_request"),
        (f"{GRANT}&{GRANT}x", "invalid_request"),
        ("grant_type=password&client_id=ID&client_secret=SECRET", "unsupported_grant_type"),
        (GRANT, "invalid_client"),
        (f"{GRANT}&client_id=ID", "invalid_client"),
        (f"{GRANT}&client_id=ID&client_secret=SECRETx", "invalid_client"),
        (f"{GRANT}&client_id=nobody&client_secret=SECRET", "invalid_client"),
        (f"{GRANT}&client_id=%00&client_secret=%ED%A0%80", "invalid_client"),
    ],
)
def test_anything_else_is_refused_as_rfc_6749_says(atomic, ask, form, error):
    id, secret, _ = atomic.clients["events"]
    response = ask(form.replace("ID", id).replace("SECRET", secret))
    assert (response.status_code, response.json["error"]) == (400, error)
    assert list(response.json) == ["error", "error_description"]


@pytest.mark.parametrize("by", ["Basic", "Basic !", "Bearer x", basic("nobody", "x"), basic("ID", "wrong")])
def test_basic_that_is_wrong_is_an_invalid_client(atomic, ask, by):
    id, secret, _ = atomic.clients["events"]
    response = ask(f"{GRANT}&client_id={id}&client_secret={secret}", by=by)
    assert (response.status_code, response.json["error"]) == (400, "invalid_client")


def test_a_token_is_over_after_an_hour(atomic, monkeypatch):
    token = atomic.tokens["events"]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + clients.TOKEN_SECONDS - 2)
    assert works(atomic, token) == 200
    monkeypatch.setattr(time, "time", lambda: now + clients.TOKEN_SECONDS + 2)
    assert works(atomic, token) == 401


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "a.b.c.d", "é.b.c", "a" * 6000, "."])
def test_what_is_no_token_is_401_with_the_way_to_authenticate(atomic, refused, token):
    response = atomic.get("users", by=f"Bearer {token}")
    refused(response, 401, "invalid_token")
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_token_with_one_letter_changed_is_401(atomic):
    token = atomic.tokens["events"]
    for place in range(len(token)):
        changed = token[:place] + ("a" if token[place] != "a" else "b") + token[place + 1 :]
        # The last letter has two bits that mean nothing.
        assert works(atomic, changed) == 401 or place == len(token) - 1, place


def test_the_token_of_a_revoked_client_stops_working(atomic, ask):
    token, client = atomic.tokens["events"], atomic.clients["events"]
    assert works(atomic, token) == 200
    response = atomic.delete(f"credentials/{client.id}", by="auth")
    assert (response.status_code, response.json) == (200, {"data": {"clientId": client.id}})
    assert works(atomic, token) == 401
    assert ask(f"{GRANT}&client_id={client.id}&client_secret={client.secret}").json["error"] == "invalid_client"
    assert atomic.delete(f"credentials/{client.id}", by="auth").status_code == 404


def test_another_process_takes_a_second_to_learn_of_it(atomic, workspace):
    assert works(atomic, atomic.tokens["events"]) == 200
    clients.revoke(workspace, atomic.clients["events"].id, audit.SHELL)
    time.sleep(1.1)
    assert works(atomic, atomic.tokens["events"]) == 401


def test_a_known_token_costs_no_query(atomic, monkeypatch):
    works(atomic, atomic.tokens["events"])
    monkeypatch.setattr(clients, "find", None)
    assert works(atomic, atomic.tokens["events"]) == 200


def test_a_client_made_over_the_api_works_and_its_secret_is_stored_nowhere(atomic, tables):
    response = atomic.post("credentials", {"role": "workbench"}, by="auth")
    made = response.json["data"]
    assert list(made) == ["clientId", "clientSecret"]
    token = clients.issue(made["clientId"], made["clientSecret"])
    assert works(atomic, token) == 200
    assert made["clientSecret"] not in repr(tables()) and token not in repr(tables())


def test_an_idempotency_key_keeps_no_secret(atomic, tables):
    sent = [
        atomic.post("credentials", {"role": "events"}, by="auth", headers={"Idempotency-Key": "again"}).json["data"]
        for _ in range(2)
    ]
    assert sent[0]["clientId"] != sent[1]["clientId"]
    assert sent[0]["clientSecret"] not in repr(tables())


@pytest.mark.parametrize("body", [{}, {"role": "auth"}, {"role": "x"}, {"role": ["events"]}, {"role": None}])
def test_a_role_that_nobody_may_give_is_refused(atomic, refused, tables, body):
    before = tables()
    assert refused(atomic.post("credentials", body, by="auth"), 400, "invalid_input")["source"] == {"pointer": "/role"}
    assert tables() == before


def test_the_audit_log_has_clients_that_were_made_and_revoked(atomic, api):
    made = atomic.post("credentials", {"role": "events"}, by="auth").json["data"]["clientId"]
    atomic.delete(f"credentials/{made}", by="auth")
    found = api.get(f"audit?subject={made}").json["data"]
    assert [one["action"] for one in found] == ["client.revoked", "client.created"]
    assert {(one["actor"], one["level"]) for one in found} == {(atomic.clients["auth"].id, "auth")}


def test_the_environments_are_the_clients_own(atomic, other_atomic):
    expected = {"data": [{"id": atomic.environment, "name": atomic.keys.workspace}]}
    assert all(atomic.get("/v1/environments", by=role).json == expected for role in clients.ROLES)
    assert other_atomic.environment != atomic.environment


def test_another_environment_is_not_found(atomic, other_atomic, refused):
    for environment in (other_atomic.environment, "ZZ99zzZZ"):
        refused(atomic.get(f"/v1/{environment}/users"), 404, "not_found")


def test_neither_face_takes_the_credentials_of_the_other(atomic, api, refused):
    refused(atomic.get("users", by=basic(api.keys.public_key, api.keys.secret_key)), 401, "invalid_token")
    response = api.get("users", by=f"Bearer {atomic.tokens['events']}")
    assert (response.status_code, response.json["code"]) == (401, "wrong_credentials")


@pytest.mark.parametrize("environment", ["abc", "<", "XQ19azQ", "xqaaazqe", "XQ19azQe9"])
def test_a_misspelt_environment_is_told_in_the_atomic_shape(atomic, refused, environment):
    refused(atomic.get(f"/v1/{environment}/users"), 404, "not_found")
    refused(atomic.get(f"/v1/{environment}/users", by=None), 401, "invalid_token")


@pytest.mark.parametrize(
    "path", ["/v1/users/users", "/v1/lists/users", "/v1/batch/user", "/v1/nosuch/thing", "/nosuch/users", "/v1//users"]
)
def test_paths_of_engage_keep_its_shape(atomic, path):
    code = "not_found" if path == "/nosuch/users" else "wrong_credentials"
    assert atomic.get(path, by=None).json["code"] == code
