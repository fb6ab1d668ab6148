"""Rows of a CSV file of customers: the header says which field each column is (docs/import.md)."""

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

from app import errors, strict_json
from app.domain import dates, profiles, uids
from app.domain.writes import Item, Loaded
from app.schemas import loading
from app.schemas.batches import load_each, load_fields, load_uid
from app.schemas.customers_sent import load_one
from app.schemas.ignored_keys import named_elsewhere, nearest

_ID = "id"
_NAMES = ("first_name", "last_name")  # fields of the user that no profile has
FIELDS = (_ID, *_NAMES, *profiles.STANDARD, *profiles.SYSTEM)  # what a column can be in every environment
_CHECKED = ("timezone", "user_type")  # fields whose values are not for `loading` to check, as dates are not
_WHOLE = (_ID, "phone", "external_id")  # fields whose digits a spreadsheet may take for a number
_ELSEWHERE = named_elsewhere(
    id="uid userid customerid",
    email="emailaddress mail",
    phone="number phonenumber mobile mobilenumber telephone",
    first_name="givenname forename",
    last_name="surname familyname",
    name="fullname",
    region="state",
    timezone="tz",
)
_SHORTENED = re.compile(r"[+-]?[0-9]([.,][0-9]+)?E\+[0-9]+", re.ASCII | re.IGNORECASE)
_NONE: Mapping[str, Mapping[str, str]] = MappingProxyType({})


