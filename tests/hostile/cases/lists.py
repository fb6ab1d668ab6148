"""Lists, subscribers, batches."""

from tests.hostile.cases.build import SUBSCRIBED, case


def lists():
    for name, body in [
        ("title missing", {}), ("title of 65 characters", {"title": "t" * 65}),
        ("title null", {"title": None}), ("title integer", {"title": 1}), ("title with NUL", {"title": "t\x00"}),
        ("title with a lone surrogate", '{"title":"\\ud800"}'),
        ("description of 256 characters", {"title": "t", "description": "d" * 256}),
        ("description is an object", {"title": "t", "description": {}}),
        ("redirect_url with javascript", {"title": "t", "redirect_url": "javascript:alert(1)"}),
        ("redirect_url with data", {"title": "t", "redirect_url": "data:text/html,x"}),
        ("redirect_url with file", {"title": "t", "redirect_url": "file:///etc/passwd"}),
        ("redirect_url relative", {"title": "t", "redirect_url": "//evil.example"}),
        ("redirect_url with a newline", {"title": "t", "redirect_url": "https://a.example/\r\nX-Evil: 1"}),
        ("redirect_url is an object", {"title": "t", "redirect_url": {}}),
        ("double_optin is an object", {"title": "t", "double_optin": {}}),
        ("a list", []),
    ]:
        yield case(f"create: {name}", "POST", "/v1/lists", 400, body)
    yield case("create: title empty", "POST", "/v1/lists", 400, {"title": ""}, judgement=True)
    for name, body in [
        ("title of 64 characters", {"title": "t" * 64}),
        ("description of 255 characters", {"title": "t", "description": "d" * 255}),
        ("http redirect", {"title": "t", "redirect_url": "http://a.example/x?y=1"}),
        ("SQL in the title", {"title": "'); DROP TABLE lists;--"}),
    ]:
        yield case(f"create: {name}", "POST", "/v1/lists", 200, body, stored=True, expect={"reply_has": body})
    yield case("update: redirect_url with javascript", "PUT", "/v1/lists/{{list}}", 400,
               {"redirect_url": "javascript:alert(1)"})
    yield case("update: title of 65 characters", "PUT", "/v1/lists/{{list}}", 400, {"title": "t" * 65})
    yield case("update: unknown list", "PUT", "/v1/lists/" + "f" * 24, 404, {"title": "t"})
    yield case("read: unknown list", "GET", "/v1/lists/" + "f" * 24, 404)
    for name, path in [("NUL", "a%00"), ("300 characters", "a" * 300), ("letters", "zzz"), ("SQL", "'%20OR%201=1--")]:
        yield case(f"read: id with {name}", "GET", "/v1/lists/" + path, 404, judgement=True)
    yield case("read: an archived list", "GET", "/v1/lists/{{list_archived}}", 200)
    yield case("archive: unknown list", "DELETE", "/v1/lists/" + "f" * 24, 404)
    for name, body in [("missing", {}), ("a string", {"lists": "{{list}}"}), ("null inside", {"lists": [None]}),
                       ("object inside", {"lists": [{}]})]:
        yield case(f"add a user: lists {name}", "POST", "/v1/users/{{user}}/lists", 400, body)
        yield case(f"remove a user: lists {name}", "DELETE", "/v1/users/{{user}}/lists",
                   [200, 400] if name == "missing" else 400, body, judgement=name == "missing")
    yield case("add a user: an archived list", "POST", "/v1/users/{{user}}/lists", [400, 404, 409],
               {"lists": ["{{list_archived}}"]}, judgement=True)
    yield case("add a user: one good and one unknown list", "POST", "/v1/users/{{user}}/lists", [400, 404],
               {"lists": ["{{list}}", "f" * 24]}, judgement=True, note="nothing is stored")


