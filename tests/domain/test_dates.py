"""app/domain/dates.py: what is a date and what is not (engage.md section 3)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import dates

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.integers(dates.FIRST, dates.LAST)


@given(moments)
def test_what_is_rendered_parses_to_itself(milliseconds):
    assert dates.parse(dates.render(milliseconds)) == milliseconds
    assert dates.parse(dates.render_zulu(milliseconds)) == milliseconds
    assert dates.render(milliseconds) == (EPOCH + timedelta(milliseconds=milliseconds)).isoformat(
        timespec="milliseconds"
    )


@given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30)), st.integers(-23 * 60 - 59, 23 * 60 + 59))
def test_every_offset_is_taken_off(moment, minutes):
    local = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (local - EPOCH) // timedelta(milliseconds=1)
    assert dates.parse(local.isoformat()) == expected
    assert dates.parse(local.isoformat(timespec="microseconds")[:-3] + local.isoformat()[-2:]) == expected


@given(moments)
def test_numbers_are_seconds_or_milliseconds(milliseconds):
    if abs(milliseconds) >= 100_000_000_000:
        assert dates.parse(milliseconds) == milliseconds
    assert dates.parse(milliseconds // 1000) == milliseconds // 1000 * 1000


@given(st.text() | st.floats() | st.integers() | st.booleans() | st.none() | st.lists(st.integers()))
def test_anything_else_is_refused_with_a_sentence(value):
    try:
        assert dates.FIRST <= dates.parse(value) <= dates.LAST
    except ValueError as error:
        assert str(error).startswith("Must ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2020-08-11", "2020-08-11T00:00:00.000"), ("2020-09-29T14:50", "2020-09-29T14:50:00.000"),
        ("2020-09-29 14:50:29", "2020-09-29T14:50:29.000"), ("2026-01-01T00:00:00.123999999Z", "2026-01-01T00:00:00.123"),
        ("2020-09-29T14:50:29.9+0530", "2020-09-29T09:20:29.900"), ("2020-09-29T14:50:29+05", "2020-09-29T09:50:29.000"),
        ("2200-01-01T00:00:00+01:00", "2199-12-31T23:00:00.000"), ("2024-02-29", "2024-02-29T00:00:00.000"),
        (1600000000.5, "2020-09-13T12:26:40.500"), (-1.5, "1969-12-31T23:59:58.500"),
    ],
)  # fmt: skip
def test_the_lenient_forms(text, shown):
    assert dates.render(dates.parse(text)) == f"{shown}+00:00"


def test_a_date_alone_stands_for_its_day_and_any_other_for_a_moment():
    first, last = dates.span("2026-01-31")
    assert (dates.render_zulu(first), dates.render_zulu(last)) == (
        "2026-01-31T00:00:00.000Z",
        "2026-01-31T23:59:59.999Z",
    )
    assert dates.span("2026-01-31T00:00+00") == (first, first) and dates.span("2199-12-31")[1] == dates.LAST
    assert dates.span("2026-02-30") is None


@pytest.mark.parametrize(
    "text",
    ["", "garbage", "2026-02-30", "2016-12-31T23:59:60Z", "2026-01-01T24:00:00Z", "2026-W01-1", "10000-01-01", "20200811",
     "2026-01-01T00:00:00+99:99", "2026-01-01T00:00:00+00:60", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
     "1900-01-01T00:00:00+01:00", "\u0662\u0660\u0662\u0664-01-01", "2020-08-11\x00", "2020-08-11T00:00:00Z; x", True,
     None, {}, [2020], 1e308, float("nan"), 253402300800000, -(10**15), "2020-08-11T" + "0" * 1000],
)  # fmt: skip
def test_no_dates(text):
    with pytest.raises(ValueError, match="Must "):
        dates.parse(text)
