"""The Atomic API: these need an environment and client credentials."""

import base64
import hashlib
import hmac
import json
import time

from tests.hostile.cases.build import case, step


def atomic(name, method, path, status, body=None, credential="events", **more):
    return case(name, method, path, status, body, credential=credential, error_style="atomic", **more)


def atomic_tokens():
    def token(name, status, query="", body=None, headers=(), **more):
        return case(name, "POST", "/oauth2/token" + query, status, body, credential="none", error_style="oauth",
                    headers=[("Content-Type", "application/x-www-form-urlencoded"), *headers], **more)

    good = "grant_type=client_credentials&client_id={{client_id}}&client_secret={{client_secret}}"
    yield token("good pair in the form", 200, body=good, expect={"reply_has": {"token_type": "Bearer"}})
    yield token("good pair in Basic", 200, body="grant_type=client_credentials",
                headers=[("Authorization", "Basic [[b64:{{client_id}}:{{client_secret}}]]")],
                expect={"reply_has": {"token_type": "Bearer", "expires_in": 3600}})
    yield token("wrong secret", 400, body=good + "x", expect={"reply_has": {"error": "invalid_client"}})
    yield token("unknown client", 400, body="grant_type=client_credentials&client_id=nosuch&client_secret=x",
                expect={"reply_has": {"error": "invalid_client"}})
    yield token("secret missing", 400, body="grant_type=client_credentials&client_id={{client_id}}",
                expect={"reply_has": {"error": "invalid_client"}})
    yield token("password grant", 400, body=good.replace("client_credentials", "password"),
                expect={"reply_has": {"error": "unsupported_grant_type"}})
    yield token("no grant", 400, body="client_id={{client_id}}&client_secret={{client_secret}}", judgement=True)
    yield token("NUL in the client", 400, body="grant_type=client_credentials&client_id=a%00&client_secret=x",
                expect={"reply_has": {"error": "invalid_client"}})
    yield token("Engage keys", 400, body="grant_type=client_credentials&client_id={{public}}&client_secret={{secret}}",
                expect={"reply_has": {"error": "invalid_client"}})
    for name, value in [("unknown token", "Bearer nosuchtoken"), ("empty token", "Bearer "),
                        ("6 kB token", "Bearer " + "a" * 6000),
                        ("Basic with the client", "Basic [[b64:{{client_id}}:{{client_secret}}]]"),
                        ("Basic with Engage keys", "Basic [[b64:{{public}}:{{secret}}]]")]:
        yield atomic(name, "GET", "/v1/{{env}}/users", 401, credential="none", headers=[("Authorization", value)])
    yield case("token with NUL", "GET", "/v1/{{env}}/users", [400, 401], credential="none", judgement=True,
               headers=[("Authorization", "Bearer a\x00b")], error_style="server")
    yield atomic("token in the query string", "GET", "/v1/{{env}}/users?access_token={{events_token}}", 401,
                 credential="none")
    yield case("bearer token on an Engage route", "GET", "/v1/users", 401, credential="events")
    for role in ("events", "workbench"):
        yield atomic(f"make a pair as {role}", "POST", "/v1/{{env}}/credentials", 403, {"role": "events"}, role)
        yield atomic(f"revoke a pair as {role}", "DELETE", "/v1/{{env}}/credentials/{{client_id}}", 403,
                     credential=role)
        yield atomic(f"environments as {role}", "GET", "/v1/environments", 200, credential=role,
                     expect={"lacks": ["{{env_b}}"]})
    yield atomic("environments without a token", "GET", "/v1/environments", 401, credential="none",
                 expect={"lacks": ["{{env}}"]})
    yield atomic("SDK keys as events", "GET", "/v1/{{env}}/sdk-keys", 403)
    yield atomic("make an SDK key as events", "POST", "/v1/{{env}}/sdk-keys", 403, {"name": "x"})
    for name, body in [("admin", {"role": "admin"}), ("auth", {"role": "auth"}), ("nothing", {}),
                       ("a list", {"role": ["events"]})]:
        yield atomic(f"make a pair with role {name}", "POST", "/v1/{{env}}/credentials", 400, body, "auth")
    yield atomic("revoke an unknown pair", "DELETE", "/v1/{{env}}/credentials/nosuch", 404, credential="auth",
                 judgement=True)
    yield atomic("unknown environment", "GET", "/v1/ZZ99zzZZ/users", 404, judgement=True)
    yield atomic("environment of another workspace", "GET", "/v1/{{env_b}}/users", 404, judgement=True)
    yield atomic("delete in the environment of another workspace", "PUT", "/v1/{{env_b}}/delete-users", 404,
                 {"data": ["{{user_b}}"]}, judgement=True)


