"""What a lane answers to a write."""

from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """Whether a write was taken. Of a refused one: the fields it names as wrong, in the words of Engage.

    code: from app/errors.py; status: of HTTP. Both are None where the lane does not tell. said: the reply itself.
    """

    taken: bool
    fields: frozenset[str] = frozenset()
    code: str | None = None
    status: int | None = None
    said: Any = None

    def names(self, field: str) -> bool:
        """Return True if the refusal names this field, or something inside it."""
        return any(one == field or one.startswith(f"{field}.") for one in self.fields)
