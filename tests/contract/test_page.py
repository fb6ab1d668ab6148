"""Pages: a walk meets every user of the workspace once, in the order in which they came."""

import pytest

from tests.contract.rule import rule


@pytest.fixture
def users(reference, twin):
    """Seven users in the order in which they came; the other workspace has one, too."""
    twin.api.user()
    return [reference.api.user(f"u{number}")["uid"] for number in (3, 1, 2, 7, 5, 6, 4)]


@rule("walk")
def test_pages_walk_all_users_once(lane, users):
    for limit in (1, 2, 7, 8, 30):
        assert lane.walk(limit) == users, limit


@rule("walk_back")
def test_pages_walk_all_users_once_backwards(lane, users):
    for limit in (1, 2, 7, 8, 30):
        assert lane.walk_back(limit) == users, limit


@rule("walk")
def test_a_workspace_without_users_has_one_empty_page(lane):
    assert lane.walk(10) == []