def atomic_upsert():
    path = "/v1/{{env}}/users"

    def users(*items):
        return {"users": list(items)}

    for name, body in [
        ("users missing", {}), ("users null", {"users": None}), ("users an object", {"users": {}}),
        ("null inside", users(None)),
        ("id missing", users({"profile": {}})), ("id empty", users({"id": ""})), ("id an object", users({"id": {}})),
        ("id with a slash", users({"id": "{{fresh}}/x"})), ("id with NUL", users({"id": "{{fresh}}\x00"})),
        ("profile a list", users({"id": "{{fresh}}", "profile": [1]})),
        ("undefined field", users({"id": "{{fresh}}", "profile": {"nosuchfield": "x"}})),
        ("analytics field", users({"id": "{{fresh}}", "profile": {"last_seen_at": "2020-01-01T00:00:00Z"}})),
        ("another analytics field", users({"id": "{{fresh}}", "profile": {"last_browser": "x"}})),
        ("unknown user type", users({"id": "{{fresh}}", "profile": {"user_type": "admin"}})),
        ("number where text is wanted", users({"id": "{{fresh}}", "profile": {"name": 1}})),
        ("object where text is wanted", users({"id": "{{fresh}}", "profile": {"name": {}}})),
        ("bad email", users({"id": "{{fresh}}", "profile": {"email": "nope"}})),
        ("bad phone", users({"id": "{{fresh}}", "profile": {"phone": "call me"}})),
        ("NUL in a name", users({"id": "{{fresh}}", "profile": {"name": "a\x00"}})),
        ("bad preferences", users({"id": "{{fresh}}", "preferences": {"timezone": "../../etc/passwd"}})),
    ]:
        yield atomic(name, "POST", path, 400, body)
    yield atomic("1001 users", "POST", path, [400, 413], users(*({"id": "{{fresh}}%d" % i} for i in range(1001))),
                 judgement=True)
    for name, value, status in [("30 February", "2026-02-30", 400), ("garbage", "x", 400),
                                ("a day", "2026-02-28", 200)]:
        yield atomic(f"date field: {name}", "POST", path, status,
                     users({"id": "{{fresh}}", "profile": {"hostile_date": value}}), stored=status == 200,
                     before=[step("PUT", path + "/custom-profile-fields",
                                  [{"name": "hostile_date", "label": "D", "type": "date"}], "workbench")])
    yield atomic("one bad of three", "POST", path, 400,
                 users({"id": "{{fresh}}"}, {"id": "{{fresh}}x", "profile": {"email": "nope"}}, {"id": "{{fresh2}}"}),
                 expect={"pointer": "/users/1", "absent": ["{{fresh}}", "{{fresh2}}"]}, note="all or nothing")
    yield atomic("10000 bad items", "POST", path, 400, {"users": [{}] * 10000}, note="the error body stays small")
    yield atomic("over 1 MiB", "POST", path, 413, users({"id": "{{fresh}}", "profile": {"name": "a" * 1_100_000}}),
                 judgement=True)
    yield atomic("duplicate key", "POST", path, 400, '{"users":[{"id":"{{fresh}}","id":"{{fresh2}}"}]}', judgement=True)
    yield atomic("the same id twice", "POST", path, 200,
                 users({"id": "{{fresh}}", "profile": {"city": "a"}}, {"id": "{{fresh}}", "profile": {"city": "b"}}),
                 stored=True, expect={"reads": {"{{fresh}}": {"meta": {"city": "b"}}}}, note="applied in order")
    yield atomic("workbench role", "POST", path, 403, users({"id": "{{fresh}}"}), "workbench")
    yield atomic("auth role", "POST", path, 403, users({"id": "{{fresh}}"}), "auth")
    yield atomic("public key", "POST", path, 401, users({"id": "{{fresh}}"}), "public")
    yield atomic("no token", "POST", path, 401, users({"id": "{{fresh}}"}), "none")
    yield atomic("bad body without a token", "POST", path, 401, "[" * 20000, "none")
    yield atomic("a good user", "POST", path, 200,
                 users({"id": "{{fresh}}", "profile": {"email": "{{fresh}}@example.com", "city": "Lagos"}}),
                 stored=True,
                 expect={"reads": {"{{fresh}}": {"email": "{{fresh}}@example.com", "meta": {"city": "Lagos"}}}})
    yield atomic("null clears and empty text is kept", "POST", path, 200,
                 users({"id": "{{user}}", "profile": {"email": None, "city": ""}}), stored=True,
                 expect={"reads": {"{{user}}": {"email": None, "meta": {"plan": "prosecret1", "city": ""}}}})
    yield atomic("a uid of another workspace", "POST", path, 200, users({"id": "{{user_b}}", "profile": {"city": "x"}}),
                 stored=True, expect={"reads": {"{{user_b}}": {"email": None}}})


