"""Run an import: one thread reads and prepares a portion while another stores the one before."""

import contextlib
import csv
import gc
import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from app import clock, errors, private_files
from app.domain.writes import Loaded, are_plain
from app.models import imports as store
from app.models.database import db, forget_connection, transaction
from app.models.imports import Progress
from app.services import events
from app.services.imports.records import Portion, Record
from app.services.users import batches, claims
from app.services.users.batches import Ready


class File(Protocol):
    """What an import needs to know of a file; CsvFile and NdjsonFile are such."""

    size: int

    def portions(self, position: int, line: int, times: int = 1) -> Iterator[Portion]:
        """Yield the records from that place on, so many times PORTION at once."""


Load = Callable[[Sequence[Record]], Loaded]


class Finished(Exception):
    """The file was imported before, to its end; `progress` says how that went."""

    def __init__(self, progress: Progress):
        super().__init__("The file was imported before.")
        self.progress = progress


@dataclass(frozen=True)
class Plan:
    """What to import, and how.

    file_hash: names the file and the way it is read. load: says what the records of a portion mean. error_path: where
    the refused records are told, a line each, made when there is one. is_trial: everything is done and undone again.
    """

    workspace: int
    file: File
    file_hash: str
    load: Load
    error_path: Path
    is_trial: bool = False


def begin(plan: Plan, again: bool = False) -> Progress:
    """Return where the import of the file begins: where an earlier one was cut off, else at the first byte.

    again: from the first byte, whatever was. Raises Finished; errors.Conflict when something else lies where the file
    of errors goes; errors.StorageUnavailable.
    """
    known = None if again or plan.is_trial else store.find(plan.workspace, plan.file_hash)
    if known is None:
        _clear(plan.error_path)
        if not plan.is_trial:
            store.begin(plan.workspace, plan.file_hash, clock.now())
        return Progress()
    if known.ended_at is not None:
        raise Finished(known)
    return known


def run(plan: Plan, progress: Progress) -> Iterator[Progress]:
    """Import the file from there on; yield how far it has come after each portion, at last with its end.

    What was yielded is on disk. Raises errors.Conflict when somebody else imports the same file at the same time,
    errors.InvalidInput where the file cannot be read on, errors.StorageUnavailable; it can be begun again then.
    """
    with _fewer_collections(), _short_turns(), ThreadPoolExecutor(1, "import") as writer:
        try:
            yield from _run(plan, progress, writer)
        finally:
            writer.submit(forget_connection).result()


@contextlib.contextmanager
def _fewer_collections() -> Iterator[None]:
    """Collect garbage less often, and not among what was there before: a third more records a second."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


_NEW_OBJECTS = 50_000  # between two collections; the objects of some portions


@contextlib.contextmanager
def _short_turns() -> Iterator[None]:
    """Give the thread that stores its turn as soon as the database answers: a sixth more records a second.

    It asks ten times for each portion, and waits after each until the thread that reads has had its turn.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


_TURN = 0.000_2  # seconds; the interpreter's own is 5 ms, a third of what a portion takes


def _run(plan: Plan, progress: Progress, writer: ThreadPoolExecutor) -> Iterator[Progress]:
    storing: _Storing | None = None
    for part in _parts(plan, progress):
        if storing:
            yield (progress := storing.progress.result())
        storing = _Storing(writer.submit(_store, plan, progress, part), part)
    if storing:
        yield (progress := storing.progress.result())
    yield writer.submit(_end, plan, progress).result()


class _Storing(NamedTuple):
    """A part that is being stored.

    The part is kept here, so that it is freed when the next one is under way: by the thread that stores it took 3 ms of
    5,000 users, in which the database had nothing to do.
    """

    progress: Future[Progress]
    part: "_Part"


class _Part(NamedTuple):
    """What is stored in one transaction: a portion, its items, and what is wrong with its other records."""

    portion: Portion
    ready: Ready
    refused: Mapping[int, errors.Failure]


