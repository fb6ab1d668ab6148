"""CSV files as spreadsheets write them (docs/import.md)."""

import csv
import re
from collections import deque
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from app import errors, strict_json
from app.services.imports import records
from app.services.imports.records import MAX_LINE, Portion, Record
from app.services.imports.text_forms import TextForm, text_form

MAX_CSV = 128 * 1024 * 1024  # bytes of a CSV file
MAX_COLUMNS = 99
MAX_ROW = 8 * 1024 * 1024  # bytes of a row that is read to its end, as only there the next one begins
_MAX_KEPT = 8 * 1024  # characters of a cell in a row of more than MAX_LINE bytes; no field takes half as many
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_SAYS_SEPARATOR = re.compile(
    r'"?sep=([^\w\s"\x00-\x1f]|\t)"?[,;\t]*[\r\n]*', re.ASCII | re.IGNORECASE
)  # as Excel reads it
_QUOTED = re.compile('"[^"]*"?')

csv.field_size_limit(MAX_ROW)  # the limit of the interpreter, 131,072 characters, would end the import


class CsvFile:
    """A CSV file (RFC 4180) whose first record names the columns, and tells its encoding, line ends and separator.

    known: names of columns that are sure to be right, where the separator is in doubt.
    Raises errors.InvalidInput when it is too long, is no text, or its header is none: no names, too many, one twice.
    """

    def __init__(self, path: Path, known: Collection[str] = ()):
        self.path = path
        self.size = path.stat().st_size  # bytes
        if self.size >= MAX_CSV:
            raise errors.InvalidInput({"file": ["Must be smaller than 128 MB."]})
        with path.open("rb") as file:
            self._form = text_form(file)
            if self._form.encoding != "utf-8" and self.size % 2:
                raise errors.InvalidInput({"file": ["Must be whole: UTF-16 has an even number of bytes."]})
            self._separator, start, line = self._find_separator(file, known)
            self.header, self._start, self._first_line = self._read_header(file, start, line)

    def portions(self, position: int, line: int, times: int = 1) -> Iterator[Portion]:
        """Yield the rows from that position on, which is the end of that line; 0 is before the header.

        They come as those of NdjsonFile do. Empty lines are left out. Raises errors.InvalidInput where a row is no CSV.
        """
        with self.path.open("rb") as file:
            reading = self._reading(file, position or self._start, line or self._first_line)
            while some := list(islice(reading, records.PORTION * times)):
                yield Portion([one for one in some if one.content], reading.position, reading.line)

    def check(self) -> None:
        """Read the file to its end, before anything is stored. Raises errors.InvalidInput where a row is no CSV."""
        with self.path.open("rb") as file:
            deque(self._reading(file, self._start, self._first_line), maxlen=0)

    def _find_separator(self, file: BinaryIO, known: Collection[str]) -> tuple[str, int, int]:
        """Return what stands between cells, where the header begins in bytes, and the lines before it."""
        file.seek(self._form.start)
        first = next(self._form.lines(file, MAX_LINE), b"")
        text = self._form.decode(first)
        if said := _SAYS_SEPARATOR.fullmatch(text):
            return said[1], self._form.start + len(first), 1
        return _likely_separator(text, known), self._form.start, 0

    def _read_header(self, file: BinaryIO, start: int, line: int) -> tuple[list[str], int, int]:
        reading = self._reading(file, start, line)
        names = next(reading, Record(1, [])).content
        wrong = None
        if not any(names):
            wrong = "Must begin with a line that names the columns."
        elif reading.position - start > MAX_LINE:
            wrong = f"Must be at most {MAX_LINE} bytes long."
        elif len(names) > MAX_COLUMNS:
            wrong = "Must have fewer than 100 columns."
        elif not strict_json.is_storable("".join(names)):
            wrong = 'Must be UTF-8 without NUL. In a spreadsheet, save the file as "CSV UTF-8".'
        elif twice := next((name for name in names if name and names.count(name) > 1), None):
            wrong = f"Must not have two columns with the name {twice!a}."
        if wrong:
            raise errors.InvalidInput({"header": [wrong]})
        return names, reading.position, reading.line

    def _reading(self, file: BinaryIO, position: int, line: int) -> "_Reading":
        return _Reading(file, self._form, self._separator, position, line)


def _likely_separator(header: str, known: Collection[str]) -> str:
    """Return what makes the most known columns of a header, then the most columns; a comma where nothing tells."""

    def columns(separator: str) -> tuple[int, int]:
        cells = [cell.strip(' "\t\r\n') for cell in header.split(separator)]
        return len({*cells} & {*known}), _QUOTED.sub("", header).count(separator)

    return max(_SEPARATORS, key=columns)


class _Reading:
    """Reads rows and knows where it is: csv asks for no more lines than the row it is at has."""

    def __init__(self, file: BinaryIO, form: TextForm, separator: str, position: int, line: int):
        self.position, self.line = position, line
        self._form, self._separator = form, separator
        self._begin = position  # of the row
        file.seek(position)
        self._rows = csv.reader(self._lines(file), delimiter=separator, strict=True)

    def __iter__(self) -> "_Reading":
        return self

    def __next__(self) -> Record:
        line, self._begin = self.line + 1, self.position
        try:
            cells = [cell.strip() for cell in next(self._rows)]
        except csv.Error as error:
            at = line if "end of data" in str(error) else self.line
            raise errors.InvalidInput({f"line {at}": [self._fault(str(error), line)]}) from None
        return Record(line, cells if self.position - self._begin <= MAX_LINE else [cell[:_MAX_KEPT] for cell in cells])

    def _lines(self, file: BinaryIO) -> Iterator[str]:
        for line in self._form.lines(file, MAX_ROW):
            self.position += len(line)
            self.line += 1
            if self.position - self._begin > MAX_ROW:
                raise csv.Error("row too long")
            yield self._form.decode(line)

    def _fault(self, said: str, line: int) -> str:
        """Say what to mend. said: by csv. line: where the row begins."""
        if "end of data" in said:
            return "Must close its quote: a cell of the row that begins here opens one, and the file ends inside it."
        begun = "" if line == self.line else f" The row begins at line {line}."
        if "too long" in said:
            return f"Must end a row of more than {MAX_ROW} bytes: is there a quote that is never closed?{begun}"
        if "new-line" in said:
            other, own = ("CR", "LF or CRLF") if self._form.end == "\n" else ("LF", "CR")
            return f"Must have no {other} outside quotes, as the lines of this file end with {own}.{begun}"
        name = _SEPARATORS.get(self._separator, self._separator)
        return f"Must have a {name} or the end of the row behind a quoted cell; a quote inside one is doubled.{begun}"
