"""The benchmarks import and count right; nothing is timed here."""

import re
import subprocess
from xml.etree import ElementTree

import pytest

from app.config import Settings
from app.models.database import forget_connection
from app.schemas import loading
from app.services import events, storage, users
from app.services.imports import CsvFile
from benchmarks import bulk, chart, customers, filling, floors, growth, imports, tables, wrk
from benchmarks.peers import CONTENDERS
from benchmarks.people import ACTIONS, person, uid


def test_the_table_shows_medians_and_the_ratio_to_each_peer():
    rates = {"Rollcall, SQLite": (100, 300, 200), "slow": (50, 10, 400), "Rollcall, Postgres": (9, 9, 9)}
    rounds = [_round(name, action, rate) for name, many in rates.items() for action in ACTIONS for rate in many]
    about = {"durability": "SQLite WAL", "note": ""}
    contenders = {name: about | ({"durability": "Postgres"} if "Postgres" in name else {}) for name in rates}
    text = tables.peers({
        "date": "today", "command": "run", "machine": {"cpu": "one"}, "rounds": rounds, "contenders": contenders,
        "left_out": {"absent": "does not start"},
    })  # fmt: skip
    shown = re.findall(r"^slow +(.*)$", text, re.M)
    assert shown[0].split() == ["50"] * len(ACTIONS)
    assert shown[5].split() == ["4.00"] * len(ACTIONS)
    assert "left out: absent: does not start" in text


def test_a_table_has_its_columns_below_each_other():
    assert tables.render(["name", "n"], [["a", "10"], ["long name", "2"]]) == (
        "name        n\n-------------\na          10\nlong name   2"
    )


def test_every_contender_says_how_durable_it_is():
    assert len({one.name for one in CONTENDERS}) == len(CONTENDERS)
    assert all(one.durability for one in CONTENDERS)


def test_bulk_writing_is_compared_with_the_driver_on_the_same_table():
    rates = {("SQLite", "users"): 100, ("SQLite", "events"): 10}
    rounds = [
        {"database": database, "what": what, "way": way, "rate": rate * factor * noise}
        for (database, what), rate in rates.items()
        for way, factor in ((f"{bulk.RAW} one", 1), ("POST /batch", 0.5))
        for noise in (1, 0, 2)
    ]
    text = bulk.table({"date": "today", "command": "run", "machine": {"cpu": "one"}, "rounds": rounds})
    assert re.findall(r"POST /batch +(\S+) +(.*)", text) == [("50", "0.50 of raw one"), ("5", "0.50 of raw one")]


def test_rows_and_items_of_the_bulk_benchmark_fit_the_tables_and_the_api():
    for what, columns in bulk._COLUMNS.items():
        assert len(bulk._row(what, 1, ["a" * 24])) == columns.count(",") + 1
        item = bulk._item(what, 7)
        assert item.pop("id") and (loading.event if what == "events" else loading.user)(item) is not None


def test_the_chart_of_growth_has_a_line_a_route_and_the_table_the_ratio():
    rounds = [
        {"database": database, "action": action, "users": users, "rate": rate * noise, "errors": 0}
        for database in ("sqlite", "postgres")
        for action in ACTIONS
        for users, rate in ((10_000, 2_000), (1_000_000, 1_000))
        for noise in (1, 0, 2)
    ]
    report = {"date": "today", "command": "run", "machine": {"cpu": "one"}, "rounds": rounds}
    assert re.findall(r"sqlite, page +(\S+) +(\S+) +(\S+)", growth.table(report)) == [("2,000", "1,000", "0.50")]
    picture = growth.draw(report)
    ElementTree.fromstring(picture)
    assert picture.count("<polyline") == 2 * len(ACTIONS) and ">1,000,000<" in picture and ">page<" in picture


def test_the_axis_of_a_chart_reaches_beyond_its_largest_value():
    for largest in (0.5, 7, 999, 1_000, 12_345, 26_000):
        assert chart._step(largest) * chart._TICKS >= largest


