"""Filters that meet few of many users, on SQLite: pages come short, and a walk of them meets everybody once."""

import pytest

from app.models.users import finding

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])
USERS, SOME = 60, 7  # every seventh has the attribute


@pytest.fixture
def slow(monkeypatch):
    """No statement of a page comes to its end in time, and a window is small."""
    monkeypatch.setattr(finding, "PAGE_MILLISECONDS", -1)
    monkeypatch.setattr(finding, "_WINDOW", 5)
    monkeypatch.setattr(finding, "page_in_time", lambda *where: None)
    monkeypatch.setattr("app.models.users.page_in_time", lambda *where: None)


@pytest.fixture
def some(api):
    """The uids of those who have the attribute, oldest first."""
    for number in range(USERS):
        api.put(f"users/u{number:02}", {"meta": {"plan": "pro" if number % SOME == 0 else "free"}})
    return [f"u{number:02}" for number in range(0, USERS, SOME)]


def walk(api, query, name):
    """Return the pages from one end to the other, a list of uids each."""
    pages, cursor = [], f"&previous_cursor={'f' * 24}" if name == "previous_cursor" else ""
    while True:
        page = api.get(f"users?{query}{cursor}").json
        pages.append([user["uid"] for user in page["data"]])
        if name not in page:
            return pages
        cursor = f"&{name}={page[name]}"


@pytest.mark.parametrize("limit", [1, 2, 30])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_walk_of_short_pages_meets_everybody_once(api, some, slow, limit, order):
    query = f"meta.plan=pro&limit={limit}&order={order}"
    ahead = walk(api, query, "next_cursor")
    assert any(len(one) < min(limit, len(some)) for one in ahead)
    assert [uid for page in ahead for uid in page] == (some if order == "asc" else some[::-1])


@pytest.mark.parametrize("limit", [1, 2, 30])
def test_a_walk_back_meets_everybody_once(api, some, slow, limit):
    back = walk(api, f"meta.plan=pro&limit={limit}", "previous_cursor")
    assert [uid for page in reversed(back) for uid in page] == some


def test_nobody_is_an_empty_page_with_a_cursor_until_the_end(api, some, slow):
    pages = walk(api, "meta.plan=nobody", "next_cursor")
    assert len(pages) > USERS / 5 - 1 and not any(pages)


def test_a_page_that_is_found_in_time_is_whole(api, some):
    page = api.get("users?meta.plan=pro&limit=30").json
    assert [user["uid"] for user in page["data"]] == some and "next_cursor" not in page
