"""app/strict_json.py: what it takes is what the standard library takes, less what is refused by name."""

import json
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import errors, strict_json

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-strict_json.MAX_INTEGER, strict_json.MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", codec="utf-8"))
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc\n é"), inner), max_leaves=8
)

LONG_BODY = [0, strict_json._LONG_BODY]  # where a body begins to be looked at as a long one


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(documents, st.booleans())
def test_a_document_reads_as_itself_unless_it_is_too_deep(document, escaped):
    raw = json.dumps(document, ensure_ascii=escaped).encode()
    if depth(document) > strict_json.MAX_DEPTH:
        with pytest.raises(errors.InvalidBody):
            strict_json.loads(raw)
    else:
        assert strict_json.loads(raw) == document


@given(st.binary())
def test_bytes_are_read_or_refused(raw):
    try:
        json.dumps(strict_json.loads(raw), allow_nan=False)
    except (errors.InvalidBody, errors.InvalidInput):
        pass


def test_the_same_key_twice_is_refused_however_it_is_spelt():
    for raw in (b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b'[{"x":{"a":1,"a":1}}]'):
        with pytest.raises(errors.InvalidBody):
            strict_json.loads(raw)


@pytest.mark.parametrize("long_body", LONG_BODY)
@given(documents, st.data())
def test_what_is_read_quickly_is_read_slowly_to_the_same(long_body, document, data):
    raw = json.dumps(document, ensure_ascii=data.draw(st.booleans())).encode()
    cut = data.draw(st.integers(0, len(raw)))
    odd = data.draw(
        st.sampled_from([b"", b":", b'"', b",", b'"a":1,', b"\\u003a", b"9" * 16, b"[", b"\\ud800", b"-0", b"1e999"])
    )
    raw = raw[:cut] + odd + raw[cut:]
    with mock.patch.object(strict_json, "_LONG_BODY", long_body):
        found = strict_json._load_quickly(raw)
    if found is not strict_json._IN_DOUBT:
        assert repr(found) == repr(strict_json._load(raw))


@pytest.mark.parametrize("number", ["-0.0", "-0", "-0e5", "-0.00E+3", "-1e-400", "-123.4E-999"])
@pytest.mark.parametrize("around", ["[%s]", '{"a":%s}', '{"a": [1,%s]}', '{"a":\n%s }', '{"b":{"c":[[-1,\t%s]]}}'])
def test_minus_zero_is_read_as_zero(number, around):
    assert "-0" not in repr(strict_json.loads((around % number).encode()))


@pytest.mark.parametrize("number", [-0.5, -0.05, -1.0, -10, -5e-324, -1e-7, -0.0001])
def test_other_negative_numbers_are_read_as_they_are(number):
    text = "-0.0 and 2020-01-01T00:00:00-00:00"
    raw = json.dumps({"n": number, "zero": -0.0, "list": [number, text]}).encode()
    assert strict_json.loads(raw) == {"n": number, "zero": 0, "list": [number, text]}


@pytest.mark.parametrize("long_body", LONG_BODY)
@pytest.mark.parametrize("raw", [
    b'{"a":":","a":1}', b'{"a" :1,"a" :2,"b":":"}', b'{"a":1,"a":2,"b":"\\u003a"}', b'{"a":{"b":1},"a":{"c":1}}', b'[18446744073709551616]',
    b'{"a":9007199254740992}', b"9007199254740992", b"-9007199254740992", b"[1,-9007199254740992]", b'{"a":-9007199254740992}', b"[-9007199254740992]", b"[9007199254740992]", b"[1,\n9007199254740992]", b'{"a":\t9007199254740992}', b"[" * 9 + b"]" * 9, b"[" * 9 + b"1" + b"]" * 9, b'{"a":' * 9 + b"{}" + b"}" * 9, b"[" * 300 + b"]" * 300, b"1e999", b'"\\ud800', b"\xef\xbb\xbf{}", b'{"x":[{"k":"a:b","k":"a"}]}',
])  # fmt: skip
def test_what_is_not_strict_is_not_read_quickly(raw, long_body, monkeypatch):
    monkeypatch.setattr(strict_json, "_LONG_BODY", long_body)
    assert strict_json._load_quickly(raw) is strict_json._IN_DOUBT
    with pytest.raises(errors.InvalidBody):
        strict_json.loads(raw)


@pytest.mark.parametrize("long_body", LONG_BODY)
def test_the_common_body_is_read_quickly(long_body, monkeypatch):
    monkeypatch.setattr(strict_json, "_LONG_BODY", long_body)
    body = {
        "data": [{"type": "update", "id": "u1", "created_at": "2020-09-29T14:50:29", "meta": {"é": "a:b", "n": -0.5}}],
        "long": ["x9007199254740992", "+9007199254740992", 4.5],
        "deep": [[[[[[[], {}, 1]]]]]],
        "texts": [
            "[{[{[{[{[{",
            "a:4bf92f3577b34da6a3ce929d0e0e4736",
            "IBAN: PL61109010140000071219812874",
            "成立于1998年，2003年上市，2010年营业额达5000万元",
        ],
    }
    for escaped in (True, False):
        assert strict_json._load_quickly(json.dumps(body, ensure_ascii=escaped).encode()) == body
