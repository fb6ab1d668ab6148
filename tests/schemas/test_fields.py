"""The field rules of engage.md section 3, as properties."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from app.domain import uids
from app.domain.contacts import key_of_number
from app.schemas.fields import Email, Flag, Flat, PhoneNumber, Scalar, TimeZone, Uid

PATTERN = re.compile(uids.PATTERN.replace("$", r"\Z"))  # in JSON Schema $ is the very end
punctuation = st.text(" .-()", max_size=2)
json_values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()) | st.just({})
)


def loads(field, value):
    """Whether the field takes the value."""
    try:
        field.deserialize(value)
    except ValidationError:
        return False
    return True


@given(st.booleans(), st.lists(st.tuples(st.sampled_from("0123456789"), punctuation), min_size=1, max_size=24))
def test_a_number_is_5_to_20_digits_however_they_are_set_apart(plus, parts):
    text = ("+" if plus else "") + "".join(digit + between for digit, between in parts)
    assert loads(PhoneNumber(), text) == (5 <= len(parts) <= 20)
    assert key_of_number(text) == "".join(digit for digit, _ in parts)


@given(st.text(max_size=30))
def test_a_number_that_is_taken_has_nothing_else_in_it(text):
    if loads(PhoneNumber(), text):
        assert re.fullmatch(r"\+?[0-9 .()-]*", text, re.ASCII) and 5 <= len(key_of_number(text)) <= 20


@given(st.integers(-(10**25), 10**25))
def test_a_number_may_be_a_json_integer(number):
    assert loads(PhoneNumber(), number) == (10**4 <= number < 10**20)


@given(
    json_values.filter(
        lambda value: not isinstance(value, str | int) and not (isinstance(value, float) and value.is_integer())
    )
)
def test_a_number_is_nothing_else(value):
    assert not loads(PhoneNumber(), value)


@given(st.text(min_size=1, max_size=300))
def test_a_uid_has_no_slash_no_controls_and_nothing_unseen_at_its_ends(text):
    sound = (
        len(text) <= 255
        and text == text.strip()
        and not any(_is_invisible(character) for character in (text[0], text[-1]))
        and text not in (".", "..")
        and not any(character == "/" or ord(character) < 32 or 127 <= ord(character) < 160 for character in text)
    )
    assert uids.is_valid(text) == sound == loads(Uid(), text) == bool(PATTERN.search(text))


def _is_invisible(character):
    """Whether it is ignorable by default (UAX 44): what Python knows of that property."""
    return re.fullmatch(rf"[{uids._INVISIBLE}]", character) is not None


# Of General_Category Cf these are seen, or stand for an annotation: the property Default_Ignorable_Code_Point lacks them.
SEEN = {
    *range(0x600, 0x606),
    0x6DD,
    0x70F,
    0x890,
    0x891,
    0x8E2,
    0xFFF9,
    0xFFFA,
    0xFFFB,
    0x110BD,
    0x110CD,
    *range(0x13430, 0x13440),
}


def test_invisible_are_all_format_characters_but_those_that_are_seen():
    formats = {code for code in range(0x110000) if unicodedata.category(chr(code)) == "Cf"}
    assert {code for code in formats if not _is_invisible(chr(code))} <= SEEN


@given(st.text())
def test_a_plain_uid_is_ascii_letters_and_digits(text):
    assert uids.is_plain(text) == bool(1 <= len(text) <= 255 and text.isascii() and text.isalnum())
    assert not uids.is_plain(text) or uids.is_valid(text)


@given(st.emails().filter(lambda email: len(email) <= 254 and len(email.rpartition("@")[0]) <= 64))
def test_an_email_of_the_common_form_is_taken_as_it_is(email):
    if '"' not in email and "[" not in email:
        assert Email().deserialize(email) == email


@given(st.text())
def test_an_email_that_is_taken_is_ascii_with_one_at(text):
    if loads(Email(), text):
        assert text.isascii() and text.count("@") == 1 and len(text) <= 254 and not re.search(r"\s", text)


@given(json_values)
def test_a_scalar_is_a_string_number_or_boolean(value):
    assert loads(Scalar(required=True), value) == isinstance(value, str | int | float)


@given(json_values)
def test_a_flag_is_true_or_false(value):
    assert loads(Flag(), value) == isinstance(value, bool)


@given(st.dictionaries(st.text(max_size=6), st.text(max_size=4) | st.integers() | st.none(), max_size=5))
def test_a_flat_object_is_taken_when_every_entry_is_sound_and_else_names_the_bad_ones(value):
    wrong = {
        key
        for key, item in value.items()
        if not 1 <= len(key) <= 4 or item is None or (isinstance(item, str) and len(item.encode()) > 3)
    }
    field = Flat(max_keys=3, max_key=4, max_value=3)
    if len(value) > 3:
        assert not loads(field, value)
    elif wrong:
        with pytest.raises(ValidationError) as refused:
            field.deserialize(value)
        assert set(refused.value.messages) == {key[:4] for key in wrong}
    else:
        assert field.deserialize(value) == value


@given(st.text())
def test_a_time_zone_is_never_a_way_into_the_file_system(text):
    if loads(TimeZone(), text):
        assert not text.startswith("/") and ".." not in text and "\x00" not in text and text.isascii()
