"""The fields of a user."""

from tests.hostile.cases.build import accept, case, create, step, update


def email():
    for name, value in [
        ("no at", "nope"), ("header injection", "a@b.co\r\nBcc: x@y.z"), ("NUL", "a\x00@b.co"), ("empty", ""),
        ("255 characters", "a" * 243 + "@example.com"), ("30000 hyphens", "a@" + "-" * 30000),
        ("5000 labels", "a@" + "a." * 5000 + "co"), ("quoted backslashes", '"' + '\\"' * 9000 + "@b.co"),
        ("script tag", "<script>@b.co"), ("display name", "Bob <a@b.co>"), ("two addresses", "a@b.co,c@d.co"),
        ("leading dot", ".a@b.co"), ("two at signs", "a@b@c.co"), ("inner space", "a b@c.co"),
        ("65 characters before the at", "a" * 65 + "@b.co"),
        ("integer", 5), ("list", ["a@b.co"]), ("object", {"$ne": ""}), ("true", True),
    ]:
        yield create(f"email: {name}", 400, {"email": value})
    yield create("email: letter outside ASCII before the at", 400, {"email": "m\u0131ke@example.org"}, judgement=True,
                 note="a dotless i compares equal to i in some case foldings")
    yield create("email: address literal", 400, {"email": "a@[127.0.0.1]"}, judgement=True)
    yield create("email: 100 kB", 413, {"email": "a" * 100000 + "@b.co"})
    yield accept("email: plus tag", {"email": "a.b+c@sub.example.co.uk"})
    yield accept("email: 254 characters", {"email": "a" * 64 + "@" + ".".join(["b" * 63, "c" * 63, "d" * 57, "com"])})
    yield accept("email: capitals stay", {"email": "Ada.Love@Example.COM"})
    yield accept("email: shared with another user", {"email": "{{user}}@example.com"})


def names():
    for field in ("first_name", "last_name"):
        for name, value in [("NUL", "a\x00b"), ("256 characters", "a" * 256), ("10001 characters", "a" * 10001),
                            ("object", {"a": 1}), ("list", ["a"])]:
            yield create(f"{field}: {name}", 400, {field: value})
        yield create(f"{field}: lone surrogate", 400, '{"id":"{{fresh}}","%s":"\\udfff"}' % field)
        yield create(f"{field}: integer", 400, {field: 1}, judgement=True)
        yield accept(f"{field}: 255 characters", {field: "a" * 255})
    yield accept("255 characters of 4 bytes", {"first_name": "\U0001f600" * 255})
    yield accept("SQL", {"first_name": "Robert'); DROP TABLE users;--"})
    yield accept("HTML", {"first_name": "<img src=x onerror=alert(1)>"})
    yield accept("emoji and right to left and combining",
                 {"first_name": "\U0001f469\u200d\U0001f4bb \u0639\u0631 e\u0301"})
    yield accept("formula", {"first_name": "=cmd|' /C calc'!A0"})
    yield accept("newline and tab", {"first_name": "a\n\tb"})
    yield accept("format string", {"first_name": "%s %(x)s {0} {x.__class__} ${jndi:ldap://x}"})


def numbers():
    for name, value in [
        ("letters", "call me"), ("100 digits", "+" + "1" * 100), ("4 digits", "1234"), ("21 digits", "1" * 21),
        ("plus alone", "+"), ("two plus signs", "++12345678"), ("inner plus", "1234+5678"), ("extension", "12345678x9"),
        ("NUL", "12345\x00678"), ("newline", "12345\n678"), ("object", {}), ("true", True), ("empty", ""),
        ("short float", 1.5),
    ]:
        yield create(f"number: {name}", 400, {"number": value})
    yield create("number: Arabic digits", 400, {"number": "+" + "\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668"},
                 judgement=True)
    yield accept("number: 5 digits", {"number": "12345"})
    yield accept("number: 20 digits", {"number": "+" + "1" * 20})
    yield accept("number: punctuation stays", {"number": "+1 (555) 555-12.34"})
    yield accept("number: a JSON number becomes a string", {"number": 2348012345678}, reads={"number": "2348012345678"})