def test_who_is_filled_in_by_sql_is_who_the_api_would_have_made(new_database, engine):
    url = new_database(engine)
    storage.open(Settings(database_url=url))
    storage.prepare(Settings(database_url=url))
    filling.fill(url, users=75, events=3)
    storage.open(Settings(database_url=url))
    for number in (1, 75):
        wanted, found = person(number), users.retrieve(1, uid(number))
        assert {name: getattr(found, name) for name in wanted} == wanted
        assert len(events.page(1, uid(number), 10).rows) == 3
    forget_connection()


def test_the_statements_alone_are_held_against_the_best_peer_as_rollcall_is():
    rates = {floors.Rollcall: 9, floors.Statements: 12, floors.Fastify: 3, floors.FastifyOne: 6, floors.PocketBase: 1}
    found = {(one.name, action): {"rate": rate} for one, rate in rates.items() for action in ACTIONS}
    goals = list(floors._sqlite_goals(found, {}))
    assert [one.value for one in goals[::5]] == [1.5, 2.0, 9.0, 12.0]
    assert [one.limit for one in goals[1::5]] == [1.4, 1.4, 6, 6]


def test_a_part_of_the_floors_that_does_not_exist_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["floors", "--only", "lone,statements"])
    with pytest.raises(SystemExit):
        floors._options()
    assert "there is no part statements" in capsys.readouterr().err


def test_a_goal_is_met_from_its_side():
    assert floors.Goal("a", "rate", 0.9, 0.85).is_met and not floors.Goal("a", "rate", 0.8, 0.85).is_met
    assert floors.Goal("a", "time", 1.1, 1.2, least=False).is_met
    part = {"goals": [floors.Goal("a", "rate", 0.8, 0.85)._asdict()], "rounds": []}
    text = floors.table({"date": "today", "command": "run", "machine": {}, "parts": {"a": part}})
    assert re.search(r"rate +0.80 +>= 0.85 +MISSED", text)


def test_a_thousand_customers_in_one_request_are_compared_with_a_thousand_requests():
    seconds = {"SQLite": {"one request": [0.01, 0.02, 0.03], "a thousand requests": [0.5, 0.4, 9]}}
    text = customers.table({"date": "today", "command": "run", "machine": {"cpu": "one"}, "seconds": seconds})
    assert re.findall(r"^SQLite +(.*)$", text, re.M)[0].split() == ["20", "500", "25.0"]
    assert len({one["id"] for one in customers.customers("a")}) == customers.CUSTOMERS


def test_each_request_of_a_round_is_another_one():
    request = wrk.Request("POST", "/users/u@user@", '{"n": "@fresh@"}')
    assert request.once(user=7, fresh=9) == ("/users/u7", '{"n": "9"}')
    assert "[==[/users/u]==] .. user" in wrk._script(request, users=10)
    assert wrk.take_fresh() != wrk.take_fresh()


def test_peers_are_not_in_the_repository(root):
    ignored = subprocess.run(["git", "check-ignore", "benchmarks/.peers/fastify"], cwd=root, check=False)
    assert ignored.returncode == 0


def _round(name, action, rate):
    return {
        "contender": name, "action": action, "connections": 32, "rate": rate, "p50": 1, "p99": 2, "cpu_ms": 0.1,
        "errors": 0, "requests": 10, "memory_mib": 1,
    }  # fmt: skip


def test_the_file_of_the_import_benchmark_is_read_as_customers(tmp_path):
    imports.write(tmp_path / "customers.csv", 3)
    source = CsvFile(tmp_path / "customers.csv")
    assert [len(portion.records) for portion in source.portions(0, 0)] == [3]
    run = {"database": "SQLite", "what": "new", "rows": 3, "seconds": 1.5, "peak_mib": 80}
    text = imports.table({"date": "today", "command": "run", "machine": {"cpu": "one"}, "runs": [run]})
    assert "SQLite, 3 rows: new" in text and " 2 " in text
