"""app/domain/spelling.py: which names are near, and that none is itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import spelling

words = st.text("abc", max_size=6)


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("THREAD", "THREADS", 1), ("TRHEADS", "THREADS", 2), ("abc", "abc", 0)],
)  # fmt: skip
def test_edits_are_counted(one, other, count):
    assert spelling.edits(one, other) == spelling.edits(other, one) == count


@given(words, words, words)
def test_edits_are_a_distance(one, other, third):
    assert (spelling.edits(one, other) == 0) == (one == other)
    assert spelling.edits(one, third) <= spelling.edits(one, other) + spelling.edits(other, third)


@given(words, st.lists(words, unique=True))
def test_a_name_is_never_near_itself(name, known):
    assert name not in spelling.nearest(name, known)
    assert set(spelling.nearest(name, known)) <= set(known)


def test_names_that_are_equally_near_are_all_named():
    assert spelling.nearest("created_from", ["limit", "created_since", "created_until"]) == [
        "created_since",
        "created_until",
    ]
    assert spelling.nearest("emial", ["email", "limit"]) == ["email"]
    assert spelling.nearest("zzz", ["email", "limit"]) == []
    assert spelling.question(["a", "b"]) == "Did you mean a or b?" and spelling.question([]) == ""