def dates():
    for name, value in [
        ("garbage", "garbage"), ("object", {"$date": 1}), ("list", [2020]), ("true", True), ("1e308", 1e308),
        ("30 February", "2026-02-30T00:00:00Z"), ("leap second", "2016-12-31T23:59:60Z"),
        ("24 o'clock", "2026-01-01T24:00:00Z"), ("year 10000", "10000-01-01T00:00:00Z"),
        ("offset 99:99", "2026-01-01T00:00:00+99:99"), ("year 10000 in UTC", "9999-12-31T23:59:59-14:00"),
        ("year 0 in UTC", "0001-01-01T00:00:00+14:00"), ("year 9999", "9999-12-31T23:59:59Z"),
        ("Arabic digits", "\u0662\u0660\u0662\u0664-01-01T00:00:00Z"), ("week date", "2026-W01-1"), ("empty", ""),
        ("last moment of 1899", "1899-12-31T23:59:59.999Z"), ("1899 in UTC", "1900-01-01T00:00:00+01:00"),
        ("2200", "2200-01-01T00:00:00Z"), ("2200 in UTC", "2199-12-31T23:30:00-01:00"), ("NUL", "2020-08-11\x00"),
        ("milliseconds of year 10000", 253402300800000), ("far below zero", -(10**15)),
        ("trailing text", "2020-08-11T00:00:00Z; x"),
    ]:
        yield create(f"created_at: {name}", 400, {"created_at": value})
    for name, value, shown in [
        ("date only", "2020-08-11", "2020-08-11T00:00:00.000+00:00"),
        ("offset", "2020-09-29T14:50:29.907+05:30", "2020-09-29T09:20:29.907+00:00"),
        ("offset without colon", "2020-09-29T14:50:29.907+0530", "2020-09-29T09:20:29.907+00:00"),
        ("no zone is UTC", "2020-09-29T14:50:29", "2020-09-29T14:50:29.000+00:00"),
        ("nanoseconds are cut", "2026-01-01T00:00:00.123999999Z", "2026-01-01T00:00:00.123+00:00"),
        ("gap of summer time", "2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00.000+00:00"),
        ("epoch seconds", 1600000000, "2020-09-13T12:26:40.000+00:00"),
        ("epoch milliseconds", 1600000000123, "2020-09-13T12:26:40.123+00:00"),
        ("first moment", "1900-01-01T00:00:00Z", "1900-01-01T00:00:00.000+00:00"),
        ("last moment", "2199-12-31T23:59:59.999Z", "2199-12-31T23:59:59.999+00:00"),
        ("2200 there and 2199 in UTC", "2200-01-01T00:00:00+01:00", "2199-12-31T23:00:00.000+00:00"),
        ("29 February", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000+00:00"),
    ]:
        yield accept(f"created_at: {name}", {"created_at": value}, reads={"created_at": shown})


def meta():
    for name, value in [
        ("a list", [1]), ("a string", "x"), ("a number", 3), ("true", True), ("NUL in a value", {"x": "a\x00"}),
        ("NUL in a key", {"a\x00": 1}), ("empty key", {"": 1}), ("key of 129 characters", {"k" * 129: 1}),
        ("key of 1000 characters", {"k" * 1000: 1}), ("nested object", {"a": {"b": 1}}), ("array value", {"a": [1]}),
        ("empty object as a value", {"a": {}}), ("null value", {"a": None}), ("value of 4097 bytes", {"x": "z" * 4097}),
        ("value of 20 kB", {"x": "z" * 20000}), ("301 keys", {f"k{i}": 1 for i in range(301)}),
        ("one bad among 50", {**{f"k{i}": "v" for i in range(50)}, "k25": ["x"]}),
    ]:
        yield create(f"meta: {name}", 400, {"meta": value})
    yield create("meta: lone surrogate in a value", 400, '{"id":"{{fresh}}","meta":{"x":"\\ud800"}}')
    yield create("meta: lone surrogate in a key", 400, '{"id":"{{fresh}}","meta":{"\\ud800":1}}')
    yield create("meta: 50000 keys", 413, {"meta": {f"k{i}": 1 for i in range(50000)}})
    yield create("meta: 4096 characters of 2 bytes", 400, {"meta": {"x": "é" * 4096}}, judgement=True,
                 note="the limit of 4 KiB counts bytes")
    full = step("PUT", "/v1/users/{{fresh}}", {"meta": {f"k{i}": 1 for i in range(300)}})
    yield case("meta: key 301 in a second request", "PUT", "/v1/users/{{fresh}}", 400, {"meta": {"more": 1}},
               before=[full], note="the limit counts the keys after the merge")
    yield case("meta: key 301 in a second request with POST", "POST", "/v1/users", 400,
               {"id": "{{fresh}}", "meta": {"more": 1}}, before=[full])
    yield case("meta: a known key when 300 are there", "PUT", "/v1/users/{{fresh}}", 200, {"meta": {"k7": 2}},
               before=[full], stored=True)
    yield update("meta: null", 400, {"meta": None}, judgement=True, note="must not wipe what is there")
    yield update("meta: null value on update", 400, {"meta": {"plan": None}})
    yield update("meta: nested on update", 400, {"meta": {"plan": {"a": 1}}})
    yield update("meta: an empty list merges nothing", 200, {"meta": []})
    yield update("meta: other keys stay", 200, {"meta": {"new": "x"}}, stored=True,
                 expect={"reads": {"{{user}}": {"meta": {"plan": "prosecret1", "new": "x"}}}})
    yield accept("meta: 300 keys", {"meta": {f"k{i}": 1 for i in range(300)}})
    yield accept("meta: key of 128 characters", {"meta": {"k" * 128: 1}})
    yield accept("meta: value of 4096 bytes", {"meta": {"x": "z" * 4096}})
    yield accept("meta: property names of JavaScript", {"meta": {"__proto__": "x", "constructor": 1}})
    yield accept("meta: largest integers", {"meta": {"x": 2**53 - 1, "y": -(2**53) + 1}})
    yield accept("meta: small floats", {"meta": {"x": 1e-7, "y": 0.1, "z": -2.5e-300}})
    yield accept("meta: large float", {"meta": {"x": 1e300}}, note="what was read can be sent back: no 301 digits")
    yield accept("meta: false and empty string and zero", {"meta": {"a": False, "b": "", "c": 0, "d": True}})
    yield accept("meta: dots and dollars in keys", {"meta": {"a.b": 1, "$set": "x", "a[0]": "y"}})
    yield accept("meta: an empty list at creation", {"meta": []}, reads={"meta": {}})
    yield accept("meta: a key named email", {"meta": {"email": "x@example.net"}}, reads={"email": None})


def devices():
    for name, fields in [
        ("token of 4097 characters", {"device_token": "x" * 4097, "device_platform": "ios"}),
        ("token of 10 kB", {"device_token": "x" * 10000, "device_platform": "ios"}),
        ("token with NUL", {"device_token": "t\x00", "device_platform": "ios"}),
        ("token is an object", {"device_token": {}, "device_platform": "ios"}),
        ("unknown platform", {"device_token": "{{fresh}}", "device_platform": "symbian"}),
        ("platform is a list", {"device_token": "{{fresh}}", "device_platform": ["ios"]}),
        ("platform in capitals", {"device_token": "{{fresh}}", "device_platform": "IOS"}),
        ("platform without a token", {"device_platform": "ios"}),
    ]:
        yield create(name, 400, fields)
    yield create("empty token", 400, {"device_token": "", "device_platform": "ios"}, judgement=True)
    shown = {"devices": [{"token": "{{fresh}}", "platform": None}]}
    yield accept("token without a platform", {"device_token": "{{fresh}}"}, reads=shown)
    long = "{{fresh}}" + "x" * 4080
    yield accept("token of 4096 characters", {"device_token": long, "device_platform": "ios"},
                 reads={"devices": [{"token": long, "platform": "ios"}]})
    yield create("token of another user leaves that user", 200,
                 {"device_token": "{{token}}", "device_platform": "ios"}, stored=True,
                 expect={"reads": {"{{user}}": {"devices": []}}})
    yield create("token of a user of another workspace stays there", 200,
                 {"device_token": "{{token_b}}", "device_platform": "ios"}, stored=True)
    yield case("six tokens keep the last five", "PUT", "/v1/users/{{fresh}}", 200, {"device_token": "{{fresh}}6"},
               before=[step("PUT", "/v1/users/{{fresh}}", {"device_token": "{{fresh}}%d" % i}) for i in range(1, 6)],
               stored=True, expect={"reads": {"{{fresh}}": {"devices": [
                   {"token": "{{fresh}}%d" % i, "platform": None} for i in range(2, 7)]}}})
    yield case("delete a token with brackets", "DELETE", "/v1/users/{{fresh}}/tokens/ExponentPushToken%5B{{fresh}}%5D",
               200, before=[step("PUT", "/v1/users/{{fresh}}", {"device_token": "ExponentPushToken[{{fresh}}]"})],
               stored=True, expect={"reads": {"{{fresh}}": {"devices": []}}})


def client_fields():
    """tz, app_version, app_build and app_last_active: taken, kept, not shown."""
    for name, fields in [
        ("tz: path", {"tz": "../../etc/passwd"}), ("tz: leading slash", {"tz": "/etc/localtime"}),
        ("tz: 65 characters", {"tz": "a" * 65}), ("tz: space", {"tz": "Europe Berlin"}),
        ("tz: NUL", {"tz": "UTC\x00"}), ("tz: object", {"tz": {}}), ("tz: newline", {"tz": "UTC\n"}),
        ("tz: letter outside ASCII", {"tz": "Europe/Z\u00fcrich"}),
        ("app_version: 65 characters", {"app_version": "1" * 65}), ("app_version: NUL", {"app_version": "1\x00"}),
        ("app_build: 65 characters", {"app_build": "1" * 65}),
        ("app_last_active: garbage", {"app_last_active": "yesterday"}),
        ("app_last_active: year 10000 in UTC", {"app_last_active": "9999-12-31T23:59:59-14:00"}),
    ]:
        yield create(name, 400, fields)
    for zone in ("Africa/Lagos", "Etc/GMT+5", "GMT+05:30", "Mars/Olympus", "a" * 64):
        yield create(f"tz: {zone[:16]} is taken", 200, {"tz": zone}, stored=True)
    yield create("all four are taken", 200, {"tz": "UTC", "app_version": "1" * 64, "app_build": "2" * 64,
                                             "app_last_active": "2026-01-01T00:00:00Z"}, stored=True)


def references():
    """Lists and accounts named in a user, and is_account."""
    for name, fields in [
        ("lists: a string", {"lists": "abc"}), ("lists: an object", {"lists": {"a": 1}}),
        ("lists: null inside", {"lists": [None]}), ("lists: integer inside", {"lists": [1]}),
        ("lists: object inside", {"lists": [{"id": "{{list}}"}]}),
        ("lists: 1001 ids", {"lists": ["x"] * 1001}), ("lists: unknown", {"lists": ["f" * 24]}),
        ("lists: one good and one unknown", {"lists": ["{{list}}", "f" * 24]}),
        ("lists: archived", {"lists": ["{{list_archived}}"]}),
        ("lists: of another workspace", {"lists": ["{{list_b}}"]}),
        ("accounts: a string", {"accounts": "acme"}), ("accounts: null inside", {"accounts": [None]}),
        ("accounts: no id", {"accounts": [{"role": "x"}]}), ("accounts: id is an object", {"accounts": [{"id": {}}]}),
        ("accounts: role is an object", {"accounts": [{"id": "{{account}}", "role": {}}]}),
        ("is_account: an object", {"is_account": {}}), ("is_account: a word", {"is_account": "maybe"}),
    ]:
        yield create(name, 400, fields)
    for name, uid in [("unknown", "{{fresh2}}"), ("of another workspace", "{{user_b}}"), ("itself", "{{fresh}}")]:
        yield create(f"accounts: {name}", [400, 404], {"accounts": [{"id": uid}]}, judgement=True,
                     note="nothing is stored, whichever of the two")
    yield update("lists of another workspace on update", 400, {"lists": ["{{list_b}}"]})
    yield update("archived list on update", 400, {"first_name": "x", "lists": ["{{list_archived}}"]})
