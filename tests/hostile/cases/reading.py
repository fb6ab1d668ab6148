"""Pages of users and lists, and events."""

import base64

from tests.hostile.cases.build import OK, case, step


def paging():
    for name, value in [
        ("0", "0"), ("minus 1", "-1"), ("letters", "abc"), ("31", "31"), ("1e9", "1000000000"),
        ("2^63", str(2**63)), ("2^200", str(2**200)), ("3000 digits", "9" * 3000), ("NUL", "1%00"), ("1_0", "1_0"),
        ("hexadecimal", "0x10"),
    ]:
        yield case(f"limit: {name}", "GET", f"/v1/users?limit={value}", 400)
    for name, value in [("empty", ""), ("1.5", "1.5"), ("1e1", "1e1"), ("plus sign", "%2B1"),
                        ("Arabic digit", "%D9%A1")]:
        yield case(f"limit: {name}", "GET", f"/v1/users?limit={value}", 400, judgement=True)
    yield case("limit: given twice", "GET", "/v1/users?limit=1&limit=1000000", [200, 400], judgement=True,
               expect={"rows_max": 30})
    yield case("limit: none means 10", "GET", "/v1/users", 200, expect={"rows_max": 10})
    yield case("limit: 1", "GET", "/v1/users?limit=1", 200, expect={"rows_max": 1})
    yield case("limit: 30 beside a misspelt filter", "GET", "/v1/users?limit=30&emial=a@b.co", 400, judgement=True,
               note="changed from 200: a misspelt filter is refused (docs/decisions.md)")
    for name, query in [
        ("garbage", "next_cursor=zzz"), ("2^63", f"next_cursor={2**63}"), ("minus 1", "next_cursor=-1"),
        ("empty", "next_cursor="), ("23 digits", "next_cursor=" + "a" * 23), ("25 digits", "next_cursor=" + "a" * 25),
        ("24 letters that are not hexadecimal", "next_cursor=" + "g" * 24), ("3 kB", "next_cursor=" + "A" * 3000),
        ("SQL", "next_cursor=1'%20OR%20'1'='1"), ("NUL", "next_cursor=%00"), ("broken UTF-8", "next_cursor=%ff"),
        ("JSON in base64", "next_cursor=" + base64.urlsafe_b64encode(b'{"ws":2,"id":1}').decode()),
        ("24 digits and a newline", "next_cursor=" + "a" * 24 + "%0A"), ("previous is garbage", "previous_cursor=zzz"),
        ("both are garbage", "next_cursor=a&previous_cursor=b"),
        ("both are well formed", f"next_cursor={'0' * 24}&previous_cursor={'f' * 24}"),
        ("after_id is garbage", "after_id=zzz"), ("before_id is garbage", "before_id=%00"),
    ]:
        yield case(f"cursor: {name}", "GET", "/v1/users?" + query, 400)
    yield case("cursor: before all", "GET", "/v1/users?limit=30&next_cursor=" + "0" * 24, 200, expect={"rows_max": 30})
    yield case("cursor: after all", "GET", "/v1/users?next_cursor=" + "f" * 24, 200, expect={"rows": 0})
    yield case("cursor: after_id past the end", "GET", "/v1/users?after_id=" + "f" * 24, 200,
               expect={"rows": 0, "reply_has": {"has_more": False}, "lacks": ["next_cursor"]})
    yield case("filter: email in other capitals", "GET", "/v1/users?email={{user}}@EXAMPLE.com", 200,
               expect={"rows": 1, "reply_keys": ["data"]})
    yield case("filter: wildcard in the email", "GET", "/v1/users?email=%25@example.com", [200, 400], judgement=True,
               expect={"rows_max": 0})
    yield case("filter: NUL in the email", "GET", "/v1/users?email=%00", [200, 400], judgement=True,
               expect={"rows_max": 0})
    yield case("filter: email with the public key", "GET", "/v1/users?email={{user}}@example.com", 403,
               credential="public")
    for name, path in [("lists", "/v1/lists"), ("members", "/v1/users/{{account}}/members")]:
        yield case(f"{name}: limit 31", "GET", path + "?limit=31", 400)
        yield case(f"{name}: limit 0", "GET", path + "?limit=0", 400)
        yield case(f"{name}: cursor garbage", "GET", path + "?next_cursor=zzz", 400)