def _parts(plan: Plan, progress: Progress) -> Iterator[_Part]:
    """Yield the file from there on: PORTION first, so that storing begins soon, more where it keeps nobody waiting.

    What turns out to be other than that is read again, a PORTION of it.
    """
    times, place = 1, (progress.position, progress.line)
    while portion := next(plan.file.portions(*place, times), None):
        part = _load(plan, portion)
        at_once = _at_once(plan.workspace, part.ready)
        if times <= at_once:
            yield part
            place = portion.position, portion.line
        times = at_once


def _at_once(workspace: int, ready: Ready) -> int:
    """Return how many times PORTION of such items may be stored in one transaction: others wait 50 ms at most."""
    if not are_plain(ready.items):  # each takes several statements
        return 1
    is_alone = ready.prepared is not None and not claims.are_possible(workspace)
    return _AT_ONCE[db.dialect.name] if is_alone else _AT_ONCE["sqlite"]


# On Postgres only writers of the same users wait.
_AT_ONCE = {"sqlite": 10, "postgres": 50}


def _load(plan: Plan, portion: Portion) -> _Part:
    loaded = plan.load(portion.records)
    return _Part(portion, batches.prepare(plan.workspace, loaded.items, ahead=True), loaded.refused)


class _Undone(Exception):
    def __init__(self, progress: Progress):
        self.progress = progress


def _store(plan: Plan, progress: Progress, part: _Part) -> Progress:
    try:
        return _store_part(plan, progress, part)
    except _Undone as undone:
        return undone.progress


@transaction
def _store_part(plan: Plan, progress: Progress, part: _Part) -> Progress:
    portion = part.portion
    unstored = batches.run_within(plan.workspace, part.ready)
    refused = {**part.refused, **batches.refused_of(unstored)}
    outcomes = Counter(one for one in unstored.values() if isinstance(one, str))
    done = Progress(
        position=portion.position,
        line=portion.line,
        stored=progress.stored + len(portion.records) - len(refused) - outcomes.total(),
        refused=progress.refused + len(refused),
        duplicate=progress.duplicate + outcomes[events.DUPLICATE],
        dropped=progress.dropped + outcomes[events.DROPPED],
        error_bytes=_tell(plan.error_path, progress.error_bytes, portion.records, refused),
    )
    if plan.is_trial:
        raise _Undone(done)
    _move(plan, progress.position, done)
    return done


def _move(plan: Plan, position: int, done: Progress) -> None:
    if not store.move(plan.workspace, plan.file_hash, position, done):
        raise errors.Conflict("Another process is importing the same file.")


def _end(plan: Plan, progress: Progress) -> Progress:
    done = progress._replace(ended_at=clock.now())
    if not plan.is_trial:
        _end_import(plan, progress.position, done)
    return done


@transaction
def _end_import(plan: Plan, position: int, done: Progress) -> None:
    _move(plan, position, done)


# ---- the file of errors -------------------------------------------------------------------------------------------


def _clear(path: Path) -> None:
    """Remove what an earlier import left there, and nothing else."""
    if not path.exists():
        return
    with path.open("rb") as file:
        if file.read(len(_HEAD)) != _HEAD:
            raise errors.Conflict(f"{path} is there and is no file of errors.")
    path.unlink()


def _tell(path: Path, size: int, records: Sequence[Record], refused: Mapping[int, errors.Failure]) -> int:
    """Write why records were refused behind the first `size` bytes of the file, and return how long it is then.

    It is on disk before the transaction is: what is behind the length that the database knows was never committed.
    """
    if not refused and not size:
        return 0
    lines = b"".join(_lines_of(records[index].line, refused[index]) for index in sorted(refused))
    added = lines if size else _HEAD + lines
    try:
        with open(path, "r+b" if size else "wb", opener=private_files.open_file) as file:
            file.truncate(size)
            file.seek(size)
            file.write(added)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise errors.StorageUnavailable(f"{path} cannot be written ({error.strerror}).") from None
    return size + len(added)


def _lines_of(line: int, failure: errors.Failure) -> bytes:
    details = failure.details or {"": [str(failure)]}
    return _rows([[str(line), field, message] for field, messages in details.items() for message in messages])


def _rows(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


_HEAD = _rows([("line", "field", "error")])
