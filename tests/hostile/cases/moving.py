"""A new uid, merging, accounts."""

from tests.hostile.cases.build import JOINED, KEPT_EMAIL, case, step, update

SUBSCRIBER = step("POST", "/v1/lists/{{list}}/subscribers", {"email": "{{fresh}}@example.org"},
                  save={"subscriber": "uid"})


def renaming():
    yield update("another uid in the body", 400, {"uid": "{{fresh}}"}, expect={"absent": ["{{fresh}}"]})
    yield update("another uid and other fields", 400, {"uid": "{{fresh}}", "first_name": "x"})
    yield update("another uid with the public key", 400, {"uid": "{{fresh}}"}, credential="public")
    yield update("the same uid", 200, {"uid": "{{user}}", "first_name": "x"}, stored=True)
    yield case("another uid on a new user", "PUT", "/v1/users/{{fresh}}", 400, {"uid": "{{fresh2}}"},
               expect={"absent": ["{{fresh}}", "{{fresh2}}"]})
    yield case("subscriber: a new uid", "PUT", "/v1/users/{{subscriber}}", 200, {"uid": "{{fresh}}"},
               before=[SUBSCRIBER], stored=True,
               expect={"absent": ["{{subscriber}}"],
                       "reads": {"{{fresh}}": {"uid": "{{fresh}}", "uid_updateable": False}}})
    yield case("subscriber: a taken uid", "PUT", "/v1/users/{{subscriber}}", 409, {"uid": "{{user}}"},
               before=[SUBSCRIBER])
    for name, uid in [("slash", "a/b"), ("empty", ""), ("NUL", "{{fresh}}\x00"), ("object", {}), ("dot dot", ".."),
                      ("256 characters", "{{fresh}}" + "a" * 240)]:
        yield case(f"subscriber: a bad uid: {name}", "PUT", "/v1/users/{{subscriber}}", 400, {"uid": uid},
                   before=[SUBSCRIBER])
    yield case("subscriber: a second new uid", "PUT", "/v1/users/{{fresh}}", 400, {"uid": "{{fresh2}}"},
               before=[SUBSCRIBER, step("PUT", "/v1/users/{{subscriber}}", {"uid": "{{fresh}}"})],
               expect={"absent": ["{{fresh2}}"]})
    yield case("subscriber: claimed by email with the secret", "PUT", "/v1/users/{{fresh}}", 200,
               {"email": "{{fresh}}@example.org"}, before=[SUBSCRIBER], stored=True,
               expect={"absent": ["{{subscriber}}"], "reads": {"{{fresh}}": {"uid_updateable": False}}})
    yield case("a user with a uid is not claimed by email", "PUT", "/v1/users/{{fresh}}", 200,
               {"email": "{{user}}@example.com"}, stored=True,
               expect={"reads": {"{{user}}": {"email": "{{user}}@example.com"}, "{{fresh}}": {"first_name": None}}})


