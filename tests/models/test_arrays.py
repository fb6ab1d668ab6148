"""Rows as COPY reads them: whatever the texts hold, they come back as they were."""

import re

from hypothesis import given
from hypothesis import strategies as st

from app.models.stores.arrays import copied

_TEXTS = st.text(st.sampled_from(["a", "é", "\t", "\n", "\r", "\\", "N", "😀", " "]), max_size=4)
_UNESCAPED = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}


def _read(cell: str) -> str | None:
    return None if cell == "\\N" else re.sub(r"\\.", lambda found: _UNESCAPED[found[0]], cell)


@given(st.lists(st.tuples(_TEXTS, _TEXTS | st.none(), st.just("b")), min_size=1, max_size=3))
def test_rows_come_back_as_they_were(rows):
    written = copied(list(zip(*rows, strict=True))).decode()
    assert [tuple(map(_read, line.split("\t"))) for line in written.split("\n")] == rows


def test_plain_rows_and_numbers_are_only_joined():
    assert copied([["Ada", "Grace"], [1, 2], ["", "x"]]) == b"Ada\t1\t\nGrace\t2\tx"
