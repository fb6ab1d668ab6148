"""Who may do what: credentials, levels of the routes, other workspaces."""

from tests.hostile.cases.build import JOINED, OK, SUBSCRIBED, case, create

# name, method, path, body, level (P: the public key is enough, F: the secret is needed), requests before, reply
ROUTES = [
    ("read users", "GET", "/v1/users", None, "F", [], None),
    ("create user", "POST", "/v1/users", {"id": "{{fresh}}"}, "P", [], None),
    ("read user", "GET", "/v1/users/{{user}}", None, "F", [], None),
    ("update user", "PUT", "/v1/users/{{user}}", {"first_name": "x"}, "P", [], None),
    ("delete user", "DELETE", "/v1/users/{{user}}", None, "F", [], OK),
    ("event", "POST", "/v1/users/{{user}}/events", {"event": "e"}, "P", [], OK),
    ("delete attribute", "DELETE", "/v1/users/{{user}}/attributes/plan", None, "F", [], None),
    ("delete token", "DELETE", "/v1/users/{{user}}/tokens/{{token}}", None, "P", [], None),
    ("add to lists", "POST", "/v1/users/{{user}}/lists", {"lists": ["{{list}}"]}, "F", [], None),
    ("remove from lists", "DELETE", "/v1/users/{{user}}/lists", {"lists": ["{{list}}"]}, "F", SUBSCRIBED, None),
    ("convert", "POST", "/v1/users/{{user}}/convert", {"type": "account"}, "P", [], None),
    ("add to accounts", "POST", "/v1/users/{{user}}/accounts", {"accounts": [{"id": "{{account}}"}]}, "P", [], None),
    ("change role", "PUT", "/v1/users/{{user}}/accounts/{{account}}", {"role": "owner"}, "P", JOINED, None),
    ("leave account", "DELETE", "/v1/users/{{user}}/accounts/{{account}}", None, "P", JOINED, None),
    ("read members", "GET", "/v1/users/{{account}}/members", None, "F", [], None),
    ("merge", "POST", "/v1/users/merge", {"source": "{{bare}}", "destination": "{{user}}"}, "P", [],
     {"status": "queued"}),
    ("archive user", "POST", "/v1/users/{{user}}/archive", None, "F", [], OK),
    ("create list", "POST", "/v1/lists", {"title": "t"}, "F", [], None),
    ("read lists", "GET", "/v1/lists", None, "P", [], None),
    ("read list", "GET", "/v1/lists/{{list}}", None, "P", [], None),
    ("update list", "PUT", "/v1/lists/{{list}}", {"title": "x"}, "F", [], None),
    ("archive list", "DELETE", "/v1/lists/{{list}}", None, "F", [], OK),
    ("subscribe", "POST", "/v1/lists/{{list}}/subscribers", {"email": "{{user}}@example.com"}, "F", [],
     {"uid": "{{user}}"}),
    ("set subscription", "PUT", "/v1/lists/{{list}}/subscribers/{{user}}", {"subscribed": True}, "F", [],
     {"subscribed": True}),
    ("unsubscribe", "DELETE", "/v1/lists/{{list}}/subscribers/{{user}}", None, "F", SUBSCRIBED, OK),
    ("batch", "POST", "/v1/batch", {"data": [{"type": "update", "id": "{{user}}", "first_name": "x"}]}, "F", [],
     {"status": "queued", "accepted": 1, "rejected": 0, "duplicate": 0, "dropped": 0, "errors": [], "warnings": []}),
]


def access():
    """Every Engage route with each kind of credential."""
    for name, method, path, body, level, before, reply in ROUTES:
        stored = method != "GET"
        expect = {"reply": reply} if reply else {}
        more = {"before": before}
        yield case(f"{name}: no credentials", method, path, 401, body, credential="none", **more)
        yield case(f"{name}: wrong secret", method, path, 401, body, credential="wrong", **more)
        yield case(f"{name}: secret", method, path, 200, body, stored=stored, expect=expect, **more)
        if level == "F":
            yield case(f"{name}: public key", method, path, 403, body, credential="public", **more)
        else:
            yield case(f"{name}: public key", method, path, 200, body, credential="public", stored=stored,
                       expect=expect, **more)
    rubbish = {"credential": "none", "note": "credentials are checked before the body is read"}
    yield create("bad body without credentials", 401, {"id": 1.5}, **rubbish)
    yield create("20000 levels without credentials", 401, "[" * 20000, **rubbish)
    yield create("70 kB without credentials", 401, {"first_name": "a" * 70000}, **rubbish)
    yield create("bad body with a wrong secret", 401, "{", credential="wrong")
    yield case("bad body with the public key where the secret is needed", "POST", "/v1/lists", 403, "{",
               credential="public")
    yield case("unknown user with the public key where the secret is needed", "GET", "/v1/users/{{fresh}}", 403,
               credential="public", note="403 before 404: the public key does not tell which uids exist")


