"""Exports of newsletter tools: e-mail and names without an id, and the wish to put everybody on a list."""

import pytest

from app.services import lists
from app.services.atomic.fields import FieldRow, define
from app.services.audit import SHELL
from tests.factories import fresh

HEADER = "Email Address,First Name,Last Name,OPTIN_TIME,TAGS"
MAP = [
    word
    for pair in ("Email Address=id", "Email Address=email", "First Name=first_name", "Last Name=last_name", "OPTIN_TIME=", "TAGS=")
    for word in ("--map", pair)
]  # fmt: skip


@pytest.fixture
def list_id(workspace):
    """The id of a list."""
    return lists.create(workspace, {"title": "News"}, SHELL).id


def on(api, uid, list_id):
    """Whether the user is subscribed to the list; None without a place on it."""
    return {one["id"]: one["subscribed"] for one in api.get(f"users/{uid}").json["lists"]}.get(list_id)


def test_the_export_of_a_newsletter_tool_is_imported_whole(import_csv, api, list_id):
    """The case csv-newsletter-export."""
    text = f'{HEADER}\nann@example.com,Ann,O\'Neil,2021-03-05 10:11:12,"""vip"",""eu"""\nbob@example.com,Bob,,,\n'
    output = import_csv(text, *MAP, "--list", list_id)
    assert "2 stored, 0 refused" in output and "Not read: OPTIN_TIME, TAGS." in output
    ann, bob = (api.get(f"users/{uid}@example.com").json for uid in ("ann", "bob"))
    assert (ann["email"], ann["first_name"], ann["last_name"], ann["meta"]) == ("ann@example.com", "Ann", "O'Neil", {})
    assert (bob["first_name"], bob["last_name"]) == ("Bob", None)
    assert ann["lists"] == bob["lists"] == [{"id": list_id, "subscribed": True}]


def test_the_same_export_again_stores_nothing_twice(import_csv, api, list_id, tables):
    text = f"{HEADER}\nann@example.com,Ann,O'Neil,,\n"
    import_csv(text, *MAP, "--list", list_id)
    before = {name: rows for name, rows in tables().items() if name != "imports"}
    assert "--again does it again" in import_csv(text, *MAP, "--list", list_id)
    assert "1 stored" in import_csv(text, *MAP, "--list", list_id, "--again")
    assert "1 stored" in import_csv(text + "\n", *MAP, "--list", list_id)
    assert {name: rows for name, rows in tables().items() if name != "imports"} == before
    assert api.get(f"lists/{list_id}").json["subscriber_count"] == 1


@pytest.mark.parametrize(("name", "text"), [("c.csv", "id\nu1\n"), ("c.ndjson", '{"uid":"u1"}\n')])
def test_who_has_left_a_list_is_not_put_on_it_again(import_csv, api, list_id, name, text):
    import_csv(text, "--list", list_id, name=name)
    api.put(f"lists/{list_id}/subscribers/u1", {"subscribed": False})
    assert "1 stored, 0 refused" in import_csv(text, "--list", list_id, "--again", name=name)
    assert on(api, "u1", list_id) is False


def test_lists_are_part_of_how_a_file_is_read(import_csv, api, list_id):
    uid = fresh()
    text = f"id\n{uid}\n"
    import_csv(text)
    assert on(api, uid, list_id) is None
    assert "1 stored, 0 refused" in import_csv(text, "--list", list_id) and on(api, uid, list_id) is True


def test_users_of_lines_of_json_join_the_list_and_events_do_not(import_csv, api, workspace, list_id):
    other = lists.create(workspace, {"title": "Other"}, SHELL).id
    uids = [fresh() for _ in range(4)]
    lines = [
        f'{{"uid":"{uids[0]}"}}', f'{{"type":"create","id":"{uids[1]}","lists":["{other}"]}}', '{"email":"n@example.com","lists":[]}',
        f'{{"type":"event","uid":"{uids[2]}","event":"Paid"}}', f'{{"uid":"{uids[3]}","lists":[{{"id":"{list_id}","subscribed":false}}]}}',
    ]  # fmt: skip
    assert "5 stored" in import_csv("\n".join(lines), "--list", list_id, name="users.ndjson")
    [nobody] = api.get("users?email=n@example.com").json["data"]
    assert [on(api, uid, list_id) for uid in (uids[0], uids[1], nobody["uid"], uids[2])] == [True, True, True, None]
    assert on(api, uids[1], other) is True and not on(api, uids[3], list_id)  # what a line says itself stays


def test_lists_that_are_none_stop_the_import(import_csv, api, other_api, tables, list_id):
    foreign = other_api.post("lists", {"title": "Foreign"}).json["id"]
    api.delete(f"lists/{list_id}")
    before = tables()
    for name in ("c.csv", "c.ndjson"):
        for bad in ("0" * 24, "x", foreign, list_id):
            output = import_csv('id\n"a"\n', "--list", bad, status=1, name=name)
            assert f"--list {bad}: Must be the id of a list that is not archived." in output
    assert tables() == before


def test_a_line_whose_lists_are_no_array_is_refused(import_csv, list_id):
    assert "1 refused" in import_csv('{"uid":"a","lists":5}\n', "--list", list_id, status=1, name="users.ndjson")