def events():
    for name, body in [
        ("event: empty", {"event": ""}), ("event: 256 characters", {"event": "e" * 256}),
        ("event: 10000 characters", {"event": "e" * 10000}), ("event: NUL", {"event": "a\x00"}),
        ("event: integer", {"event": 1}), ("event: null", {"event": None}), ("event: missing", {"value": 1}),
        ("event: lone surrogate", '{"event":"\\ud800"}'), ("value: NaN", '{"event":"e","value":NaN}'),
        ("value: 1e999", '{"event":"e","value":1e999}'),
        ("value: 400 digits", '{"event":"e","value":%s}' % ("9" * 400)),
        ("value: object", {"event": "e", "value": {"a": 1}}), ("value: list", {"event": "e", "value": [1]}),
        ("value: NUL", {"event": "e", "value": "a\x00"}), ("properties: a list", {"event": "e", "properties": [1]}),
        ("properties: a string", {"event": "e", "properties": "x"}),
        ("properties: NUL in a value", {"event": "e", "properties": {"a": "\x00"}}),
        ("properties: NUL in a key", {"event": "e", "properties": {"\x00": 1}}),
        ("properties: an empty key", {"event": "e", "properties": {"": 1}}),
        ("properties: a key of 129 characters", {"event": "e", "properties": {"k" * 129: 1}}),
        ("properties: nested", {"event": "e", "properties": {"a": {"b": 1}}}),
        ("properties: list as a value", {"event": "e", "properties": {"a": [1]}}),
        ("properties: 20 levels", '{"event":"e","properties":{"a":%s%s}}' % ("[" * 20, "]" * 20)),
        ("properties: 101 keys", {"event": "e", "properties": {f"k{i}": i for i in range(101)}}),
        ("timestamp: 1e308", {"event": "e", "timestamp": 1e308}),
        ("timestamp: garbage", {"event": "e", "timestamp": "x"}),
        ("timestamp: year 10000 in UTC", {"event": "e", "timestamp": "9999-12-31T23:59:59-10:00"}),
        ("timestamp: 2099", {"event": "e", "timestamp": "2099-01-01T00:00:00Z"}),
        ("timestamp: 25 hours ahead", {"event": "e", "timestamp": "{{now+25h}}"}),
        ("timestamp: 1899", {"event": "e", "timestamp": "1899-12-31T23:59:59Z"}),
        ("timestamp: 30 February", {"event": "e", "timestamp": "2026-02-30"}),
        ("timestamp: true", {"event": "e", "timestamp": True}),
    ]:
        yield case(name, "POST", "/v1/users/{{user}}/events", 400, body, credential="public")
    for name, body in [
        ("value true", {"event": "loggedin", "value": True}), ("value nan as text", {"event": "e", "value": "nan"}),
        ("value 0", {"event": "e", "value": 0}), ("event of 255 characters", {"event": "e" * 255}),
        ("100 properties", {"event": "e", "properties": {f"k{i}": i for i in range(100)}}),
        ("all kinds of properties", {"event": "e", "properties": {"a": 1.5, "b": "x", "c": False}}),
        ("23 hours ahead", {"event": "e", "timestamp": "{{now+23h}}"}),
        ("date only", {"event": "e", "timestamp": "2020-08-11"}),
        ("epoch milliseconds", {"event": "e", "timestamp": 1600000000123}),
        ("unknown keys", {"event": "e", "source": "x", "date": "y"}),
    ]:
        yield case(f"taken: {name}", "POST", "/v1/users/{{user}}/events", 200, body, credential="public", stored=True,
                   expect={"reply": OK})
    yield case("an unknown uid makes a bare user", "POST", "/v1/users/{{fresh}}/events", 200, {"event": "e"},
               credential="public", stored=True,
               expect={"reply": OK, "reads": {"{{fresh}}": {"uid": "{{fresh}}", "email": None, "meta": {}}}})
    yield case("a bad event for an unknown uid makes nobody", "POST", "/v1/users/{{fresh}}/events", 400, {"event": ""},
               credential="public", expect={"absent": ["{{fresh}}"]})
    yield case("an archived user takes no event", "POST", "/v1/users/{{user}}/events", 200, {"event": "e"},
               credential="public", before=[step("POST", "/v1/users/{{user}}/archive")],
               expect={"reply": OK, "reads": {"{{user}}": {"archived": True, "last_interaction": None}}})
    for name, path in [("NUL", "{{fresh}}%00b"), ("256 characters", "{{fresh}}" + "a" * 240),
                       ("leading space", "%20{{fresh}}"), ("slash", "{{fresh}}%2Fb")]:
        yield case(f"uid that nobody can have: {name}", "POST", f"/v1/users/{path}/events", [400, 404], {"event": "e"},
                   credential="public", judgement=True)