class Columns:
    """What the columns of a file are.

    header: its names. renames: column -> the fields that it is, none where it is not to be read; a column that is not
    there is the field of its name. custom: name -> type of the fields that the environment has defined. list_ids: the
    lists that everybody is put on. Raises errors.InvalidInput when a column is no field, or two are the same.
    """

    def __init__(
        self,
        header: Sequence[str],
        renames: Mapping[str, Sequence[str]],
        custom: Mapping[str, str],
        list_ids: Sequence[str] = (),
    ):
        self._header = header
        self._read = [
            (index, name) for index, column in enumerate(header) if column for name in renames.get(column, (column,))
        ]
        self._names = [name for _, name in self._read]
        self._own = {*_NAMES}.intersection(self._names) - custom.keys()
        self._dates = {name for name, type in custom.items() if type == profiles.DATE}
        if wrong := self._faults(renames, custom):
            raise errors.InvalidInput(wrong)
        self._lists = load_fields("update", {"lists": list(list_ids)}) if list_ids else {}
        self._id = next(index for index, name in self._read if name == _ID)
        self._fields = [(index, name) for index, name in self._read if name != _ID]
        self._ruled = [(index, name) for index, name in self._fields if name in self._dates or name in _CHECKED]
        self._whole = [index for index, name in self._read if name in _WHOLE]

    @property
    def ignored(self) -> list[str]:
        """The columns that are not read; one without a name as `column 3`."""
        read = {index for index, _ in self._read}
        return [name or f"column {at}" for at, name in enumerate(self._header, 1) if at - 1 not in read]

    def _faults(self, renames: Mapping[str, Sequence[str]], custom: Mapping[str, str]) -> dict[str, list[str]]:
        wrong = {
            f"--map {column}": ["Must name a column of the file."] for column in renames if column not in self._header
        }
        for index, name in self._read:
            if fault := self._fault(self._header[index], name, custom):
                wrong[self._header[index]] = [fault]
        if _ID not in self._names:
            wrong["header"] = [
                "Must have a column id, or one that --map COLUMN=id makes it; the same column may be another field too."
            ]
        return wrong

    def _fault(self, column: str, name: str, custom: Mapping[str, str]) -> str | None:
        if not name or self._names.count(name) > 1:
            return f"Must be the only column for {name}."
        if name in profiles.ANALYTICS:
            return "Must not be sent: this field is kept by Rollcall; leave the column out with --map COLUMN=."
        if name in FIELDS or name in custom:
            return None
        near = nearest(name, [*FIELDS, *custom], _ELSEWHERE)
        said = f'--map "{column}={near or "FIELD"}" says which it is, --map "{column}=" leaves it out.'
        return f"Must be a field that was defined; {said}"

    def load(self, rows: Sequence[list[str]]) -> Loaded:
        """Return the rows, loaded as updates of users; an empty cell leaves the field as it is."""
        loaded = self._load_together(rows)
        return load_each(self._load_alone, rows) if loaded is None else Loaded(loaded, {})

    def _load_together(self, rows: Sequence[list[str]]) -> list[Item] | None:
        """Load rows that are all right and of the common form; None where one is in doubt."""
        width = len(self._header)
        if any(len(row) != width for row in rows):
            return None
        named = [row[self._id] for row in rows]
        text = "".join(chain.from_iterable(rows))
        if not strict_json.is_storable(text) or not all(map(uids.is_valid, named)):
            return None
        if "E+" in text.upper() and any(_SHORTENED.fullmatch(row[index]) for index in self._whole for row in rows):
            return None
        kept = self._kept(rows)
        loaded = None if kept is None else loading.users([self._changes(self._profile(row, kept)) for row in rows])
        if loaded is None:
            return None
        if self._lists:
            loaded = [{**one, **self._lists} for one in loaded]
        return [Item(index, "update", uid, one) for index, (uid, one) in enumerate(zip(named, loaded, strict=True))]

    def _kept(self, rows: Sequence[list[str]]) -> dict[str, dict[str, str]] | None:
        """{field: {cell: what is stored}} of the fields that have rules of their own; None where a cell breaks them.

        Each text is looked at once, however many rows have it.
        """
        try:
            return {
                name: {cell: self._value(name, cell) for cell in {row[index] for row in rows} if cell}
                for index, name in self._ruled
            }
        except ValueError:
            return None

    def _value(self, name: str, cell: str) -> str:
        if name in self._dates:
            return dates.render_zulu(dates.parse(cell))
        if load_one("", {"profile": {name: cell}}, "")[1]:
            raise ValueError(name)
        return cell

    def _load_alone(self, index: int, row: list[str]) -> Item:
        uid, profile = self._check(row)
        return Item(index, "update", uid, {**self._changes(profile), **self._lists})

    def _check(self, row: list[str]) -> tuple[str, dict[str, str]]:
        if len(row) != len(self._header):
            raise errors.InvalidInput(
                {"row": [f"Must have {len(self._header)} cells, as the header; it has {len(row)}."]}
            )
        if found := {name: [fault] for index, name in self._read if (fault := _cell_fault(name, row[index]))}:
            raise errors.InvalidInput(found)
        uid, profile = load_uid(row[self._id]), self._profile(row)
        _, faults = load_one(uid, {"profile": profile}, "")
        found = {place.removeprefix("/profile/"): messages for place, messages in faults.items()}
        for name in self._dates & profile.keys():
            try:
                profile[name] = dates.render_zulu(dates.parse(profile[name]))
            except ValueError as error:
                found[name] = [str(error)]
        try:
            load_fields("update", {name: profile[name] for name in self._own & profile.keys()})
        except errors.InvalidInput as failure:
            found.update({name: list(messages) for name, messages in failure.details.items()})
        if found:
            raise errors.InvalidInput(found)
        return uid, profile

    def _profile(self, row: list[str], kept: Mapping[str, Mapping[str, str]] = _NONE) -> dict[str, str]:
        return {
            name: kept[name][cell] if name in kept else cell for index, name in self._fields if (cell := row[index])
        }

    def _changes(self, profile: dict[str, str]) -> dict[str, Any]:
        own = {name: profile.pop(name) for name in self._own & profile.keys()} if self._own else {}
        changes = profiles.changes(profile)
        if not changes.get("meta"):
            changes = {name: changes[name] for name in changes if name != "meta"}
        return changes | own if own else changes


def _cell_fault(name: str, cell: str) -> str | None:
    if not strict_json.is_storable(cell):
        return 'Must be UTF-8 without NUL. In a spreadsheet, save the file as "CSV UTF-8".'
    if name in _WHOLE and _SHORTENED.fullmatch(cell):
        return "Must be whole: a spreadsheet has shortened this number. Format the column as text and export it again."
    return None
