"""How a rule is written: a test function under `@rule(...)`, or a row of a table."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from tests.contract.exemptions import able
from tests.contract.lanes import LANES

NEEDED: set[str] = set()  # the words that rules and rows need; test_exemptions.py looks for exemptions of none


def rule(*words: str) -> pytest.MarkDecorator:
    """Run a test over every lane that can say the words; the fixture `lane` is the lane."""
    need(*words)
    return pytest.mark.parametrize("lane", [name for name in LANES if able(name, words)], indirect=True)


def need(*words: str) -> tuple[str, ...]:
    """Note that rules need the words, when their module is imported; return them."""
    NEEDED.update(words)
    return words


def can(lane: Any, *words: str) -> bool:
    """Return True if the lane can say the words, which the module has noted by `need`: for a part of a rule."""
    assert NEEDED.issuperset(words), f"say need{words} at the top of the module"
    return able(lane.name, words)


class Row(NamedTuple):
    """A row of a table: what is sent, what a read shows of it or which field is refused, and the words it needs."""

    sent: Mapping[str, Any]
    expected: Any
    words: tuple[str, ...]


def taken(sent: Mapping[str, Any], shown: Mapping[str, Any] | None = None, *words: str) -> Row:
    """Return a row of fields that are taken. shown: what a read shows of them, as sent if None."""
    return Row(sent, sent if shown is None else shown, need(*_words_of(sent), *words))


def refused(field: str, sent: Mapping[str, Any], *words: str) -> Row:
    """Return a row of fields that are refused, naming one of them."""
    typed = ("json",) if any(not isinstance(one, str | None) for one in _values(sent)) else ()
    return Row(sent, field, need(*(set(_words_of(sent)) - {"typed meta"}), *typed, *words))


def rows_for(lane: Any, rows: Sequence[Row]) -> list[Row]:
    """Return the rows that a lane can say; there must be some."""
    found = [row for row in rows if can(lane, *row.words)]
    assert found, f"{lane.name} can say no row of the table"
    return found


def _words_of(sent: Mapping[str, Any]) -> list[str]:
    """The words that the fields of a row need: their names, and sorts of values that some lane cannot say."""
    values = _values(sent)
    words = [*sent, *(["empty text"] if "" in values else [])]
    words += ["null"] if any(value is None for value in sent.values()) else []
    meta = sent.get("meta", {})
    if not isinstance(meta, dict):
        return [*words, "whole meta"]
    words += ["null in meta"] if None in meta.values() else []
    return [*words, *(["typed meta"] if any(not isinstance(one, str | None) for one in meta.values()) else [])]


def _values(sent: Mapping[str, Any]) -> list[Any]:
    meta = sent.get("meta")
    inside = meta.values() if isinstance(meta, dict) else [meta] if "meta" in sent else []
    return [*(value for name, value in sent.items() if name != "meta"), *inside]
