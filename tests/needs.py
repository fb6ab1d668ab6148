"""Programs that some tests need and not every machine has: without them a test is skipped, and fails in CI."""

import os
import shutil
from typing import NoReturn

import pytest

REQUIRE = "ROLLCALL_TESTS_REQUIRE"  # "all": what is missing fails the test; .ci/packages installs it


def program(*names: str) -> str:
    """Return the path of the first of these programs that is installed; skip or fail the test where none is."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or missing(f"{names[0]} is not installed")


def everything() -> bool:
    """Return whether everything must be there that a test needs."""
    return os.environ.get(REQUIRE) == "all"


def missing(reason: str) -> NoReturn:
    """Skip the test that runs for this reason, or fail it where everything must be there."""
    if everything():
        pytest.fail(f"{reason}, and {REQUIRE} is all")
    pytest.skip(reason)
