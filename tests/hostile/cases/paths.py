"""Paths and methods."""

from tests.hostile.cases.access import ROUTES
from tests.hostile.cases.build import OK, case


def paths():
    for name, path in [
        ("encoded twice", "{{user}}%252Fb"), ("SQL", "'%20OR%201=1--"), ("wildcard", "%25"),
        ("parameters after a semicolon", "{{user}};admin=1"), ("other capitals", "{{user_swapped}}"),
    ]:
        yield case(f"unknown uid: {name}", "GET", "/v1/users/" + path, 404)
    for name, path in [
        ("encoded slash", "{{user}}%2Fb"), ("encoded path", "..%2F..%2Fetc%2Fpasswd"), ("dot dot", "%2e%2e"),
        ("NUL", "{{user}}%00b"), ("header split", "{{user}}%0d%0aX-Evil:1"), ("broken UTF-8", "%ff%fe"),
        ("surrogate", "%ed%a0%80"), ("overlong dot", "%c0%ae%c0%ae"), ("3900 characters", "a" * 3900),
        ("trailing space", "{{user}}%20"),
    ]:
        yield case(f"uid that nobody can have: {name}", "GET", "/v1/users/" + path, 404, judgement=True)
        yield case(f"delete a uid that nobody can have: {name}", "DELETE", "/v1/users/" + path, 404, judgement=True)
    yield case("empty uid", "GET", "/v1/users/", 404, judgement=True, expect={"rows_max": 0},
               note="must not fall through to the list")
    yield case("delete an empty uid", "DELETE", "/v1/users/", [404, 405], judgement=True)
    yield case("double slash", "GET", "/v1//users/{{user}}", 404, judgement=True)
    yield case("URI of 9000 bytes", "GET", "/v1/users/" + "a" * 9000, [400, 404, 414], judgement=True,
               error_style="server")
    yield case("absolute URI with another host", "GET", "http://evil.example/v1/users/{{user}}", 200, judgement=True,
               error_style="server", expect={"lacks": ["evil.example"]})
    for name, method, path, body in [
        ("DELETE on users", "DELETE", "/v1/users", None), ("PUT on users", "PUT", "/v1/users", "{}"),
        ("POST on a user", "POST", "/v1/users/{{user}}", "{}"),
        ("DELETE on lists", "DELETE", "/v1/lists", None),
        ("GET on batch", "GET", "/v1/batch", None), ("POST on a list", "POST", "/v1/lists/{{list}}", "{}"),
        ("POST on members", "POST", "/v1/users/{{account}}/members", "{}"),
    ]:
        yield case(f"method: {name}", method, path, 405, body)
    yield case("method: PATCH on a user", "PATCH", "/v1/users/{{user}}", 200, "{}",
               note="changed from 405: PATCH is our own addition (docs/decisions.md)")
    yield case("method: GET on events", "GET", "/v1/users/{{user}}/events", 200, expect={"reply": {"data": []}},
               note="changed from 405: reading events is our own addition (docs/decisions.md)")
    yield case("method: TRACE", "TRACE", "/v1/users", 405, error_style="server", judgement=True)
    yield case("method: in small letters", "get", "/v1/users", [400, 405, 501], error_style="server", judgement=True)
    yield case("method: unknown", "FROB", "/v1/users", [400, 405, 501], error_style="server", judgement=True)
    for name, method, path, body in [
        ("read", "GET", "/v1/users/{{fresh}}", None), ("delete", "DELETE", "/v1/users/{{fresh}}", None),
        ("delete with an empty list", "DELETE", "/v1/users/{{fresh}}", "[]"),
        ("delete attribute", "DELETE", "/v1/users/{{fresh}}/attributes/plan", None),
        ("delete token", "DELETE", "/v1/users/{{fresh}}/tokens/x", None),
        ("add to lists", "POST", "/v1/users/{{fresh}}/lists", {"lists": ["{{list}}"]}),
        ("remove from lists", "DELETE", "/v1/users/{{fresh}}/lists", {"lists": ["{{list}}"]}),
        ("convert", "POST", "/v1/users/{{fresh}}/convert", {"type": "account"}),
        ("add to accounts", "POST", "/v1/users/{{fresh}}/accounts", {"accounts": [{"id": "{{account}}"}]}),
        ("change role", "PUT", "/v1/users/{{fresh}}/accounts/{{account}}", {"role": "x"}),
        ("leave account", "DELETE", "/v1/users/{{fresh}}/accounts/{{account}}", None),
        ("read members", "GET", "/v1/users/{{fresh}}/members", None),
        ("archive", "POST", "/v1/users/{{fresh}}/archive", None),
    ]:
        yield case(f"unknown user: {name}", method, path, 404, body)
    yield case("unknown user: delete with a JSON type and no body", "DELETE", "/v1/users/{{fresh}}", 404,
               headers=[("Content-Type", "application/json")])
    for name, body, headers in [
        ("no body", None, []), ("an empty list", "[]", []), ("an empty object", "{}", []),
        ("a JSON type and no body", None, [("Content-Type", "application/json")]),
    ]:
        yield case(f"delete a user with {name}", "DELETE", "/v1/users/{{user}}", 200, body, headers=headers,
                   stored=True, expect={"reply": OK, "absent": ["{{user}}"]})


def unversioned():
    """The routes answer without /v1 too, and guard themselves as well there."""
    for name, method, path, body, _, before, reply in ROUTES:
        if name not in ("read users", "create user", "read user", "update user", "delete user", "event", "subscribe"):
            continue
        expect = {"reply": reply} if reply else {}
        yield case(f"{name}: secret", method, path.removeprefix("/v1"), 200, body, stored=method != "GET",
                   before=before, expect=expect)
        yield case(f"{name}: no credentials", method, path.removeprefix("/v1"), 401, body, credential="none")
    yield case("read user: public key", "GET", "/users/{{user}}", 403, credential="public")
    yield case("read user: another workspace", "GET", "/users/{{user}}", 404, credential="secret_b")
    yield case("delete user: public key", "DELETE", "/users/{{user}}", 403, credential="public")
    yield case("update user: email changed with the public key", "PUT", "/users/{{user}}", 403,
               {"email": "evil@example.net"}, credential="public")
    yield case("update user: reply to the public key", "PUT", "/users/{{user}}", 200, {"meta": {"visits": 3}},
               credential="public", stored=True, expect={"reply_only": ["meta"]})
    yield case("create user: duplicate key", "POST", "/users", 400, '{"id":"{{fresh}}","id":"{{fresh}}"}')
    yield case("create user: one byte over 64 KiB", "POST", "/users", 413,
               '{"id":"{{fresh}}","extra":"{{pad_to_65537}}"}')
