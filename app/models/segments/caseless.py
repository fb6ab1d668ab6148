"""Caseless text comparison, the same on both databases.

Neither database's own rules will do: SQLite's know ASCII alone, Postgres' depend on the machine. So the text looked for
says which letters matter: only their capitals are turned into small ones, in the text that is stored.
"""

import functools
import sys

from app.models.dialects import Dialect
from app.models.segments.conditions import Condition


def fold(text: str) -> str:
    """Return the text in small letters, each for itself: one that becomes two (as in Turkish) stays as it is."""
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def folded(d: Dialect, stored: Condition, wanted: str) -> Condition:
    """Return the stored text with those letters small that are in `wanted`, which is folded."""
    pairs = [(capital, small) for small in sorted(set(wanted)) for capital in _capitals().get(small, "")]
    if d.name == "postgres":
        capitals, smalls = "".join(one for one, _ in pairs), "".join(one for _, one in pairs)
        return stored._replace(sql=f"translate({stored.sql}, ?, ?)", values=(*stored.values, capitals, smalls))
    beyond = [pair for pair in pairs if not pair[0].isascii()]
    sql = "replace(" * len(beyond) + f"lower({stored.sql})" + ", ?, ?)" * len(beyond)
    return stored._replace(sql=sql, values=(*stored.values, *(letter for pair in beyond for letter in pair)))


@functools.cache
def _capitals() -> dict[str, str]:
    """Small letter -> all letters that become it."""
    found: dict[str, str] = {}
    for code in range(sys.maxunicode + 1):
        small = chr(code).lower()
        if len(small) == 1 and small != chr(code):
            found[small] = found.get(small, "") + chr(code)
    return found