def merging():
    def merge(name, status, source, destination, **more):
        return case(name, "POST", "/v1/users/merge", status, {"source": source, "destination": destination}, **more)

    queued = {"reply": {"status": "queued"}}
    for name, body in [("source missing", {"destination": "{{user}}"}), ("destination missing", {"source": "{{user}}"}),
                       ("a list", [])]:
        yield case(name, "POST", "/v1/users/merge", 400, body)
    for name, source, destination in [
        ("the same uid", "{{user}}", "{{user}}"), ("source is an object", {"$ne": ""}, "{{user}}"),
        ("source is null", None, "{{user}}"), ("source of 300 characters", "a" * 300, "{{user}}"),
        ("source with NUL", "a\x00", "{{user}}"), ("destination with a slash", "{{bare}}", "{{fresh}}/x"),
        ("destination of 256 characters", "{{bare}}", "{{fresh}}" + "a" * 240),
        ("destination is dot dot", "{{bare}}", ".."),
    ]:
        yield merge(name, 400, source, destination)
    yield merge("unknown source", 200, "{{fresh}}", "{{user}}", expect=queued)
    yield merge("unknown source and destination", 200, "{{fresh}}", "{{fresh2}}",
                expect={"absent": ["{{fresh}}", "{{fresh2}}"]})
    yield merge("into a user", 200, "{{bare}}", "{{user}}", stored=True,
                expect={"absent": ["{{bare}}"],
                        "reads": {"{{user}}": {"first_name": "Adaobi", "email": "{{user}}@example.com"}}})
    yield merge("into an unknown uid", 200, "{{user}}", "{{fresh}}", stored=True,
                expect={"absent": ["{{user}}"], "reads": {"{{fresh}}": {"email": "{{user}}@example.com"}}})
    yield merge("public key: source with an email", 403, "{{user}}", "{{fresh}}", credential="public",
                expect={"absent": ["{{fresh}}"]})
    yield merge("public key: source with an email into a bare user", 403, "{{user}}", "{{bare}}", credential="public")
    yield merge("public key: source with a number", 403, "{{fresh}}", "{{user}}", credential="public",
                before=[step("PUT", "/v1/users/{{fresh}}", {"number": "+15550002222"})])
    yield merge("public key: bare source into a user", 200, "{{bare}}", "{{user}}", credential="public", stored=True,
                expect={**KEPT_EMAIL, **queued, "absent": ["{{bare}}"]})
    yield merge("public key: bare source into an unknown uid", 200, "{{bare}}", "{{fresh}}", credential="public",
                stored=True, expect={"reads": {"{{fresh}}": {"first_name": "Bare"}}})
    yield merge("public key: unknown source", 200, "{{fresh}}", "{{user}}", credential="public", expect=queued)


def accounts():
    path = "/v1/users/{{user}}/accounts"
    for name, body in [
        ("not a list", {"accounts": {}}), ("missing", {}), ("empty list", {"accounts": []}),
        ("null inside", {"accounts": [None]}), ("string inside", {"accounts": ["{{account}}"]}),
        ("no id", {"accounts": [{"role": "x"}]}), ("id is an object", {"accounts": [{"id": {}}]}),
        ("role is an object", {"accounts": [{"id": "{{account}}", "role": {}}]}),
        ("role with NUL", {"accounts": [{"id": "{{account}}", "role": "a\x00"}]}),
        ("itself", {"accounts": [{"id": "{{user}}"}]}),
    ]:
        yield case(f"add: {name}", "POST", path, 400, body)
    yield case("add: unknown account", "POST", path, 404, {"accounts": [{"id": "{{fresh}}"}]},
               expect={"absent": ["{{fresh}}"]})
    yield case("add: one good and one unknown", "POST", path, 404,
               {"accounts": [{"id": "{{account}}"}, {"id": "{{fresh}}"}]}, note="nothing is stored")
    yield case("add: twice keeps one entry", "POST", path, 200, {"accounts": [{"id": "{{account}}", "role": "owner"}]},
               before=JOINED, stored=True,
               expect={"reads": {"{{user}}": {"accounts": [{"id": "{{account}}", "role": "owner"}]}}})
    yield case("role: of an account that the user is not in", "PUT", path + "/{{account}}", 404, {"role": "x"},
               judgement=True)
    yield case("role: of an unknown account", "PUT", path + "/{{fresh}}", 404, {"role": "x"})
    yield case("role: an object", "PUT", path + "/{{account}}", 400, {"role": {"a": 1}}, before=JOINED)
    yield case("leave: an unknown account", "DELETE", path + "/{{fresh}}", 404)
    for name, body in [("to admin", {"type": "admin"}), ("no type", {}), ("type is a list", {"type": ["account"]}),
                       ("type in capitals", {"type": "ACCOUNT"})]:
        yield case(f"convert: {name}", "POST", "/v1/users/{{user}}/convert", 400, body)
