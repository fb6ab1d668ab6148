"""`GET` and `PUT users/custom-profile-fields`."""

import pytest

from app.services.atomic.fields import MAX_FIELDS

PATH = "users/custom-profile-fields"
COLOUR = {"name": "colour", "label": "Colour", "type": "text"}
BIRTHDAY = {"name": "birthday", "label": "Birthday", "type": "date"}


def put(atomic, *fields):
    return atomic.put(PATH, list(fields), by="workbench")


def test_fields_are_answered_all_in_the_order_of_creation(atomic):
    assert put(atomic, COLOUR, BIRTHDAY).json == {"data": [COLOUR, BIRTHDAY]}
    last = {**COLOUR, "name": "A"}
    assert put(atomic, last).json == {"data": [COLOUR, BIRTHDAY, last]}
    assert put(atomic).json == atomic.get(PATH).json == {"data": [COLOUR, BIRTHDAY, last]}


def test_a_known_field_takes_the_new_label_and_keeps_its_place(atomic):
    put(atomic, COLOUR, BIRTHDAY)
    renamed = {**COLOUR, "label": "Favourite colour"}
    assert put(atomic, COLOUR, renamed).json == {"data": [renamed, BIRTHDAY]}


@pytest.mark.parametrize("fields", [[{**COLOUR, "type": "date"}], [BIRTHDAY, {**BIRTHDAY, "type": "text"}, BIRTHDAY]])
def test_a_changed_type_is_a_conflict_and_changes_nothing(atomic, refused, tables, fields):
    put(atomic, COLOUR)
    before = tables()
    refused(put(atomic, {**COLOUR, "name": "other"}, *fields), 409, "conflict")
    assert tables() == before


@pytest.mark.parametrize("body, pointer", [
    ([{"label": "A", "type": "text"}], "/0/name"),
    ([COLOUR, {**COLOUR, "name": "a b"}], "/1/name"),
    ([{**COLOUR, "name": "x" * 65}], "/0/name"),
    ([{**COLOUR, "name": "a\n"}], "/0/name"),
    ([{**COLOUR, "name": "email"}], "/0/name"),
    ([{**COLOUR, "name": "tags"}], "/0/name"),
    ([{**COLOUR, "name": "last_ios_seen_at"}], "/0/name"),
    ([{**COLOUR, "label": ""}], "/0/label"),
    ([{**COLOUR, "label": "l" * 256}], "/0/label"),
    ([{**COLOUR, "type": "number"}], "/0/type"),
    ([None], "/0"),
    ([[]], "/0"),
])  # fmt: skip
def test_a_field_that_breaks_a_rule_is_refused_with_its_place(atomic, refused, tables, body, pointer):
    before = tables()
    assert refused(put(atomic, *body), 400, "invalid_input")["source"] == {"pointer": pointer}
    assert tables() == before


@pytest.mark.parametrize("body", [COLOUR, None, b"1", b"["])
def test_what_is_no_array_is_refused(atomic, refused, body):
    refused(atomic.put(PATH, body, by="workbench"), 400, "invalid_body")


def test_there_are_no_more_fields_than_a_user_can_have(atomic, refused):
    assert put(atomic, *({**COLOUR, "name": f"f{number}"} for number in range(MAX_FIELDS))).status_code == 200
    refused(put(atomic, COLOUR), 400, "invalid_input")
    assert len(atomic.get(PATH).json["data"]) == MAX_FIELDS


def test_the_fields_of_another_environment_are_its_own(atomic, other_atomic):
    put(atomic, COLOUR)
    put(other_atomic, {**COLOUR, "type": "date", "label": "Theirs"})
    assert atomic.get(PATH).json == {"data": [COLOUR]}


def test_a_new_field_and_a_new_label_are_in_the_audit_log_once(atomic, api):
    put(atomic, COLOUR)
    put(atomic, COLOUR)
    put(atomic, {**COLOUR, "label": "New"})
    found = api.get("audit?action=field.defined").json["data"]
    assert [(one["subject"], one["level"]) for one in found] == [("colour", "workbench")] * 2
