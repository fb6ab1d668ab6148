"""CSV files as spreadsheets write them are read, or refused with what to do and the right line."""

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.atomic import customers
from app.services.imports import CsvFile, csv_files, records, text_forms
from tests.factories import fresh


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_encoding_line_end_and_separator_is_read_alike(tmp_path, encoding, end, separator):
    rows = [["id", "name", "city"], ["u1", "Ada \u0a41\u410a 😀", "a\nb, c; d\te"], ["ü 2", 'a "b"', ""]]
    path = tmp_path / "f.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        file.write("\ufeff" if encoding in ("utf-16-le", "utf-16-be") else "")
        csv.writer(file, delimiter=separator, lineterminator=end).writerows(rows)
    found = CsvFile(path)
    assert [found.header, *(one.content for part in found.portions(0, 0) for one in part.records)] == rows
    assert [part.position for part in found.portions(0, 0)] == [path.stat().st_size]


_CELLS = st.text(st.sampled_from("a\u0a0a\u0d0d\ud83d\ude00😀é\"'\n\r\t,; =\u2028"), max_size=6)


@given(
    rows=st.lists(st.lists(_CELLS, min_size=2, max_size=2), min_size=1, max_size=5),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    separator=st.sampled_from(",;\t"),
    block=st.sampled_from([2, 4, 6, 64]),
)
def test_any_rows_are_read_as_written_wherever_a_block_ends(rows, encoding, end, separator, block):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "city"], *rows])
    with tempfile.NamedTemporaryFile(suffix=".csv") as file, pytest.MonkeyPatch.context() as patch:
        file.write(text.getvalue().encode(encoding, "replace"))
        file.flush()
        found = CsvFile(Path(file.name))
        patch.setattr(text_forms, "_BLOCK", block)
        patch.setattr(records, "PORTION", 2)
        portions = list(found.portions(0, 0))
        begun = list(found.portions(portions[0].position, portions[0].line))
    cells = [[cell.encode(encoding, "replace").decode(encoding).strip() for cell in row] for row in rows]
    assert [one.content for portion in portions for one in portion.records] == cells
    assert begun == portions[1:]


def test_a_file_with_cr_line_ends_is_imported(import_csv, api):
    """The case csv-cr-only: "CSV (Macintosh)" of a spreadsheet."""
    uids = [fresh(), fresh()]
    assert "2 stored, 0 refused" in import_csv(f"id,email\r{uids[0]},u@example.com\r{uids[1]},v@example.com\r")
    assert [api.get(f"users/{uid}").json["email"] for uid in uids] == ["u@example.com", "v@example.com"]


@pytest.mark.parametrize("text", [
    "id;email\n{};u@example.com\n", "sep=;\nid;email\n{};u@example.com\n", 'id\temail\r"{}"\tu@example.com',
    '"sep=\t"\r\nid\temail\r\n{}\tu@example.com\r\n', "SEP=|\nid|email\n{}|u@example.com\n", '"id";"email"\n"{}";"u@example.com"\n',
])  # fmt: skip
def test_semicolons_and_tabs_are_told_from_the_header(import_csv, api, text):
    """The case csv-semicolon: spreadsheets write semicolons in half of Europe, tabs on request, and `sep=;` for themselves."""
    uid = fresh()
    assert "1 stored, 0 refused" in import_csv(text.format(uid))
    assert api.get(f"users/{uid}").json["email"] == "u@example.com"


@pytest.mark.parametrize(("header", "separator"), [
    ("id,email", ","), ("id;email", ";"), ("id\temail", "\t"), ("id", ","), ('id,"a;b;c"', ","), ('id;"a,b,c"', ";"), ("id,notes (a;b;c)", ","),
    ("id,a;b", ","), ("a;b,id", ","), ("a,b;id;c", ";"), ("x;y", ";"), ("Key;notes (a,b,c)", ";"), ("", ","),
])  # fmt: skip
def test_the_separator_is_the_one_that_makes_columns_we_know(header, separator):
    assert csv_files._likely_separator(header + "\r\n", ("id", "email", "Key")) == separator


def test_white_space_at_the_ends_of_cells_is_cut_off(import_csv, api, workspace):
    uid = fresh()
    import_csv(f"\ufeff id \u00a0,city,email,plan\n\u00a0{uid} ,\u00a0 New \u00a0 York\u202f\t, u@example.com,\u00a0\n")
    assert customers.retrieve(workspace, uid).profile == {"city": "New \u00a0 York", "email": "u@example.com"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("length", "newline"), [(70_000, ""), (200_000, ""), (70_000, "\n")])
