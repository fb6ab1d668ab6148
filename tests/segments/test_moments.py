"""Dates in meta and in events: texts that are dates by app/domain/dates.py, and no others, are compared as moments."""

from random import Random

import orjson
import pytest

from app import clock
from app.domain import dates
from app.models.database import Statement, db
from app.models.segments.conditions import Condition
from app.models.segments.moments import edge_of
from tests.factories import fresh

DAY, HOUR = 86_400_000, 3_600_000
NOW = dates.parse("2026-11-30T12:00:00Z")
TEXTS = (
    "2026-01-31", "2026-01-31T10:00Z", "2026-01-31T10:00", "2026-01-31 10:00:30", "2026-01-31t10:00:30z", "2026-01-31T10:00:30.5",
    "2026-01-31T10:00:30,123456789Z", "2026-01-31T10:00:30.999999999+05:30", "2026-01-31T10:00:30+0530", "2026-01-31T10:00:30-08",
    "2026-01-31T10:00 +05:30", "2026-01-31T10:00:30 Z", "2026-01-31T10:00 ", "2026-01-31T23:59:59.999-23:59", "2024-02-29",
    "2000-02-29", "1900-02-28", "1900-01-01", "2199-12-31", "2199-12-31T23:59:59.999Z", "1899-12-31T23:00:00-01:00",
    "2200-01-01T00:59:59+01:00", "1969-12-31T23:59:59.999Z", "1970-01-01", "1970-01-01T00:00:00Z",
    # nearly
    "2026-02-30", "2026-02-29", "1900-02-29", "2100-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "2026-01-32",
    "2026-W05", "2026-W05-6", "2026-031", "2026-01", "2026", "20260131", "2026-1-31", "26-01-31", "02026-01-31", "2026-01-31T24:00:00Z",
    "2026-01-31T23:60", "2016-12-31T23:59:60Z", "2026-01-31T10", "2026-01-31T1000", "2026-01-31T10:00:30.", "2026-01-31T10:00.5Z",
    "2026-01-31T10:00:30.1234567890Z", "2026-01-31T10:00:30+24:00", "2026-01-31T10:00:30+05:60", "2026-01-31T10:00:30+5", "2026-01-31Z",
    "2026-01-31+05:30", "2026-01-31T10:00:30  Z", "2026-01-31T10:00Z ", "2026-01-31 ", " 2026-01-31", "2026-01-31\n", "2026-01-31T10:00\n",
    "2026-01-31\t10:00", "2026-01-31_10:00", "2026-01-31T10:00 UTC", "2026-01-31T10:00:30Europe/Berlin", "2026-01-31T10:00:30\u221205:30",
    "1899-12-31", "1899-12-31T23:59:59.999Z", "1900-01-01T00:00:00+00:01", "2200-01-01", "2199-12-31T23:59:59-00:01", "2200-12-31",
    "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "-2026-01-31", "+2026-01-31", "2026/01/31", "31.01.2026", "Jan 31, 2026",
    "infinity", "-infinity", "now", "today", "epoch", "allballs", "2026-01-31 BC", "2026-01-31 10:00 PM", "\u0662\u0660\u0662\u0666-01-31",
    "\uff12\uff10\uff12\uff16-01-31", "2026-01-31T10:00:30.\u0661Z", "pro", "", "10", "1790000000", "true", "'", "2026-01-31'; --", "?", "{row}",
    "2026-01-31T10:00:30." + "0" * 100 + "Z", "2026-01-31" * 400,
)  # fmt: skip


def spans_in_sql(texts):
    """The first and last millisecond of each text, as the database sees it."""
    rows = {
        "sqlite": "SELECT value AS text FROM json_each(?)",
        "postgres": "SELECT value AS text FROM jsonb_array_elements_text(?::jsonb)",
    }
    first, last = (edge_of(db.dialect, Condition("listed.text"), edge) for edge in ("first", "last"))
    sql = f"SELECT listed.text, {first.sql}, {last.sql} FROM ({rows[db.dialect.name]}) AS listed"
    values = (*first.values, *last.values, orjson.dumps(list(texts)).decode())
    return {row[0]: None if row[1] is row[2] is None else row[1:] for row in Statement(sql)(*values)}


