"""`rollcall import customers.csv`: what the Atomic API would store, row by row, with the limits that are documented."""

import pytest

from app import errors
from app.schemas.customer_rows import Columns
from app.services.atomic import customers
from app.services.imports import CsvFile, csv_files, records
from tests.factories import fresh

HEADER = "id,email,phone,name,city,timezone,plan,since"


@pytest.fixture
def run(import_csv):
    """Run `rollcall import`, as `import_csv` does."""
    return import_csv


def test_rows_become_customers_whom_both_apis_show(run, api, workspace):
    uid = fresh()
    assert "1 stored, 0 refused" in run(f"{HEADER}\n{uid},Ada@b.co,+234803,Ada L,Lagos,Africa/Lagos,gold,2020-08-11\n")
    found = customers.retrieve(workspace, uid).profile
    assert found == {
        "email": "Ada@b.co", "phone": "+234803", "name": "Ada L", "city": "Lagos", "timezone": "Africa/Lagos", "plan": "gold",
        "since": "2020-08-11T00:00:00.000Z",
    }  # fmt: skip
    assert api.get(f"users/{uid}").json["meta"]["plan"] == "gold" and api.get("users?email=ada@b.co").json["data"]


def test_only_the_id_is_needed_and_an_empty_cell_changes_nothing(run, api, workspace):
    uid = api.user(email="a@b.co", meta={"plan": "gold", "kept": 1})["uid"]
    run(f"id,email,plan\n{uid},,\n{fresh()},,\n")
    assert api.get(f"users/{uid}").json["meta"] == {"plan": "gold", "kept": 1}
    run(f"id,email,plan\n{uid},new@b.co,silver\n")
    changed = api.get(f"users/{uid}").json
    assert changed["meta"] == {"plan": "silver", "kept": 1} and changed["email"] == "new@b.co"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_end_with_lf_or_crlf_and_cells_may_hold_any_text(run, workspace, end):
    uid, text = fresh(), f'a "b", c{end}d é😀'
    quoted = text.replace('"', '""')
    run(f'\ufeffid,city{end}{end}{uid},"{quoted}"{end}{fresh()},last')
    assert customers.retrieve(workspace, uid).profile["city"] == text


@pytest.mark.parametrize(("row", "field"), [
    (",a@b.co,,,,,,", "id"), ("a/b,,,,,,,", "id"), ("u,x,,,,,,", "email"), ("u,,12,,,,,", "phone"), ("u,,,,,Mars/X,,", "timezone"),
    ("u,,,,,,,soon", "since"), ("u,,", "row"), ("u,,,,,,,,", "row"), (b"u,,,\xff,,,,", "name"), (b"u,,,\x00,,,,", "name"), ("u\0,,,,,,,", "id"),
    ("u,,," + "é" * 2049 + ",,,,", "name"),
])  # fmt: skip
def test_a_bad_row_is_told_with_its_line_and_the_others_are_stored(run, api, row, field):
    good = [fresh(), fresh()]
    raw = row if isinstance(row, bytes) else row.encode()
    lines = [HEADER.encode(), f'{good[0]},,,"two\nlines",,,,'.encode(), raw, f"{good[1]},,,,,,,".encode()]
    assert "2 stored, 1 refused; see " in run(b"\n".join(lines), status=1)
    assert [one[:2] for one in run.errors()[1:]] == [["4", field]] and api.get("users/u").status_code == 404
    assert all(api.get(f"users/{uid}").status_code == 200 for uid in good)


@pytest.mark.parametrize(("text", "said"), [
    ("", "header"), ("\n", "header"), ("email\na@b.co\n", "column id"), ("id,id\n", "two columns"), ("id,e-mail\n", "--map"),
    ("id,first_seen_at\n", "kept by Rollcall"), ("id,tags\n", "defined"), (",".join(["id", *map(str, range(99))]), "fewer than 100"),
    ("i" * 70_000 + "\n", "at most 65536 bytes"), (b"id,n\xe4me\n", "CSV UTF-8"), (b"PK\x03\x04", "workbook"), (b"\xd0\xcf\x11\xe0", "workbook"), (b"\0", "UTF-16"),
    (b"\xff\xfei\0d\0\n", "even number"), (b"\xff\xfe\0\0i\0\0\0", "UTF-32"),
])  # fmt: skip
def test_a_file_that_cannot_be_read_stops_with_one_line(run, tables, text, said):
    before = tables()["users"]
    output = run(text, status=1)
    assert said in output and "Traceback" not in output and tables()["users"] == before


