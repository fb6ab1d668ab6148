"""Imports: every write is a file of one record, imported in this process as `rollcall import` does it."""

import contextlib
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app import errors
from app.cli.imports import load
from app.schemas.customer_rows import Columns
from app.services import imports
from app.services.atomic import fields as custom_fields
from app.services.imports import CsvFile, Finished, NdjsonFile, Plan
from tests.contract.lanes import profiles
from tests.contract.lanes.lane import Fields, Lane
from tests.contract.outcome import Outcome


class FileLane(Lane):
    """A lane of files. A file is imported again, even one of the same content, but for inside `retries`."""

    again = True

    @contextlib.contextmanager
    def retries(self) -> Iterator[None]:
        """Import the same file once, as without `--again`."""
        self.again = False
        yield
        self.again = True

    def _import(self, path: Path, source: imports.File, read: imports.Load) -> Outcome:
        told = path.with_suffix(".errors.csv")
        plan = Plan(self.workspace, source, imports.fingerprint(path), read, told)
        try:
            [*_, progress] = imports.run(plan, imports.begin(plan, self.again))
        except Finished as finished:
            progress = finished.progress
        assert progress.stored + progress.refused + progress.duplicate + progress.dropped == 1, progress
        if not progress.refused:
            return Outcome(True, said=progress)
        [_, *rows] = csv.reader(told.read_text().splitlines())
        return Outcome(False, frozenset(field for _, field, _ in rows), said=rows)


class Ndjson(FileLane):
    """A file of one line of JSON."""

    name = "ndjson"

    def create(self, uid: Any, fields: Fields) -> Outcome:
        return self.send({"type": "create", "uid": uid, **fields})

    def update(self, uid: Any, fields: Fields) -> Outcome:
        return self.send({"uid": uid, **fields})

    def record(self, uid: Any, event: Fields) -> Outcome:
        return self.send({"type": "event", "uid": uid, **event})

    def send(self, line: Mapping[str, Any]) -> Outcome:
        """Import one line."""
        path = self.folder / "one.ndjson"
        path.write_text(json.dumps(line) + "\n")
        return self._import(path, NdjsonFile(path), load)


class Csv(FileLane):
    """A file of a header and one row: the profile of a customer."""

    name = "csv"

    def create(self, uid: Any, fields: Fields) -> Outcome:
        return self._send(uid, fields)

    def update(self, uid: Any, fields: Fields) -> Outcome:
        return self._send(uid, fields)

    def _send(self, uid: Any, fields: Fields) -> Outcome:
        profile = profiles.of_user(fields)
        profiles.define(self.workspace, profile)
        return self.send(["id", *profile], [uid, *profile.values()])

    def send(self, header: Sequence[str], row: Sequence[Any]) -> Outcome:
        """Import one row under any header."""
        path = self.folder / "one.csv"
        with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
            csv.writer(file).writerows([header, row])
        known = {field.name: field.type for field in custom_fields.everything(self.workspace)}
        try:
            columns = Columns(header, {}, known)
        except errors.InvalidInput as failure:
            return Outcome(False, frozenset(map(profiles.in_engage, failure.details)), said=failure)
        outcome = self._import(path, CsvFile(path), lambda rows: columns.load([one.content for one in rows]))
        return outcome._replace(fields=frozenset(map(profiles.in_engage, outcome.fields)))