def test_a_text_is_a_moment_exactly_when_our_own_rules_for_dates_take_it(app, api):
    found = spans_in_sql(TEXTS)
    assert found == {text: dates.span(text) for text in TEXTS}
    assert sum(one is not None for one in found.values()) == 25  # of each kind there are some


def test_the_last_days_of_every_month_are_in_the_calendar_of_all(app, api):
    years, months, days = range(1899, 2201), range(1, 13), range(28, 33)
    texts = [f"{year}-{month:02d}-{day:02d}" for year in years for month in months for day in days]
    assert spans_in_sql(texts) == {text: dates.span(text) for text in texts}


def test_no_text_by_chance_is_a_date_for_one_of_them_alone(app, api):
    random = Random(20_261_201)
    texts = {a_text(random) for _ in range(20_000)}
    found = spans_in_sql(texts)
    assert [(text, one) for text, one in found.items() if one != dates.span(text)][:5] == []
    assert 0.6 < sum(one is not None for one in found.values()) / len(texts) < 0.9


def a_text(random):
    """A date in one of the forms that are taken, and now and then something that is no part of one."""

    def part(good, *bad):
        return random.choice(bad) if bad and random.random() < 0.04 else good

    year = part(f"{random.randrange(1900, 2200)}", "1899", "2200", "0000", "026", "20266")
    month = part(f"{random.randrange(1, 13):02d}", "00", "13", "1", "W1")
    day = part(f"{random.randrange(1, 29):02d}", "29", "30", "31", "00", "32", "7")
    text = f"{year}{part('-', '/', '')}{month}-{day}"
    if random.random() < 0.1:
        return text + part("", " ", "Z", "T", "\n")
    text += (
        random.choice("Tt ")
        + part(f"{random.randrange(24):02d}", "24", "9")
        + ":"
        + part(f"{random.randrange(60):02d}", "60", "")
    )
    if random.random() < 0.8:
        text += ":" + part(f"{random.randrange(60):02d}", "60", "5")
        if random.random() < 0.5:
            text += random.choice(".,") + "".join(random.choices("0123456789", k=part(random.randrange(1, 10), 0, 10)))
    sign = random.choice("+-")
    zone = random.choice(
        ("", "Z", "z", f"{sign}05", f"{sign}0530", f"{sign}{random.randrange(24):02d}:{random.randrange(60):02d}")
    )
    return text + part("", " ", "  ") + part(zone, "+24:00", "+05:60", "UTC", "+5") + part("", " ", "\n", "x")


# ---- what rules make of them ---------------------------------------------------------------------------------------


@pytest.fixture
def holds(api, monkeypatch):
    """Tell whether a comparison holds for a user whose meta has that value, and, all the same, for such an event."""
    monkeypatch.setattr(clock, "now", lambda: NOW)

    def ask(value, comparison):
        uid = api.user(fresh(), created_at="2020-01-01", meta={"it": value})["uid"]
        sent = {"event": "Set", "properties": {"it": value}, "value": value, "timestamp": "2026-01-01"}
        assert api.post(f"users/{uid}/events", sent).status_code == 200
        found = {
            api.post("segments/preview", {"rule": {"all": [{"attribute": "uid", "is": uid}, leaf]}}).json["count"] == 1
            for leaf in (
                {"attribute": "meta.it", **comparison},
                {"event": "Set", "where": [{"property": "it", **comparison}]},
                {"event": "Set", "where": [{"value": comparison}]},
            )
        }
        assert len(found) == 1
        return found.pop()

    return ask


def test_case_segment_date_with_offset_a_date_is_the_same_moment_however_it_is_written(holds):
    """The case segment-date-with-offset.md: ten days ago, written in -08:00 and in +09:00."""
    for text in ("2026-11-20T04:00:00-08:00", "2026-11-20T21:00:00+09:00"):
        assert holds(text, {"gte": {"days_ago": 10.2}}) and not holds(text, {"gte": {"days_ago": 9.8}})
        assert holds(text, {"lt": {"days_ago": 9.8}}) and not holds(text, {"lt": {"days_ago": 10.2}})