def test_columns_are_renamed_and_left_out(run, workspace):
    uid = fresh()
    text = f"Key,E-Mail,Plan,Notes=x,\n{uid},a@b.co,gold,secret,more\n"
    words = [word for pair in ("Key=id", "E-Mail=email", "Plan=plan", "Notes=x=") for word in ("--map", pair)]
    run(text, *words)
    assert customers.retrieve(workspace, uid).profile == {"email": "a@b.co", "plan": "gold"}
    assert "Must name a column" in run(text, *words, "--map", "Mail=email", status=1)
    assert "only column for email" in run(text, *words, "--map", "Plan=email", status=1)
    assert "COLUMN=FIELD" in run(text, "--map", "email", status=1)


def test_a_dry_run_changes_nothing(run, tables):
    before = tables()
    output = run(f"id,email\n{fresh()},a@b.co\n{fresh()},x\n", "--dry-run", status=1)
    assert "1 stored, 1 refused" in output and "nothing was changed" in output
    assert tables() == before and run.errors()[1][:2] == ["3", "email"]


def test_twice_is_safe_and_again_is_asked_for(run, api):
    uid = fresh()
    text = f"id,email\n{uid},a@b.co\n"
    run(text)
    api.put(f"users/{uid}", {"email": "later@b.co"})
    assert "--again" in run(text) and api.get(f"users/{uid}").json["email"] == "later@b.co"
    run(text, "--again")
    assert api.get(f"users/{uid}").json["email"] == "a@b.co"


def test_nobody_is_imported_into_an_environment_that_is_none(run):
    assert "no environment" in run("id\na\n", "--environment", "XX99zz99", status=1)
    assert "Must be named" in run("id\na\n", name="customers.xlsx", status=1)


def test_a_file_must_be_smaller_than_128_mb(tmp_path):
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.write(b"id\n")
        file.truncate(csv_files.MAX_CSV - 1)
    assert CsvFile(path).header == ["id"]
    with path.open("r+b") as file:
        file.truncate(csv_files.MAX_CSV)
    with pytest.raises(errors.InvalidInput, match="128 MB"):
        CsvFile(path)


def test_rows_that_are_loaded_together_are_loaded_as_each_alone():
    columns = Columns(["id", "email", "phone", "name", "x"], {"x": ""}, {})
    rows = [["u1", "a@b.co", "+23480", "Ada", "-"], ["ü 2", "", "", "", ""], ["3", "", "12345", "", ""]]
    together = columns._load_together(rows)
    assert together == [columns._load_alone(*one) for one in enumerate(rows)]
    for odd in (["u", "x", "", "", ""], ["u"], ["", "", "", "", ""], ["u", "", "", "\x00", ""], ["u", "", "1", "", ""]):
        assert columns._load_together([*rows, odd]) is None
        with pytest.raises(errors.InvalidInput):
            columns._load_alone(0, odd)


def test_dates_time_zones_and_types_are_loaded_together_as_each_alone():
    columns = Columns(["id", "since", "timezone", "user_type", "city"], {}, {"since": "date"})
    rows = [
        ["u1", "2020-08-11", "Africa/Lagos", "test", "Lagos"],
        ["u2", "2020-09-29T14:50:29.907+05:30", "", "live", ""],
        ["u3", "", "Europe/Paris", "", "x"],
        ["u4", "2020-08-11", "Africa/Lagos", "test", ""],
    ]
    together = columns._load_together(rows)
    assert together == [columns._load_alone(*one) for one in enumerate(rows)]
    assert together[1].fields["meta"]["since"] == "2020-09-29T09:20:29.907Z"
    for place, odd in ((1, "2026-02-30"), (1, "soon"), (2, "Mars/Olympus"), (3, "admin"), (2, "africa/lagos")):
        bad = [cell if index != place else odd for index, cell in enumerate(rows[0])]
        assert columns._load_together([*rows, bad]) is None
        with pytest.raises(errors.InvalidInput) as refused:
            columns._load_alone(0, bad)
        assert set(refused.value.details) == {("since", "timezone", "user_type")[place - 1]}


def test_portions_go_on_where_the_one_before_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "PORTION", 2)
    path = tmp_path / "f.csv"
    path.write_bytes(b'\xef\xbb\xbfid,name\r\na,"x\r\ny"\r\n\r\nb,\r\nc,\nd,')
    portions = list(CsvFile(path).portions(0, 0))
    found = [tuple(one) for portion in portions for one in portion.records]
    assert found == [(2, ["a", "x\r\ny"]), (5, ["b", ""]), (6, ["c", ""]), (7, ["d", ""])]
    for index, one in enumerate(portions):
        assert list(CsvFile(path).portions(one.position, one.line)) == portions[index + 1 :]
    assert portions[-1].position == path.stat().st_size
