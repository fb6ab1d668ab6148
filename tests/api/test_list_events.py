"""GET /v1/users/{uid}/events: our own addition."""

import pytest

from tests.factories import fresh


@pytest.fixture
def uid(api):
    """A user with one event before 1970, and five on two days of 2026 at just two moments."""
    uid = fresh()
    moments = ["1969-07-20T20:17:40Z", *["2026-01-01"] * 3, *["2026-01-02"] * 2]
    for number, timestamp in enumerate(moments):
        api.post(f"users/{uid}/events", {"event": f"e{number % 2}", "value": number, "timestamp": timestamp})
    return uid


def values(page):
    return [event["value"] for event in page["data"]]


def test_newest_first_each_once(api, uid):
    seen, cursor = [], ""
    while True:
        page = api.get(f"users/{uid}/events?limit=2{cursor}").json
        seen += values(page)
        if "next_cursor" not in page:
            break
        cursor = f"&next_cursor={page['next_cursor']}"
    assert seen == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("event=e1", [5, 3, 1]), ("event=none", []), ("since=2026-01-02", [5, 4]), ("until=2026-01-01", [0]),
        ("since=2026-01-01&until=2026-01-02", [3, 2, 1]), ("since=2026-01-01T00:00:00.001Z", [5, 4]),
        ("event=e0&until=2026-01-02&limit=1", [2]), ("since=1767225600000", [5, 4, 3, 2, 1]),
    ],
)  # fmt: skip
def test_filters(api, uid, query, expected):
    assert values(api.get(f"users/{uid}/events?{query}").json) == expected


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "next_cursor=zzz", "since=x", "until=", "event=", "since=1&since=2"]
)
def test_a_bad_parameter_is_named(api, uid, query):
    refused = api.get(f"users/{uid}/events?{query}")
    assert (refused.status_code, list(refused.json["details"])) == (400, [query.partition("=")[0]])


def test_an_unknown_user_is_not_found(api):
    assert api.get(f"users/{fresh()}/events").status_code == 404


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("public", 403)])
def test_without_the_secret_nothing_is_shown(api, uid, by, status):
    assert api.get(f"users/{uid}/events", by=by).status_code == status


def test_events_of_another_workspace_are_not_found(other_api, uid):
    assert other_api.get(f"users/{uid}/events").status_code == 404
