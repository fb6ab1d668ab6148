"""Encoding and line ends of a text file, told from its first bytes."""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from app import errors

_BLOCK = 64 * 1024  # bytes that are read at once; the first line of a file is shorter
_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}  # byte order marks
_UTF_32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_BINARIES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")  # how XLSX and ODS (as ZIP), XLS and GZIP begin
_SAVE_AS = 'Save it as UTF-8; a spreadsheet calls that "CSV UTF-8".'
_QUOTED = re.compile('"[^"]*"')


class TextForm(NamedTuple):
    """How a text is written. start: bytes of the byte order mark. end: what ends a line."""

    encoding: str
    start: int
    end: str

    def decode(self, line: bytes) -> str:
        """Return the text of a line. Bytes that are none become lone surrogates, so that their record is refused."""
        return line.decode(self.encoding, "surrogateescape" if self.encoding == "utf-8" else "surrogatepass")

    def lines(self, file: BinaryIO, longest: int) -> Iterator[bytes]:
        """Yield the lines from where the file is, with their ends; a longer one is cut into parts longer than that."""
        if self.encoding == "utf-8" and self.end == "\n":
            return iter(lambda: file.readline(longest + 1), b"")
        return _split(file, self.end.encode(self.encoding), longest)


def text_form(file: BinaryIO) -> TextForm:
    """Return how the text of a file is written.

    Lines end with LF or CRLF, or with CR alone where the first one does. Raises errors.InvalidInput for a file that is
    no text, or neither UTF-8 nor UTF-16 with a byte order mark.
    """
    block = file.read(_BLOCK)
    mark = next((one for one in _MARKS if block.startswith(one)), b"")
    if fault := _fault(block, mark):
        raise errors.InvalidInput({"file": [f"{fault} {_SAVE_AS}"]})
    form = TextForm(_MARKS.get(mark, "utf-8"), len(mark), "\n")
    text = _QUOTED.sub("", form.decode(block[len(mark) : len(block) // 2 * 2] if form.encoding != "utf-8" else block))
    first = re.search("\r?\n|\r", text)
    return form._replace(end="\r") if first and first.group() == "\r" else form


def _fault(block: bytes, mark: bytes) -> str | None:
    if block.startswith(_BINARIES):
        return "Must be text: this file is a workbook or an archive."
    if block.startswith(_UTF_32):
        return "Must be UTF-8 or UTF-16: this file is UTF-32."
    if not mark and b"\0" in block[:2]:  # one byte of a Latin letter in UTF-16
        return "Must be UTF-8: this file seems to be UTF-16 without a byte order mark."
    return None


def _split(file: BinaryIO, end: bytes, longest: int) -> Iterator[bytes]:
    rest = b""
    while block := file.read(_BLOCK):
        searched, rest = len(rest), rest + block
        begin = 0
        while (behind := _behind(end, rest, max(begin, searched - len(end)))) is not None:
            yield rest[begin:behind]
            begin = behind
        rest = rest[begin:]
        if len(rest) > longest:
            yield rest
            rest = b""
    if rest:
        yield rest


def _behind(end: bytes, text: bytes, begin: int) -> int | None:
    """Where the line ends: in UTF-16 at an even place, as the two bytes may be parts of two other characters."""
    at = text.find(end, begin)
    while at % len(end) and at >= 0:
        at = text.find(end, at + 1)
    return None if at < 0 else at + len(end)