def auth():
    """Credentials that are almost right."""
    def basic(text):
        prefix, end = (b"Basic [[b64:", b"]]") if isinstance(text, bytes) else ("Basic [[b64:", "]]")
        return prefix + text + end

    for name, value in [
        ("unknown key", basic("nosuch:x")), ("empty key and secret", basic(":")), ("empty key", basic(":{{secret}}")),
        ("secret in place of the key", basic("{{secret}}:")),
        ("key in other capitals", basic("{{public_swapped}}:{{secret}}")),
        ("key with a trailing space", basic("{{public}} :{{secret}}")),
        ("key with NUL", basic("{{public}}\x00:{{secret}}")),
        ("secret with a letter outside ASCII", basic("{{public}}:\u00e9")),
        ("secret with a latin-1 byte", basic(b"{{public}}:\xe9")),
        ("secret and one more letter", basic("{{public}}:{{secret}}x")),
        ("secret less its last letter", basic("{{public}}:{{secret_cut}}")),
        ("secret in other capitals", basic("{{public}}:{{secret_swapped}}")),
        ("wildcard key", basic("%:{{secret}}")), ("SQL in the key", basic("' OR 1=1--:x")),
        ("secret of 4 kB", basic("{{public}}:" + "a" * 4000)), ("not base64", "Basic !!!!"), ("scheme alone", "Basic"),
        ("Digest", 'Digest username="{{public}}"'), ("bearer with the secret", "Bearer {{secret}}"),
        ("two credentials joined", basic("{{public}}:{{secret}}") + ", " + basic("{{public_b}}:{{secret_b}}")),
    ]:
        yield case(f"{name}", "GET", "/v1/users", 401, credential="none", headers=[("Authorization", value)])
    yield case("key of one workspace and secret of another", "GET", "/v1/users", 401, credential="mixed")
    yield case("key of one workspace and secret of another on a public route", "POST", "/v1/users", 401,
               {"id": "{{fresh}}"}, credential="mixed")
    yield case("no colon", "GET", "/v1/users", 401, credential="none", headers=[("Authorization", basic("{{public}}"))],
               judgement=True)
    yield case("two headers", "GET", "/v1/users", [400, 401], credential="none", judgement=True, error_style="server",
               headers=[("Authorization", basic("{{public}}:bad")), ("Authorization", basic("{{public}}:{{secret}}"))])
    yield case("header of 500 kB", "GET", "/v1/users", [400, 431], credential="none", error_style="server",
               headers=[("Authorization", basic("a" * 500000 + ":x"))], judgement=True)
    yield case("in the query string", "GET", "/v1/users?api_key={{public}}&secret={{secret}}", 401, credential="none")
    yield case("in the body", "POST", "/v1/users", 401,
               {"id": "{{fresh}}", "public": "{{public}}", "secret": "{{secret}}"}, credential="none")
    yield case("unknown route without credentials", "GET", "/v1/nosuchroute", [401, 404], credential="none",
               judgement=True)
    yield case("unknown route", "GET", "/v1/nosuchroute", 404)
    yield case("environment and proxy headers", "GET", "/v1/users", 401, credential="none",
               headers=[("Remote-User", "{{public}}"), ("X-Remote-User", "{{public}}"),
                        ("X-Forwarded-User", "{{public}}"),
                        ("Proxy-Authorization", basic("{{public}}:{{secret}}"))])


def workspaces():
    """One workspace must not see, touch or guess anything of another."""
    for name, method, path, body, _, before, _ in ROUTES:
        if name in ("read users", "create user", "create list", "read lists"):
            continue
        makes_its_own = name in ("update user", "event", "batch")
        yield case(f"{name} of another workspace", method, path, 200 if makes_its_own or name == "merge" else 404,
                   body, credential="secret_b", before=before, stored=makes_its_own,
                   note="makes a user of its own, or finds nothing: the other workspace stays as it was")
    yield case("read users shows only its own", "GET", "/v1/users?email={{user}}@example.com", 200,
               credential="secret_b", expect={"rows": 0})
    yield case("read list of another workspace with its public key", "GET", "/v1/lists/{{list}}", 404,
               credential="public_b")
    yield case("internal id of a user of another workspace", "GET", "/v1/users/{{id_b}}", 404)
    yield case("create a uid that another workspace has", "POST", "/v1/users", 200,
               {"id": "{{user_b}}", "first_name": "x"}, stored=True,
               expect={"reads": {"{{user_b}}": {"email": None, "first_name": "x"}}})
    yield case("update a uid that another workspace has", "PUT", "/v1/users/{{user_b}}", 200, {"first_name": "x"},
               stored=True, expect={"reads": {"{{user_b}}": {"email": None, "first_name": "x"}}})
    yield case("event for a uid that another workspace has", "POST", "/v1/users/{{user_b}}/events", 200,
               {"event": "e"}, credential="public", stored=True,
               expect={"reads": {"{{user_b}}": {"email": None, "meta": {}}}})
    yield case("merge a source of another workspace", "POST", "/v1/users/merge", 200,
               {"source": "{{user_b}}", "destination": "{{user}}"}, note="a missing source changes nothing")
    yield case("merge into a uid of another workspace", "POST", "/v1/users/merge", 200,
               {"source": "{{bare}}", "destination": "{{user_b}}"}, stored=True,
               expect={"reads": {"{{user_b}}": {"email": None, "first_name": "Bare"}}, "absent": ["{{bare}}"]})
    yield case("subscribe to a list of another workspace", "POST", "/v1/users/{{user}}/lists", [400, 404],
               {"lists": ["{{list_b}}"]}, judgement=True)
    yield case("leave a list of another workspace", "DELETE", "/v1/users/{{user}}/lists", [200, 400, 404],
               {"lists": ["{{list_b}}"]}, judgement=True)
    yield case("account of another workspace", "POST", "/v1/users/{{user}}/accounts", 404,
               {"accounts": [{"id": "{{user_b}}"}]})
    yield case("filter by a list of another workspace", "GET", "/v1/users?lists%5B%5D={{list_b}}", [200, 400, 404],
               judgement=True, expect={"rows_max": 0})
    yield case("email of a user of another workspace finds nobody", "POST", "/v1/lists/{{list}}/subscribers", 200,
               {"email": "{{user_b}}@b.example.com"}, stored=True, expect={"lacks": ['"{{user_b}}"']},
               note="makes a subscriber of its own")
