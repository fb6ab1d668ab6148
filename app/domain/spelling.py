"""Edit distance: find the known name that was probably meant."""

import difflib
from collections.abc import Iterable

_ALIKE = 0.6  # of difflib's ratio; less and the two have little in common


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names most like this one, several where they are equally like it; never the name itself."""
    others = [one for one in known if one != name]
    likeness = {one: difflib.SequenceMatcher(None, one, name).ratio() for one in others}
    best = max(likeness.values(), default=0.0)
    return [one for one in others if likeness[one] == best >= _ALIKE]


def question(names: Iterable[str]) -> str:
    """Return "Did you mean ...?" of the names, empty where there are none."""
    return f"Did you mean {' or '.join(names)}?" if names else ""


def edits(one: str, other: str) -> int:
    """Return how many characters to put in, take out or replace to make the one name of the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for place, character in enumerate(one, 1):
        above, row = row, [place]
        for index, letter in enumerate(other, 1):
            row.append(min(above[index] + 1, row[-1] + 1, above[index - 1] + (character != letter)))
    return row[-1]
