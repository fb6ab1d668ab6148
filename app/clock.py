"""The clock. All code that needs the time calls it, so that tests can set it."""

import time


def now() -> int:
    """Return the time in milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000