def test_a_cell_that_is_too_long_refuses_its_line_alone(import_csv, api, end, length, newline):
    good = [fresh(), fresh()]
    cell = '"' + "x, " * (length // 3) + newline + '"'
    lines = ["id,name,city", f"{good[0]},a,b", f"{fresh()},{cell},b", f"{good[1]},a,b"]
    assert "2 stored, 1 refused" in import_csv(end.join(lines), status=1)
    assert [one[:2] for one in import_csv.errors()[1:]] == [["3", "name"]]
    assert all(api.get(f"users/{uid}").status_code == 200 for uid in good)


def test_a_long_cell_that_is_not_read_refuses_nothing(import_csv):
    assert "1 stored, 0 refused" in import_csv(f"id,notes\n{fresh()},{'x' * 70_000}\n", "--map", "notes=")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("first", ["", "sep=,"])
def test_refused_rows_are_told_with_the_line_they_begin_at(import_csv, end, encoding, first):
    rows = ['"a","two\nlines",x', "", "b,city,nope", 'c,"3\n4",nope']
    header = ["id,city,email"] if not first else [first, "id,city,email"]
    import_csv(end.join([*header, *rows]).encode(encoding), status=1)
    extra = (1 if end != "\r" else 0) + bool(first)  # in a file of CR, LF ends no line
    told = [[row[0], row[1]] for row in import_csv.errors()[1:]]
    assert told == [[str(2 + bool(first)), "email"], [str(4 + extra), "email"], [str(5 + extra), "email"]]


ENDS = [("\n", "CR"), ("\r\n", "CR"), ("\r", "LF")]


@pytest.mark.parametrize(("end", "other"), ENDS)
@pytest.mark.parametrize(("row", "at", "said"), [
    ('b,"x', 3, "Must close its quote"), ('b,"x~y', 3, "Must close its quote"), ('b,"x" y', 3, "Must have a comma"),
    ('b,"x~y" z', 4, "Must have a comma or the end of the row behind a quoted cell; a quote inside one is doubled. The row begins at line 3."),
    ("b,x!y", 3, "outside quotes"),
])  # fmt: skip
@pytest.mark.parametrize("last", [True, False])
def test_what_stops_an_import_is_told_with_its_line(import_csv, tables, end, other, row, at, said, last):
    row = row.replace("~", end).replace("!", {"CR": "\r", "LF": "\n"}[other])
    before = tables()["users"]
    output = import_csv(end.join(["id,city", "a,x", row, *([] if last else ["c,z"])]), status=1)
    assert output.splitlines()[-1].startswith(f"rollcall: line {at}: ") and said in output
    assert "Traceback" not in output and "universal" not in output and tables()["users"] == before


def test_what_stops_an_import_is_found_before_anything_is_stored(import_csv, tables, monkeypatch):
    monkeypatch.setattr(records, "PORTION", 2)
    before = tables()
    output = import_csv("id\n" + "".join(f"u{n}\n" for n in range(20)) + '"x"y\n', status=1)
    assert output.startswith("rollcall: line 22: ") and tables() == before


def test_a_quote_that_opens_a_cell_without_end_is_told_where_it_is(import_csv, monkeypatch):
    monkeypatch.setattr(csv_files, "MAX_ROW", 100)
    output = import_csv('id,city\na,x\nb,"y\n' + "c,z\n" * 100, status=1)
    assert (
        "rollcall: line 27: Must end a row of more than 100 bytes" in output and "The row begins at line 3." in output
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_portions_go_on_in_any_form_where_the_one_before_ended(tmp_path, monkeypatch, encoding, end):
    monkeypatch.setattr(records, "PORTION", 2)
    path = tmp_path / "f.csv"
    path.write_bytes(end.join(["sep=;", "id;name", *(f'{n};"é\n😀{n}"' for n in range(7))]).encode(encoding))
    portions = list(CsvFile(path).portions(0, 0))
    assert [one.content for portion in portions for one in portion.records] == [[str(n), f"é\n😀{n}"] for n in range(7)]
    for index, one in enumerate(portions):
        assert list(CsvFile(path).portions(one.position, one.line)) == portions[index + 1 :]


@pytest.mark.parametrize(("raw", "said"), [
    ('{"uid":"a"}\n'.encode("utf-16"), "UTF-16"), (b'{"uid":"a"}\r{"uid":"b"}\r', "end with CR"), (b"PK\x03\x04\n", "workbook"),
])  # fmt: skip
def test_lines_of_json_in_another_form_are_refused_with_what_to_do(import_csv, tables, raw, said):
    before = tables()["users"]
    assert said in import_csv(raw, status=1, name="users.ndjson") and tables()["users"] == before
