"""Columns as Postgres reads them: array literals and COPY rows."""

import functools
from collections.abc import Sequence
from typing import Any

# An SQL text with its parameters, and the columns of the rows that it is run for, if it is run for many.
Run = tuple[str, tuple[Any, ...], Sequence[Sequence[Any]] | None]


class Rows(dict[str, Sequence[Any]]):
    """New rows of a table: column -> a value for every row."""

    @functools.cached_property
    def copied(self) -> bytes:
        """The rows as COPY reads them, made once: whoever asks before the transaction begins keeps it short."""
        return copied(list(self.values()))


def array(values: Sequence[Any]) -> str:
    """Return an array as Postgres reads it; psycopg dumps each element by itself, which is slow for many.

    Characters that no text has stand for commas and NULLs until all is escaped.
    """
    escaped = _BETWEEN.join(_texts(values)).replace("\\", "\\\\").replace('"', '\\"').replace(_BETWEEN, '","')
    return f'{{"{escaped}"}}'.replace(f'"{_NO_TEXT}"', "NULL")


def copied(columns: Sequence[Sequence[Any]]) -> bytes:
    """Return rows as COPY reads them, made in the same way as an array where there is something to escape."""
    texts = list(map(_texts, columns))
    text = "\n".join(map("\t".join, zip(*texts, strict=True)))
    if not _is_plain(text, len(texts), len(texts[0])):
        text = _END_OF_ROW.join(map(_BETWEEN.join, zip(*texts, strict=True)))
        for plain, escaped in _ESCAPED_IN_COPY:
            text = text.replace(plain, escaped)
    return text.encode()


def _is_plain(text: str, columns: int, rows: int) -> bool:
    """Return True if the joined rows are as COPY reads them: all ASCII, without a NULL or what is escaped in a text."""
    if not text.isascii() or "\\" in text or "\r" in text:
        return False
    return text.count("\n") == rows - 1 and text.count("\t") == rows * (columns - 1)


def _texts(values: Sequence[Any]) -> list[str]:
    return [one if one.__class__ is str else _NO_TEXT if one is None else str(one) for one in values]


# What no text has, as strict_json lets none in.
_BETWEEN, _NO_TEXT, _END_OF_ROW = "\x00", "\ud800", "\ud801"
_ESCAPED_IN_COPY = (
    ("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"),
    (_BETWEEN, "\t"), (_END_OF_ROW, "\n"), (_NO_TEXT, "\\N"),
)  # fmt: skip
