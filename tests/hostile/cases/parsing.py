"""How a body is read."""

import gzip

from tests.hostile.cases.build import case, create


def parsing():
    for name, body in [
        ("empty body", ""), ("white space only", "   \n"), ("null", "null"), ("an array", "[]"),
        ("a string", '"x"'), ("a number", "1"), ("true", "true"),
        ("trailing comma", '{"id":"{{fresh}}",}'), ("trailing garbage", '{"id":"{{fresh}}"} x'),
        ("two documents", '{"id":"{{fresh}}"}{"id":"{{fresh2}}"}'), ("single quotes", "{'id':'{{fresh}}'}"),
        ("a comment", '{"id":"{{fresh}}"/*x*/}'), ("not closed", '{"id":"{{fresh}}"'),
    ]:
        yield create(f"body: {name}", 400, body)
    for name, codec in [("UTF-16 with mark", "utf-16"), ("UTF-32", "utf-32"), ("UTF-8 with mark", "utf-8-sig")]:
        yield create(f"encoding: {name}", 400, '{"id":"{{fresh}}"}', encoding=codec)
    for name, body in [
        ("latin-1 byte", b'{"id":"{{fresh}}","first_name":"\xe9"}'),
        ("overlong UTF-8", b'{"id":"{{fresh}}","first_name":"\xc0\xaf"}'),
        ("surrogate in UTF-8", b'{"id":"{{fresh}}","first_name":"\xed\xa0\x80"}'),
        ("raw NUL in a string", b'{"id":"{{fresh}}","first_name":"a\x00b"}'),
        ("raw newline in a string", b'{"id":"{{fresh}}","first_name":"a\nb"}'),
    ]:
        yield create(f"encoding: {name}", 400, body)
    for name, body in [
        ("id", '{"id":"{{fresh}}","id":"{{fresh2}}"}'),
        ("email", '{"id":"{{fresh}}","email":"a@example.com","email":"b@example.com"}'),
        ("inside meta", '{"id":"{{fresh}}","meta":{"a":1,"a":2}}'),
        ("spelt with an escape", '{"id":"{{fresh}}","\\u0069d":"{{fresh2}}"}'),
        ("that is ignored otherwise", '{"id":"{{fresh}}","extra":1,"extra":1}'),
    ]:
        yield create(f"duplicate key: {name}", 400, body)
    for name, number in [
        ("NaN", "NaN"), ("Infinity", "Infinity"), ("minus Infinity", "-Infinity"), ("1e999", "1e999"),
        ("minus 1e999", "-1e999"), ("integer of 5000 digits", "9" * 5000), ("integer of 400 digits", "9" * 400),
        ("2^53", str(2**53)), ("2^53 and 1", str(2**53 + 1)), ("2^63", str(2**63)),
        ("leading zero", "01"), ("plus sign", "+1"), ("hexadecimal", "0x10"),
    ]:
        yield create(f"number: {name}", 400, '{"id":"{{fresh}}","meta":{"x":%s}}' % number)
    yield create("number: minus 2^53", 400, '{"id":"{{fresh}}","meta":{"x":%d}}' % -(2**53), judgement=True)
    for depth in (50, 990, 20000):
        yield create(f"arrays {depth} deep", 400, '{"id":"{{fresh}}","meta":{"a":%s%s}}' % ("[" * depth, "]" * depth))
    yield create("objects 5000 deep", 400, '{"id":"{{fresh}}","meta":' + '{"a":' * 5000 + "1" + "}" * 5001)
    yield create("10 levels in an ignored key", 400, '{"id":"{{fresh}}","extra":%s%s}' % ("[" * 9, "]" * 9))
    yield create("8 levels in an ignored key", 200, '{"id":"{{fresh}}","extra":%s%s}' % ("[" * 7, "]" * 7),
                 stored=True)
    yield create("one byte over 64 KiB", 413, '{"id":"{{fresh}}","extra":"{{pad_to_65537}}"}')
    yield create("64 KiB exactly", 200, '{"id":"{{fresh}}","extra":"{{pad_to_65536}}"}', stored=True)
    yield create("200 kB", 413, {"first_name": "a" * 200000})
    yield create("200 kB in chunks", 413, {"first_name": "a" * 200000}, chunked=True)
    yield create("one byte over 64 KiB in chunks", 413, '{"id":"{{fresh}}","extra":"{{pad_to_65537}}"}', chunked=True)
    yield create("a small body in chunks", 200, {"first_name": "Chunk"}, chunked=True, stored=True)
    yield create("a terabyte announced and 2 bytes sent", 413, "{}", content_length=10**12,
                 note="answered at once, not held until the client gives up")
    yield from _content_types()
    yield from _parsing_elsewhere()


def _content_types():
    for name, value in [
        ("text", "text/plain"), ("form", "application/x-www-form-urlencoded"),
        ("multipart", "multipart/form-data; boundary=x"), ("absent", None), ("vendor", "application/vnd.api+json"),
        ("UTF-7", "application/json; charset=utf-7"), ("nonsense", "///;;;"),
    ]:
        yield create(f"content type: {name}", 200, {"first_name": "x"}, headers=[("Content-Type", value)], stored=True,
                     note="a body is JSON in UTF-8 whatever its Content-Type says")
    yield create("content type: latin-1 announced and UTF-8 sent", 200, '{"id":"{{fresh}}","first_name":"é"}',
                 headers=[("Content-Type", "application/json; charset=iso-8859-1")], stored=True,
                 expect={"reads": {"{{fresh}}": {"first_name": "é"}}})
    yield create("a form instead of JSON", 400, "id={{fresh}}",
                 headers=[("Content-Type", "application/x-www-form-urlencoded")])
    yield create("gzip announced and junk sent", 400, b"\x1f\x8b\x08\x00", headers=[("Content-Encoding", "gzip")],
                 judgement=True)
    bomb = gzip.compress(b'{"id":"gzipbomb","first_name":"' + b"a" * 10_000_000 + b'"}', mtime=0)
    yield create("gzip bomb", [400, 413], bomb, headers=[("Content-Encoding", "gzip")], judgement=True,
                 note="10 kB that unpack to 10 MB")


def _parsing_elsewhere():
    """The same strict reading on every route that takes a body."""
    for name, method, path, fields in [
        ("update", "PUT", "/v1/users/{{user}}", '"first_name":"x"'),
        ("event", "POST", "/v1/users/{{user}}/events", '"event":"e"'),
        ("merge", "POST", "/v1/users/merge", '"source":"{{bare}}","destination":"{{user}}"'),
        ("new list", "POST", "/v1/lists", '"title":"t"'),
        ("subscriber", "POST", "/v1/lists/{{list}}/subscribers", '"email":"{{fresh}}@example.com"'),
        ("batch", "POST", "/v1/batch", '"data":[{"type":"update","id":"{{fresh}}"}]'),
    ]:
        yield case(f"{name}: duplicate key", method, path, 400, "{%s,%s}" % (fields, fields))
        yield case(f"{name}: byte order mark", method, path, 400, "{%s}" % fields, encoding="utf-8-sig")
        yield case(f"{name}: second document", method, path, 400, "{%s}{}" % fields)
        yield case(f"{name}: 10 levels", method, path, 400, "{%s,\"extra\":%s%s}" % (fields, "[" * 9, "]" * 9))
        size = 2**20 + 1 if name == "batch" else 2**16 + 1
        yield case(f"{name}: one byte too long", method, path, 413, '{%s,"extra":"{{pad_to_%d}}"}' % (fields, size))
