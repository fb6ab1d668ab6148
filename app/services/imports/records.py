"""Read files of records a portion at a time; no more than a portion is in memory."""

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from app import errors
from app.services.imports.text_forms import text_form

PORTION = 100  # records that are stored in one transaction, or some times as many: services/imports/running.py
MAX_LINE = 64 * 1024  # bytes of one record, as of the body of a request


class Record(NamedTuple):
    """A record, and the line of the file where it begins, from 1.

    content: the bytes of a line, None when they are too many; or the cells of a row, without white space at their ends.
    """

    line: int
    content: Any


class Portion(NamedTuple):
    """Some records, and where the file goes on after them: a position in bytes, and how many lines lie before it."""

    records: list[Record]
    position: int
    line: int


def fingerprint(path: Path, *more: str) -> str:
    """Return what tells this file, read in the way that the other texts say, from any other: 64 hex digits."""
    digest = hashlib.blake2b(repr(more).encode(), digest_size=32)
    with path.open("rb") as file:
        while block := file.read(1024 * 1024):
            digest.update(block)
    return digest.hexdigest()


class NdjsonFile:
    """A file with a JSON object on each line.

    Raises errors.InvalidInput where it is not UTF-8 or its lines end with CR.
    """

    def __init__(self, path: Path):
        self.path = path
        self.size = path.stat().st_size  # bytes
        with path.open("rb") as file:
            form = text_form(file)
        if form.encoding != "utf-8":
            raise errors.InvalidInput({"file": ["Must be UTF-8: this file is UTF-16. Save it as UTF-8."]})
        if form.end != "\n":
            raise errors.InvalidInput({"file": ["Must have lines that end with LF or CRLF; here they end with CR."]})
        self._start = form.start

    def portions(self, position: int, line: int, times: int = 1) -> Iterator[Portion]:
        """Yield the records from that position on, which is the end of that line, so many times PORTION at once.

        Empty lines are left out.
        """
        with self.path.open("rb") as file:
            file.seek(position or self._start)
            lines = _lines(file)
            while some := list(islice(lines, PORTION * times)):
                records = [Record(line + at, one) for at, one in enumerate(some, 1) if one is None or not one.isspace()]
                line += len(some)
                yield Portion(records, file.tell(), line)


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    while line := file.readline(MAX_LINE + 1):
        if len(line) <= MAX_LINE or line.endswith(b"\n"):
            yield line
        else:
            _skip_line(file)
            yield None


def _skip_line(file: BinaryIO) -> None:
    while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
        pass
