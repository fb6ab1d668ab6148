"""The benchmarks import and count right; nothing is timed here."""

import re
import subprocess

from app.schemas import quick
from benchmarks import bulk, tables, wrk
from benchmarks.peers import CONTENDERS
from benchmarks.people import ACTIONS


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
        assert item.pop("id") and (quick.event if what == "events" else quick.user)(item) is not None


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
