"""What may be the uid of a user."""

from tests.hostile.cases.build import case, create


def uids():
    for name, uid in [
        ("empty", ""), ("a space", " "), ("leading space", " {{fresh}}"), ("trailing space", "{{fresh}} "),
        ("tab", "{{fresh}}\t1"), ("newline", "{{fresh}}\n1"), ("NUL", "{{fresh}}\x001"), ("DEL", "{{fresh}}\x7f1"),
        ("slash", "{{fresh}}/1"), ("backslash", "{{fresh}}\\1"), ("dot", "."), ("dot dot", ".."),
        ("dot dot and encoded slash", "..%2fetc"), ("encoded NUL", "{{fresh}}%00"), ("question mark", "{{fresh}}?1"),
        ("hash", "{{fresh}}#1"), ("256 characters", "{{fresh}}" + "a" * 240), ("10000 characters", "a" * 10000),
        ("right to left override", "\u202e{{fresh}}"), ("zero width space", "{{fresh}}\u200b1"),
        ("byte order mark", "\ufeff{{fresh}}"), ("e and combining acute", "{{fresh}}e\u0301"),
        ("e acute", "{{fresh}}\u00e9"), ("Cyrillic a", "{{fresh}}\u0430"), ("full width", "{{fresh}}\uff48\uff11"),
        ("Kelvin sign", "{{fresh}}\u212a"), ("Arabic digit", "{{fresh}}\u0661"), ("emoji", "{{fresh}}\U0001f600"),
    ]:
        yield create(f"id: {name}", 400, {"id": uid})
    for name, uid in [
        ("e-mail", "{{fresh}}@somecorp.email"), ("UUID", "1f0c1f0e-7d5e-4c3b-9b43-{{fresh}}"),
        ("underscore", "{{fresh}}_123"), ("bar", "auth0|{{fresh}}"), ("plus and tilde", "{{fresh}}+b~c"),
    ]:
        yield create(f"id: {name}", 400, {"id": uid}, expect={"mentions": ["PUT", "ROLLCALL_CREATE_ID"]},
                     note="letters and digits only on this route; the error names the way out")
        yield case(f"path: {name}", "PUT", "/v1/users/" + uid, 200, {"first_name": "x"}, stored=True,
                   expect={"reads": {uid: {"uid": uid, "first_name": "x"}}})
    yield create("id: lone surrogate", 400, '{"id":"{{fresh}}\\ud800"}')
    for name, uid in [("float", 1.5), ("null", None), ("list", ["a"]), ("object", {"$ne": ""}), ("true", True),
                      ("negative integer", -5), ("2^53", 2**53)]:
        yield create(f"id: {name}", 400, {"id": uid})
    yield create("id: missing", 400, '{"first_name":"x"}')
    yield create("id: 255 characters", 200, {"id": "{{fresh}}" + "a" * 239}, stored=True,
                 expect={"reads": {"{{fresh}}" + "a" * 239: {}}})
    yield create("id: an integer becomes its digits", 200, '{"id":190001}', stored=None,
                 expect={"reads": {"190001": {"uid": "190001"}}})
    yield create("id: the word batch", 200, {"id": "batch"}, stored=None, expect={"reads": {"batch": {"uid": "batch"}}},
                 note="no word is reserved")
    yield case("path: the word merge", "PUT", "/v1/users/merge", 200, {"first_name": "x"}, stored=None,
               expect={"reads": {"merge": {"uid": "merge"}}}, note="no word is reserved")
    for name, uid, path in [
        ("inner space", "{{fresh}} b", "{{fresh}}%20b"), ("e acute", "{{fresh}}\u00e9", "{{fresh}}%C3%A9"),
        ("emoji", "{{fresh}}\U0001f600", "{{fresh}}%F0%9F%98%80"), ("percent sign", "{{fresh}}%", "{{fresh}}%25"),
        ("question mark", "{{fresh}}?x", "{{fresh}}%3Fx"), ("hash", "{{fresh}}#x", "{{fresh}}%23x"),
        ("255 characters", "{{fresh}}" + "a" * 239, "{{fresh}}" + "a" * 239),
    ]:
        yield case(f"path: {name}", "PUT", "/v1/users/" + path, 200, {"first_name": "x"}, stored=True,
                   expect={"reads": {path: {"uid": uid}}})
    yield case("path: case decides", "PUT", "/v1/users/{{fresh}}X", 200, {"first_name": "x"}, stored=True,
               expect={"absent": ["{{fresh}}x"]})
    yield case("path: composed and decomposed are two users", "PUT", "/v1/users/{{fresh}}%C3%A9", 200,
               {"first_name": "x"}, stored=True, expect={"absent": ["{{fresh}}e%CC%81"]})
    for name, path in [
        ("NUL", "{{fresh}}%00b"), ("newline", "{{fresh}}%0Ab"), ("tab", "{{fresh}}%09b"), ("DEL", "{{fresh}}%7Fb"),
        ("leading space", "%20{{fresh}}"), ("trailing space", "{{fresh}}%20"), ("encoded dot", "%2e"),
        ("encoded dot dot", "%2e%2e"), ("256 characters", "{{fresh}}" + "a" * 240),
        ("header split", "{{fresh}}%0d%0aX-Evil:1"),
    ]:
        yield case(f"path: {name}", "PUT", "/v1/users/" + path, 400, {"first_name": "x"})
    for name, path in [("C1 control", "{{fresh}}%C2%85b"), ("trailing no-break space", "{{fresh}}%C2%A0"),
                       ("trailing zero width space", "{{fresh}}%E2%80%8B"), ("leading byte order mark", "%EF%BB%BF{{fresh}}"),
                       ("trailing tag character", "{{fresh}}%F3%A0%81%81"), ("encoded slash", "{{fresh}}%2Fb"),
                       ("encoded slash before the word of a route", "{{fresh}}%2Fevents")]:
        yield case(f"path: {name}", "PUT", "/v1/users/" + path, 400, {"first_name": "x"}, judgement=True)
    for name, path in [("broken UTF-8", "{{fresh}}%ff%fe"), ("encoded surrogate", "{{fresh}}%ed%a0%80")]:
        yield case(f"path: {name}", "PUT", "/v1/users/" + path, [400, 404], {"first_name": "x"}, judgement=True)
