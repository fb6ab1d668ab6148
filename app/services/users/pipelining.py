"""Pipelining: independent groups of statements share their round trips to the database."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from app.models.database import Call

Rows = list[tuple[Any, ...]]
# What is done for a group: it asks for calls, gets the rows of each, may ask again, and returns what was found.
Steps = Generator[Sequence[Call], list[Rows], dict[Any, Any]]
Run = Callable[[Sequence[Call]], list[Rows]]


def run_groups(groups: Sequence[Steps], run: Run) -> dict[Any, Any]:
    """Run the calls that the groups ask for, those of all at once; return what they found."""
    found: dict[Any, Any] = {}
    answers: list[tuple[Steps, Any]] = [(group, None) for group in groups]
    while answers:
        asked = []
        for group, rows in answers:
            try:
                asked.append((group, group.send(rows)))
            except StopIteration as end:
                found |= end.value
        remaining = iter(run([call for _, calls in asked for call in calls]) if asked else ())
        answers = [(group, [next(remaining) for _ in calls]) for group, calls in asked]
    return found
