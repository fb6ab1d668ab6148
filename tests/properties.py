"""Property tests that prove how often their examples reached the code that they are about."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis.strategies import SearchStrategy

MAX_EXAMPLES = 150
MIN_REACHED = 0.6  # of the examples; fewer, and most of the run proves nothing


def check(reaches: Callable[[Any], bool], examples: SearchStrategy[Any]) -> None:
    """Try a property on examples.

    reaches: asserts the property of one example, and returns True if the example reached the code in question.
    Raises AssertionError when the property fails, or when less than MIN_REACHED of the examples reached the code.
    """
    reached = []

    @settings(max_examples=MAX_EXAMPLES, deadline=None)
    @given(examples)
    def holds(example: Any) -> None:
        reached.append(reaches(example))

    holds()
    assert sum(reached) >= MIN_REACHED * len(reached), f"only {sum(reached)} of {len(reached)} reached the code"
