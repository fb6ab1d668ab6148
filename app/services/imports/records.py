"""Files of records, read a portion at a time: however long a file is, no more than a portion of it is in memory."""

import csv
import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from app import errors

PORTION = 1000  # records that are stored in one transaction; other writers of SQLite wait for 50 ms at most
MAX_LINE = 64 * 1024  # bytes of one record, as of the body of a request
MAX_CSV = 128 * 1024 * 1024  # bytes of a CSV file
MAX_COLUMNS = 99  # of a CSV file
_BOM = b"\xef\xbb\xbf"  # what spreadsheets write in front of UTF-8


class Record(NamedTuple):
    """A record, and the line of the file where it begins, from 1.

    content: the bytes of a line, None when they are too many; or the cells of a row.
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
    """A file with a JSON object on each line."""

    def __init__(self, path: Path):
        self.path = path
        self.size = path.stat().st_size  # bytes

    def portions(self, position: int, line: int, times: int = 1) -> Iterator[Portion]:
        """Yield the records from that position on, which is the end of that line, so many times PORTION at once.

        Empty lines are left out.
        """
        with self.path.open("rb") as file:
            file.seek(position or _after_bom(file))
            lines = _lines(file)
            while some := list(islice(lines, PORTION * times)):
                records = [Record(line + at, one) for at, one in enumerate(some, 1) if one is None or not one.isspace()]
                line += len(some)
                yield Portion(records, file.tell(), line)


def _after_bom(file: BinaryIO) -> int:
    return len(_BOM) if file.read(len(_BOM)) == _BOM else 0


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


class CsvFile:
    """A CSV file (RFC 4180) in UTF-8, with LF or CRLF, whose first record names the columns.

    Raises errors.InvalidInput when it is too long, or its header is none: no names, too many, the same twice.
    """

    def __init__(self, path: Path):
        self.path = path
        self.size = path.stat().st_size  # bytes
        if self.size >= MAX_CSV:
            raise errors.InvalidInput({"file": ["Must be smaller than 128 MB."]})
        self.header, self._start, self._first_line = self._read_header()

    def portions(self, position: int, line: int, times: int = 1) -> Iterator[Portion]:
        """Yield the rows from that position on, which is the end of that line; 0 is before the header.

        They come as those of NdjsonFile do. Empty lines are left out. Raises errors.InvalidInput where a row is no CSV.
        """
        with self.path.open("rb") as file:
            reading = _Reading(file, position or self._start, line or self._first_line)
            while some := list(islice(reading, PORTION * times)):
                yield Portion([one for one in some if one.content], reading.position, reading.line)

    def _read_header(self) -> tuple[list[str], int, int]:
        with self.path.open("rb") as file:
            reading = _Reading(file, _after_bom(file), 0)
            names = [name.strip() for name in next(reading, Record(1, [])).content]
        wrong = None
        if not any(names):
            wrong = "Must begin with a line that names the columns."
        elif len(names) > MAX_COLUMNS:
            wrong = "Must have fewer than 100 columns."
        elif len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            wrong = f"Must not have two columns with the name {twice!a}."
        if wrong:
            raise errors.InvalidInput({"header": [wrong]})
        return names, reading.position, reading.line


class _Reading:
    """Reads rows and knows where it is: csv asks for no more lines than the row it is at has."""

    def __init__(self, file: BinaryIO, position: int, line: int):
        self.position, self.line = position, line
        self._file = file
        file.seek(position)
        self._rows = csv.reader(self._lines(), strict=True)

    def __iter__(self) -> "_Reading":
        return self

    def __next__(self) -> Record:
        line = self.line + 1
        try:
            return Record(line, next(self._rows))
        except csv.Error as error:
            message = f"Must be CSV: {error}; the row begins at line {line}."
            raise errors.InvalidInput({f"line {self.line}": [message]}) from None

    def _lines(self) -> Iterator[str]:
        while line := self._file.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise csv.Error(f"line {self.line + 1} is longer than {MAX_LINE} bytes")
            self.position += len(line)
            self.line += line.endswith(b"\n")
            yield line.decode("utf-8", "surrogateescape")  # what is no UTF-8 is refused with its row
