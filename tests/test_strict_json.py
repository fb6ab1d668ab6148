"""app/strict_json.py: what it takes is what the standard library takes, less what is refused by name."""

import json

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
