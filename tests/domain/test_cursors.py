"""app/domain/cursors.py: cursors of events."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain import cursors, dates, ids

positions = st.tuples(st.integers(dates.FIRST, dates.LAST), st.from_regex(ids.PATTERN[1:-1], fullmatch=True))


@given(positions)
def test_a_cursor_is_the_position_it_was_made_of(position):
    cursor = cursors.of_event(*position)
    assert cursors.is_event_cursor(cursor) and cursors.event_position(cursor) == position


@given(positions, positions)
def test_cursors_sort_as_their_events_do(one, other):
    assert (cursors.of_event(*one) < cursors.of_event(*other)) == (one < other)


@given(st.text())
def test_any_other_text_is_no_cursor(text):
    assert not cursors.is_event_cursor(text)