@pytest.mark.parametrize(("header", "renames", "said"), [
    ("id,Mail", ["Mail=email", "Mail=email"], "Mail: Must be the only column for email."),
    ("id,Mail", ["Mail=", "Mail=email"], "COLUMN= alone"), ("id,Mail", ["Mail=id"], "only column for id"),
    ("Mail", ["Mail=email"], "--map COLUMN=id"), ("id,first_name,x", ["x=first_name"], "only column for first_name"),
])  # fmt: skip
def test_columns_that_cannot_be_are_told(import_csv, header, renames, said):
    words = [word for one in renames for word in ("--map", one)]
    assert said in import_csv(header + "\n", *words, status=1)


def test_every_column_that_is_no_field_is_told_at_once(import_csv):
    output = import_csv(HEADER + "\n", status=1)
    assert all(f"rollcall: {name}: Must be a field" in output for name in HEADER.split(","))


@pytest.mark.parametrize("long", ["first_name", "last_name"])
def test_a_name_that_is_too_long_refuses_its_row(import_csv, long):
    text = f"id,first_name,last_name\n{fresh()},Ada,L\n{fresh()},{'x' * (256 if long == 'first_name' else 1)},{'x' * 256}\n"
    assert "1 stored, 1 refused" in import_csv(text, status=1)
    assert [row[:2] for row in import_csv.errors()[1:]][-1] == ["3", "last_name"]


def test_a_custom_field_named_first_name_stays_one(import_csv, api, workspace):
    define(workspace, [FieldRow("first_name", "First name", "text")], SHELL)
    uid = fresh()
    import_csv(f"id,first_name,last_name\n{uid},Ada,King\n")
    user = api.get(f"users/{uid}").json
    assert (user["meta"], user["first_name"], user["last_name"]) == ({"first_name": "Ada"}, None, "King")


@pytest.mark.parametrize("field", ["id", "phone", "external_id"])
@pytest.mark.parametrize("cell", ["1.23E+15", "1,23E+15", "1e+15", "-2.34803E+12"])
def test_a_number_that_a_spreadsheet_shortened_is_refused(import_csv, api, field, cell):
    row = {"id": fresh(), "phone": "", "external_id": "", field: f'"{cell}"'}
    good = fresh()
    assert "1 stored, 1 refused" in import_csv(
        f"id,phone,external_id\n{good},,1E5\n{','.join(row.values())}\n", status=1
    )
    assert import_csv.errors()[1][:2] == ["3", field] and "as text" in import_csv.errors()[1][2]


def test_columns_without_a_name_are_told_as_not_read(import_csv):
    assert "Not read: column 2, Notes." in import_csv(f"id,,Notes\n{fresh()},x,y\n", "--map", "Notes=")
    assert "Not read: column 2, column 3." in import_csv(f"id,,\n{fresh()},x,\n")  # spreadsheets write such
    assert "Not read" not in import_csv(f"id,city\n{fresh()},x\n")


def test_a_column_that_is_nearly_a_field_is_told_with_it(import_csv):
    output = import_csv("id,Email Address,First Name,TAGS\n", status=1)
    assert '--map "Email Address=email" says which it is, --map "Email Address=" leaves it out.' in output
    assert '--map "First Name=first_name"' in output and '--map "TAGS=FIELD"' in output


def test_events_that_are_not_stored_are_counted_apart(import_csv, api):
    archived, erased, known = api.user()["uid"], api.user()["uid"], api.user()["uid"]
    api.post(f"users/{archived}/archive")
    api.delete(f"users/{erased}")
    api.post(f"users/{known}/events", {"event": "Paid", "id": "order-17"})
    lines = [f'{{"type":"event","uid":"{uid}","event":"Paid","timestamp":0}}' for uid in (archived, erased, known)]
    lines.append(f'{{"type":"event","uid":"{known}","id":"order-17","event":"Paid"}}')
    assert "1 stored, 0 refused, 1 duplicate, 2 dropped" in import_csv("\n".join(lines), name="events.ndjson")


def test_the_first_thousand_lines_of_json_are_looked_through_for_ignored_keys(import_csv):
    def output(line):
        lines = [f'{{"uid":"{fresh()}"}}' for _ in range(1_001)]
        lines[line - 1] = f'{{"uid":"{fresh()}","firstName":"Ada"}}'
        return import_csv("\n".join(lines), name="users.ndjson")

    assert "line 1000: firstName: is ignored" in output(1_000)
    assert "ignored" not in output(1_001)


def test_lines_of_json_tell_what_is_ignored_before_they_are_stored(import_csv, api, tables):
    uid = fresh()
    lines = [
        f'{{"uid":"{uid}","plan":"pro","firstName":"Ada"}}',
        "",
        "{",
        f'{{"uid":"{uid}","type":"event","name":"Paid"}}',
    ]
    output = import_csv("\n".join(lines), status=1, name="users.ndjson").split("\n")
    assert output[:3] == [
        "line 1: plan: is ignored; attributes of your own go into meta.", "line 1: firstName: is ignored; did you mean first_name?",
        "line 4: name: is ignored; did you mean event?",
    ]  # fmt: skip
    assert "1 stored, 2 refused" in "".join(output[3:]) and api.get(f"users/{uid}").json["meta"] == {}
    assert "ignored" not in import_csv(api.get(f"users/{uid}").text, name="users.ndjson")
