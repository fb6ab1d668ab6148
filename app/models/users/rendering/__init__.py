"""The user object of engage.md section 3 as the database itself writes it: the reads of the hot path.

A dict made of a row, and JSON made of that, take as long as finding the row; written by the query they take a tenth of
it. On SQLite a read takes 10 us less of 33, a page of 30 half. On Postgres, with the worker, a page takes 307 us of 860
(benchmarks/LOG.md). A test proves that the bytes are those of app/api/replies.py.
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