def atomic_read():
    for name, query in [("limit 0", "limit=0"), ("limit 1001", "limit=1001"), ("limit letters", "limit=abc"),
                        ("cursor garbage", "cursor=zzz%00")]:
        yield atomic(name, "GET", "/v1/{{env}}/users?" + query, 400)
    yield atomic("unknown segment", "GET", "/v1/{{env}}/users?segmentId=nosuch", 200,
                 expect={"reply_has": {"data": {"users": []}}})
    yield atomic("unknown user", "GET", "/v1/{{env}}/user?id={{fresh}}", 404)
    yield atomic("user of another workspace", "GET", "/v1/{{env}}/user?id={{user_b}}", 404)
    yield atomic("no id", "GET", "/v1/{{env}}/user", [400, 404], judgement=True)
    yield atomic("workbench role", "GET", "/v1/{{env}}/user?id={{user}}", 403, credential="workbench")
    yield atomic("list as workbench", "GET", "/v1/{{env}}/users", 403, credential="workbench")
    yield atomic("no token", "GET", "/v1/{{env}}/user?id={{user}}", 401, credential="none")


def atomic_delete():
    path = "/v1/{{env}}/delete-users"
    for name, body in [("data missing", {}), ("data a string", {"data": "{{user}}"}),
                       ("ids not strings", {"data": [None, {}]}), ("a list", ["{{user}}"])]:
        yield atomic(name, "PUT", path, 400, body)
    yield atomic("1001 ids", "PUT", path, [400, 413], {"data": ["{{user}}", *(f"x{i}" for i in range(1000))]},
                 judgement=True)
    yield atomic("unknown user", "PUT", path, 200, {"data": ["{{fresh}}"]},
                 expect={"reply": {"userIds": ["{{fresh}}"]}})
    yield atomic("workbench role", "PUT", path, 403, {"data": ["{{user}}"]}, "workbench")
    yield atomic("secret key", "PUT", path, 401, {"data": ["{{user}}"]}, "secret")
    yield atomic("user of another workspace", "PUT", path, 200, {"data": ["{{user_b}}"]},
                 expect={"reply": {"userIds": ["{{user_b}}"]}}, note="named in the reply, not touched")
    yield atomic("gone at once", "PUT", path, 200, {"data": ["{{user}}"]}, stored=True,
                 expect={"reply": {"userIds": ["{{user}}"]}, "absent": ["{{user}}"]})
    yield atomic("gone at once by the other name", "PUT", "/v1/{{env}}/deleteUsers", 200, {"data": ["{{user}}"]},
                 stored=True, expect={"absent": ["{{user}}"]})


def atomic_fields():
    path = "/v1/{{env}}/users/custom-profile-fields"

    def field(name="{{fresh}}", label="A", type="text"):
        return {"name": name, "label": label, "type": type}

    for name, body in [
        ("not an array", field()), ("type number", [field(type="number")]),
        ("no name", [{"label": "A", "type": "text"}]),
        ("reserved: id", [field("id")]), ("reserved: tags", [field("tags")]), ("reserved: email", [field("email")]),
        ("reserved: user_type", [field("user_type")]), ("reserved: last_seen_at", [field("last_seen_at")]),
        ("name __proto__", [field("__proto__")]), ("name of 65 characters", [field("a" * 65)]),
        ("name with a space", [field("a b")]), ("name with a digit first", [field("1a")]),
        ("name with a newline", [field("a\n")]), ("empty label", [field(label="")]),
        ("label of 256 characters", [field(label="l" * 256)]), ("null inside", [None]),
    ]:
        yield atomic(name, "PUT", path, 400, body, "workbench")
    yield atomic("events role", "PUT", path, 403, [field()], "events")
    yield atomic("read as events", "GET", path, 200)
    yield atomic("nothing", "PUT", path, 200, [], "workbench")
    yield atomic("a changed type", "PUT", path, 409, [field("hostile_field", type="date")], "workbench",
                 before=[step("PUT", path, [field("hostile_field")], "workbench")])