@pytest.mark.parametrize("text", [
    "2026-11-20 12:00", "2026-11-20t12:00z", "2026-11-20T12:00:00.000000001Z", "2026-11-20T12:00:00,5", "2026-11-20T17:30+0530",
    "2026-11-20 17:30:00 +05:30", "2026-11-20T04:00-08",
])  # fmt: skip
def test_case_segment_date_with_offset_every_form_that_we_take_is_a_moment(holds, text):
    """What the case segment-date-with-offset.md bids us look at also: other ways to write a date."""
    assert holds(text, {"between": [{"days_ago": 10.001}, {"days_ago": 9.999}]})
    assert holds(text, {"between": ["2026-11-20T11:59:59Z", "2026-11-20T13:00:01+01:00"]})
    assert holds(text, {"gt": "2026-11-20T11:59:59Z"}) and not holds(text, {"gt": "2026-11-20T12:59:59Z"})
    assert not holds(text, {"is": "2026-11-20T13:00:00Z"}) and holds(text, {"is_not": "2026-11-20T13:00:00Z"})


def test_case_segment_date_with_offset_a_date_alone_stands_for_its_day(holds):
    """What the case segment-date-with-offset.md bids us look at also: dates without a time. It is noon of 30 November."""
    first, last = "2026-11-30T00:00:00Z", "2026-11-30T23:59:59.999Z"
    for operator, yes, no in (
        ("gte", last, "2026-12-01"), ("gt", "2026-11-29T23:59:59.999Z", first), ("lte", first, "2026-11-29"),
        ("lt", "2026-12-01T00:00:00Z", last), ("is", "2026-11-30T18:00:00+05:00", "2026-11-30T18:00:00-08:00"),
        ("is", "2026-11-30", "2026-12-01"),
    ):  # fmt: skip
        assert holds("2026-11-30", {operator: yes}) and not holds("2026-11-30", {operator: no}), operator
    assert holds("2026-11-30T18:00:00Z", {"is": "2026-11-30"}) and holds("2026-11-30T23:00:00Z", {"lte": "2026-11-30"})
    assert holds("2026-11-30T01:00:00Z", {"in": ["pro", "2026-11-30"], "ignore_case": True})


def test_today_to_in_three_days_has_a_date_alone_of_today(holds):
    between = {"between": [{"days_ago": 0}, {"days_ago": -3}]}
    found = [holds(f"2026-{day}", between) for day in ("11-29", "11-30", "12-02", "12-03", "12-04")]
    assert found == [False, True, True, True, False]


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-11-20T24:00:00Z", "2026-W48", "2026-11", "2026-11-20 or so", "pro", "1790000000"]
)
def test_a_text_that_is_no_date_is_neither_before_nor_after_one(holds, text):
    for value in ({"days_ago": -36_000}, {"days_ago": 36_000}, "1900-01-01", "2199-12-31"):
        assert not any(holds(text, {operator: value}) for operator in ("lt", "lte", "gt", "gte"))
    assert holds(text, {"is": text}) and holds(text, {"gte": text}) and not holds(text, {"gt": text})
    assert holds(text, {"between": ["", "z"]})  # texts stay texts


def test_two_texts_are_dates_only_together(holds):
    assert holds("2026-06-01T00:00:00-08:00", {"between": ["2026-01", "2026-12-31"]})
    assert holds("2026-06", {"between": ["2026-01", "2026-12-31"]})
    assert not holds("2026-06", {"between": ["2026-01-01", "2026-12-31"]})


def test_a_number_is_a_moment_beside_days_ago_alone(holds):
    for number in (NOW - DAY, (NOW - DAY) // 1000):
        assert holds(number, {"between": [{"days_ago": 1.1}, {"days_ago": 0.9}]})
        assert not holds(number, {"gte": "1970-01-01"}) and not holds(number, {"is": dates.render(NOW - DAY)})
    assert not holds("2026-11-29T12:00:00Z", {"gte": 0}) and not holds(True, {"gte": "1970-01-01"})