def subscribers():
    path = "/v1/lists/{{list}}/subscribers"
    for name, body in [
        ("neither email nor number", {"first_name": "x"}), ("empty body", {}), ("bad email", {"email": "nope"}),
        ("bad number", {"number": "call me"}), ("email and number null", {"email": None, "number": None}),
        ("email is an object", {"email": {"$ne": ""}}),
        ("meta nested", {"email": "{{fresh}}@example.com", "meta": {"a": {}}}),
        ("created_at garbage", {"email": "{{fresh}}@example.com", "created_at": "x"}),
        ("name with NUL", {"email": "{{fresh}}@example.com", "first_name": "a\x00"}),
    ]:
        yield case(f"add: {name}", "POST", path, 400, body)
    yield case("add: unknown list", "POST", "/v1/lists/" + "f" * 24 + "/subscribers", 404,
               {"email": "{{fresh}}@example.com"})
    yield case("add: archived list", "POST", "/v1/lists/{{list_archived}}/subscribers", [400, 404, 409],
               {"email": "{{fresh}}@example.com"}, judgement=True)
    yield case("add: somebody new", "POST", path, 200, {"email": "{{fresh}}@example.com"}, stored=True,
               expect={"reply_keys": ["uid"]})
    yield case("add: found by email in other capitals", "POST", path, 200, {"email": "{{user}}@EXAMPLE.com"},
               stored=True, expect={"reply": {"uid": "{{user}}"}})
    yield case("add: found by number", "POST", path, 200, {"number": "{{number}}"}, stored=True,
               expect={"reply": {"uid": "{{user}}"}})
    yield case("add: by number with the public key", "POST", path, 403, {"number": "{{number}}"}, credential="public",
               expect={"lacks": ["{{user}}"]})
    for name, body in [("an object", {"subscribed": {}}), ("missing", {}), ("null", {"subscribed": None}),
                       ("a word", {"subscribed": "yes please"}), ("a list", {"subscribed": [True]})]:
        yield case(f"set: subscribed {name}", "PUT", path + "/{{user}}", 400, body)
    yield case("set: the text true", "PUT", path + "/{{user}}", 200, {"subscribed": "true"}, stored=True,
               expect={"reply": {"subscribed": True}})
    yield case("set: the text false", "PUT", path + "/{{user}}", 200, {"subscribed": "false"}, before=SUBSCRIBED,
               stored=True, expect={"reply": {"subscribed": False},
                                    "reads": {"{{user}}": {"lists": [{"id": "{{list}}", "subscribed": False}]}}})
    yield case("set: unknown user", "PUT", path + "/{{fresh}}", 404, {"subscribed": True},
               expect={"absent": ["{{fresh}}"]})
    yield case("set: unknown list", "PUT", "/v1/lists/" + "f" * 24 + "/subscribers/{{user}}", 404, {"subscribed": True})
    yield case("delete: unknown user", "DELETE", path + "/{{fresh}}", 404)


