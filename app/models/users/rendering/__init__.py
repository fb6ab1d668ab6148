"""The user object (engage.md section 3) rendered as JSON by the database, for the reads of the hot path.

To make a dict of a row, and JSON of the dict, takes as long as finding the row (benchmarks/LOG.md). A test proves that
the bytes are those of app/api/replies.py.
"""

from app.models.users.rendering.objects import find_call, saved, saved_user
from app.models.users.rendering.pages import RenderedPage, beside_call, page_calls, pages_of

__all__ = [
    "RenderedPage",
    "beside_call",
    "find_call",
    "page_calls",
    "pages_of",
    "saved",
    "saved_user",
]