def atomic_preferences():
    path = "/v1/{{env}}/userPreferences"
    hours = {"from": "09:00", "to": "17:00"}
    for name, value in [
        ("unknown time zone", {"timezone": "Mars/Olympus"}), ("time zone path", {"timezone": "../../etc/passwd"}),
        ("enabled is a word", {"notificationsEnabled": "yes"}), ("unknown day", {"notifications": {"xyz": [hours]}}),
        ("from after to", {"notifications": {"mon": [{"from": "17:00", "to": "09:00"}]}}),
        ("25 o'clock", {"notifications": {"mon": [{"from": "09:00", "to": "25:00"}]}}),
        ("day is an object", {"notifications": {"mon": hours}}), ("a list", []),
    ]:
        yield atomic(name, "PUT", path, 400, {"data": {"{{user}}": value}})
    yield atomic("null", "PUT", path, 400, {"data": {"{{user}}": None}}, judgement=True)
    yield atomic("data missing", "PUT", path, 400, {})
    yield atomic("bad uid", "PUT", path, 400, {"data": {"{{fresh}}/x": {"timezone": "Europe/Berlin"}}})
    yield atomic("workbench role", "PUT", path, 403, {"data": {"{{user}}": {"timezone": "Europe/Berlin"}}}, "workbench")
    yield atomic("good hours", "PUT", path, 200, {"data": {"{{user}}": {"timezone": "Africa/Lagos", "notifications": {
        "mon": [hours], "tue": []}}}}, stored=None)


def atomic_sdk():
    """Tokens that must not be believed. None of them is signed with the SDK key's private key."""
    now = int(time.time())
    good = {"sub": "somebody", "iss": "https://idp.example", "exp": now + 600, "iat": now}
    rs = {"alg": "RS256"}
    pem = b"-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"
    for name, token in [
        ("alg none and no signature", jwt({"alg": "none"}, good, signature="")),
        ("alg nOnE", jwt({"alg": "nOnE"}, good, signature="")),
        ("alg missing", jwt({"typ": "JWT"}, good)),
        ("HS256 with a public key in PEM", jwt({"alg": "HS256"}, good, key=pem)),
        ("HS512 with a key in JSON", jwt({"alg": "HS512"}, good, key=b'{"kty":"RSA","n":"x","e":"AQAB"}')),
        ("RS256 with a signature that is not one", jwt(rs, good)),
        ("expired", jwt(rs, {**good, "exp": now - 3600})),
        ("no exp", jwt(rs, {key: value for key, value in good.items() if key != "exp"})),
        ("exp too far out", jwt(rs, {**good, "exp": now + 30 * 86400})),
        ("exp 1e400", jwt(rs, b'{"sub":"x","exp":1e400}')),
        ("not yet valid", jwt(rs, {**good, "nbf": now + 9999})),
        ("wrong issuer", jwt(rs, {**good, "iss": "https://evil.example"})),
        ("kid with a path", jwt({"alg": "HS256", "kid": "../../../../dev/null"}, good, key=b"")),
        ("kid with SQL", jwt({"alg": "HS256", "kid": "x' UNION SELECT 'k'--"}, good)),
        ("jku of the caller", jwt({**rs, "jku": "http://127.0.0.1:1/jwks"}, good)),
        ("x5u of the caller", jwt({**rs, "x5u": "http://127.0.0.1:1/cert"}, good)),
        ("jwk in the header", jwt({**rs, "jwk": {"kty": "RSA", "n": "x", "e": "AQAB"}}, good)),
        ("crit with an unknown name", jwt({**rs, "crit": ["x-evil"], "x-evil": 1}, good)),
        ("subject is an object", jwt(rs, {**good, "sub": {"a": 1}})),
        ("four parts", "a.b.c.d"), ("two parts", "a.b"), ("6 kB", "a" * 6000 + ".b.c"),
    ]:
        yield atomic(name, "PUT", "/{{env}}/update-user", 401, {"profile": {"name": "x"}}, "none",
                     headers=[("Authorization", "Bearer " + token), ("x-atomic-sdk-api-key", "{{sdk_key}}")])


def jwt(header, claims, key=b"k", signature=None):
    """A JSON web token, signed with HMAC unless a signature is given."""
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    if not isinstance(claims, bytes):
        claims = json.dumps(claims).encode()
    signed = encode(json.dumps(header).encode()) + "." + encode(claims)
    if signature is None:
        signature = encode(hmac.new(key, signed.encode(), hashlib.sha256).digest())
    return signed + "." + signature