def batch():
    path = "/v1/batch"
    for name, body in [("data missing", {}), ("data is an object", {"data": {}}), ("data is null", {"data": None}),
                       ("data is a string", {"data": "x"}), ("a list", [])]:
        yield case(name, "POST", path, 400, body)
    yield case("1001 items", "POST", path, [400, 413],
               {"data": [{"type": "event", "id": "{{fresh}}", "event": "e"}] * 1001}, judgement=True,
               note="the limit is 1000 items; nothing is stored")
    yield case("20000 empty items", "POST", path, [400, 413], {"data": [{}] * 20000}, judgement=True)
    yield case("1.1 MB", "POST", path, 413,
               {"data": [{"type": "update", "id": "{{fresh}}", "meta": {"x": "a" * 1_100_000}}]})
    yield case("900 kB", "POST", path, 200,
               {"data": [{"type": "update", "id": "{{fresh}}", "meta": {"x": "a" * 4000}, "extra": "a" * 80000}
                         for _ in range(10)]},
               stored=True, expect={"reply_has": {"accepted": 10, "rejected": 0}})
    good = {"type": "update", "id": "{{fresh}}", "first_name": "x"}
    for name, item in [
        ("unknown type", {"type": "drop", "id": "{{fresh2}}"}), ("no type", {"id": "{{fresh2}}"}),
        ("type is an object", {"type": {}, "id": "{{fresh2}}"}), ("no id", {"type": "update", "first_name": "x"}),
        ("id is an object", {"type": "update", "id": {}}), ("null", None), ("a number", 1), ("a list", []),
        ("NUL in a name", {"type": "update", "id": "{{fresh2}}", "first_name": "a\x00"}),
        ("bad email", {"type": "create", "id": "{{fresh2}}", "email": "nope"}),
        ("nested meta", {"type": "update", "id": "{{fresh2}}", "meta": {"a": {}}}),
        ("null meta value", {"type": "update", "id": "{{fresh2}}", "meta": {"a": None}}),
        ("id that create refuses", {"type": "create", "id": "{{fresh2}}-x"}),
        ("uid with a slash", {"type": "update", "id": "{{fresh2}}/x"}),
        ("event without a name", {"type": "event", "id": "{{fresh2}}"}),
        ("event 25 hours ahead", {"type": "event", "id": "{{fresh2}}", "event": "e", "timestamp": "{{now+25h}}"}),
        ("unknown list", {"type": "create", "id": "{{fresh2}}", "lists": ["f" * 24]}),
        ("list of another workspace", {"type": "create", "id": "{{fresh2}}", "lists": ["{{list_b}}"]}),
        ("another uid", {"type": "update", "id": "{{fresh2}}", "uid": "{{fresh2}}x"}),
    ]:
        yield case(f"bad item: {name}", "POST", path, 200, {"data": [good, item]}, stored=True,
                   judgement=name == "id that create refuses",
                   expect={"reply_has": {"status": "queued", "accepted": 1, "rejected": 1}, "rejected_index": 1,
                           "reads": {"{{fresh}}": {"first_name": "x"}}, "absent": ["{{fresh2}}"]},
                   note="the good item is stored, the bad one is named in errors")
    yield case("only bad items", "POST", path, 200, {"data": [{}, None, {"type": "drop"}]},
               expect={"reply_has": {"accepted": 0, "rejected": 3}})
    yield case("event for an unknown uid", "POST", path, 200,
               {"data": [{"type": "event", "id": "{{fresh}}", "event": "e"}]}, stored=True,
               expect={"reply_has": {"accepted": 1, "rejected": 0},
                       "reads": {"{{fresh}}": {"uid": "{{fresh}}", "email": None}}})
    yield case("in order", "POST", path, 200,
               {"data": [{"type": "update", "id": "{{fresh}}", "first_name": str(i)} for i in range(20)]}, stored=True,
               expect={"reads": {"{{fresh}}": {"first_name": "19"}}})
    yield case("key 301 of meta", "POST", path, 200,
               {"data": [{"type": "update", "id": "{{fresh}}", "meta": {f"k{i}": 1 for i in range(300)}},
                         {"type": "update", "id": "{{fresh}}", "meta": {"more": 1}}]}, stored=True,
               expect={"reply_has": {"accepted": 1, "rejected": 1}, "rejected_index": 1})
    yield case("1000 items", "POST", path, 200,
               {"data": [{"type": "update", "id": "{{fresh}}", "meta": {"n": i}} for i in range(1000)]}, stored=True,
               expect={"reply_has": {"accepted": 1000, "rejected": 0}, "reads": {"{{fresh}}": {"meta": {"n": 999}}}})
    yield case("public key with an email", "POST", path, 403,
               {"data": [{"type": "update", "id": "{{user}}", "email": "evil@example.net"}]}, credential="public")
    yield case("public key with 900 kB", "POST", path, 403, {"data": [], "extra": "a" * 900000}, credential="public")
