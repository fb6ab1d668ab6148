"""Hostile strings and names in rules: they are values wherever they stand, and mean nothing to SQL."""

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.schemas.rules import check
from tests.factories import fresh

NASTY = (
    "'", '"', "''", "\\", "%", "%s", "%(x)s", "?", "??", "{row}", "{}", "{0}", "--", "/*", ";", "'; DROP TABLE users; --",
    "$1", "$.a", "[0]", "#-1", "a.b", "::jsonb", "@>", "||", "NULL", "\n", "\t", "\u2028", "\u200b", "é", "😀", "\x7f",
)  # fmt: skip
texts = (
    st.lists(st.sampled_from(NASTY) | st.text(string.printable, max_size=4), min_size=1, max_size=4)
    .map("".join)
    .filter(bool)
)
names = texts.filter(lambda text: len(text) <= 100)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=names, value=texts, other=names)
def test_whatever_stands_in_a_rule_is_found_as_it_was_stored_and_nothing_else(app, api, name, value, other):
    uid = fresh()
    api.user(uid, first_name=value, meta={name: value})
    sent = {"event": name, "value": value, "properties": {other: value}}
    assert api.post(f"users/{uid}/events", sent).status_code == 200
    mine = {"attribute": "uid", "is": uid}
    for leaf in (
        {"attribute": f"meta.{name}", "is": value},
        {"attribute": f"meta.{name}", "in": ["x", value]},
        {"attribute": f"meta.{name}", "exists": True},
        {"attribute": f"meta.{name}", "contains": value},
        {"attribute": f"meta.{name}", "is": value.upper(), "ignore_case": True} if value.isascii() else mine,
        {"attribute": f"meta.{name}", "between": [value, value]},
        {"attribute": "first_name", "starts_with": value},
        {"attribute": "first_name", "ends_with": value, "ignore_case": True},
        {"event": name},
        {"event": name, "where": [{"property": other, "is": value}, {"value": {"is": value}}]},
        {"event": name, "where": [{"property": other, "exists": True}], "count": {"is": 1}},
    ):
        assert list(check(leaf)) == []
        answer = api.post("segments/preview", {"rule": {"all": [mine, leaf]}})
        assert (answer.status_code, answer.json.get("count")) == (200, 1), (leaf, answer.json)
        assert api.post("segments/preview", {"rule": {"all": [mine, {"not": leaf}]}}).json["count"] == 0, leaf
    for leaf in ({"list": "f" * 24}, {"account": value}, {"event": name, "sum": other, "gte": 0}):
        assert api.post("segments/preview", {"rule": {"all": [mine, leaf]}}).json.get("count", 0) == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(("all", "any", "not", "attribute", "is", "in", "between", "event", "count", "where", "property", "value",
                         "within", "days", "days_ago", "gte", "list", "segment", "sum", "first", "device", "is_account")),
        inner, max_size=3),
    max_leaves=8,
))  # fmt: skip
def test_whatever_is_sent_as_a_rule_is_taken_or_told_where_it_is_wrong(rule):
    for pointer, expected in check(rule):
        assert pointer.startswith("/rule") and expected.startswith("Must ")


@pytest.mark.parametrize("name", ["segments; DROP TABLE segments", "{row}", "%s"])
def test_the_name_of_a_segment_is_a_name(api, name):
    made = api.post("segments", {"name": name, "rule": {"all": []}})
    assert (made.status_code, made.json["name"]) == (200, name)
