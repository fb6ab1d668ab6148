"""A dict that keeps its newest entries."""

import contextlib
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedDict(dict[K, V]):
    """A dict in which a new entry takes the place of the oldest when there are `size`; threads may share it.

    It is read as any dict. cachetools reads through Python code, and needs a lock (docs/decisions.md).
    """

    def __init__(self, size: int):
        super().__init__()
        self._size = size

    def __setitem__(self, key: K, value: V) -> None:
        if len(self) >= self._size and key not in self:
            with contextlib.suppress(StopIteration, RuntimeError):  # another thread changes it just now: one more stays
                self.pop(next(iter(self)), None)
        super().__setitem__(key, value)
