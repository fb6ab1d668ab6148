"""Rules on `email` and `number`: any spelling matches, as everywhere else, unless the rule says `exact`."""

import pytest

from tests.factories import fresh


@pytest.fixture
def holds(api):
    """Tell whether a rule holds for one user, by its uid."""

    def ask(uid, leaf):
        answer = api.post("segments/preview", {"rule": {"all": [{"attribute": "uid", "is": uid}, leaf]}})
        assert answer.status_code == 200, answer.json
        return answer.json["count"] == 1

    return ask


def test_case_segment_email_case_a_rule_finds_whom_the_filter_of_users_finds(api, holds):
    """The case segment-email-case.md."""
    uid = api.user(email="Ann@Example.com")["uid"]
    assert [one["uid"] for one in api.get("users?email=ann@example.com").json["data"]] == [uid]
    assert holds(uid, {"attribute": "email", "is": "ann@example.com"})


def test_case_segment_email_case_a_number_is_matched_by_its_digits(api, holds):
    """What the case segment-email-case.md bids us look at also."""
    uid = api.user(number="+234 (803) 123-4567")["uid"]
    assert [one["uid"] for one in api.get("users?number=2348031234567").json["data"]] == [uid]
    assert holds(uid, {"attribute": "number", "is": "2348031234567"})


@pytest.mark.parametrize("comparison", [
    {"is": "ANN@example.COM"}, {"in": ["x@y.io", "ann@EXAMPLE.com"]}, {"contains": "N@EX"}, {"starts_with": "aNN@"},
    {"ends_with": "@EXAMPLE.COM"}, {"gte": "ann@example.com"}, {"lte": "ANN@EXAMPLE.COM"}, {"gt": "anm"}, {"lt": "ANO"},
    {"between": ["ANN", "ANO"]}, {"is": "ann@example.com", "ignore_case": True}, {"is": "ann@example.com", "exact": False},
])  # fmt: skip
def test_every_operator_on_an_email_is_caseless_unless_it_is_exact(api, holds, comparison):
    uid = api.user(email="Ann@Example.com")["uid"]
    assert holds(uid, {"attribute": "email", **comparison})
    strict = {key: value for key, value in comparison.items() if key != "ignore_case"} | {"exact": True}
    lower = api.user(email="ann@example.com")["uid"]
    assert {holds(uid, {"attribute": "email", **strict}), holds(lower, {"attribute": "email", **strict})} != {True}


@pytest.mark.parametrize("comparison", [
    {"is": "+2348031234567"}, {"in": ["1", "234 803 1234567"]}, {"contains": "803.123"}, {"starts_with": "(234)"},
    {"ends_with": "12.34.567"}, {"lte": "+234 803 1234567"}, {"between": ["(234)", "+235"]},
    {"is": "234.803.123.4567", "ignore_case": True},
])  # fmt: skip
def test_every_operator_on_a_number_looks_at_its_digits_unless_it_is_exact(api, holds, comparison):
    uid = api.user(number="234 803-123 4567")["uid"]
    assert holds(uid, {"attribute": "number", **comparison})
    strict = {key: value for key, value in comparison.items() if key != "ignore_case"} | {"exact": True}
    assert not holds(uid, {"attribute": "number", **strict})


def test_exact_finds_the_very_spelling(api, holds):
    uid = api.user(email="Ann@Example.com", number="+234 803 1234567")["uid"]
    for name, spelt, other in (("email", "Ann@Example.com", "ann@Example.com"),
                               ("number", "+234 803 1234567", "+2348031234567")):  # fmt: skip
        assert holds(uid, {"attribute": name, "is": spelt, "exact": True})
        assert not holds(uid, {"attribute": name, "is": other, "exact": True})
        assert holds(uid, {"attribute": name, "is_not": other, "exact": True})
        assert not holds(uid, {"attribute": name, "is_not": other})
        assert not holds(uid, {"attribute": name, "not_in": [other]})


def test_ignore_case_false_beside_an_email_still_means_that_capitals_count(api, holds):
    uid = api.user(email="Ann@Example.com")["uid"]
    assert not holds(uid, {"attribute": "email", "is": "ann@example.com", "ignore_case": False})
    assert holds(uid, {"attribute": "email", "is": "Ann@Example.com", "ignore_case": False})


def test_a_text_without_a_digit_is_looked_for_in_a_number_as_it_is_spelt(api, holds):
    uid, plain = (api.user(number=one)["uid"] for one in ("+234 803 1234567", "2348031234567"))
    for found, comparison in ((uid, {"starts_with": "+"}), (uid, {"contains": " "})):
        assert holds(found, {"attribute": "number", **comparison})
        assert not holds(plain, {"attribute": "number", **comparison})
    assert not holds(uid, {"attribute": "number", "is": "none"})


def test_whoever_has_no_email_is_not_any(api, holds):
    uid = api.user(fresh())["uid"]
    assert not holds(uid, {"attribute": "email", "is": "a@b.io"}) and holds(
        uid, {"attribute": "email", "is_not": "a@b.io"}
    )


@pytest.mark.parametrize(("rule", "pointer", "expected"), [
    ({"attribute": "first_name", "is": "x", "exact": True}, "/rule/exact", "Must not be here: it goes with the attribute email"),
    ({"attribute": "meta.email", "is": "x", "exact": True}, "/rule/exact", "Must not be here: it goes with"),
    ({"attribute": "created_at", "gte": "2026-01-01", "exact": True}, "/rule/exact", "Must not be here: it goes with"),
    ({"attribute": "email", "exists": True, "exact": True}, "/rule/exact", "Must not be here: it goes with"),
    ({"attribute": "email", "is": "x", "exact": "yes"}, "/rule/exact", "Must be true or false."),
    ({"attribute": "email", "is": "x", "exact": True, "ignore_case": True}, "/rule/ignore_case", "Must not be here, beside exact"),
    ({"event": "Paid", "where": [{"property": "email", "is": "x", "exact": True}]}, "/rule/where/0/exact", "Must not be here"),
    ({"event": "Paid", "where": [{"value": {"is": "x", "exact": True}}]}, "/rule/where/0/value/exact", "Must not be here"),
    ({"event": "Paid", "exact": True}, "/rule/exact", "Must not be here"),
])  # fmt: skip
def test_exact_where_it_says_nothing_is_refused_with_the_places_where_it_does(api, rule, pointer, expected):
    refused = api.post("segments", {"name": "x", "rule": rule})
    assert (refused.status_code, refused.json["code"]) == (400, "invalid_input"), refused.json
    assert refused.json["details"][pointer][0].startswith(expected), refused.json["details"]
