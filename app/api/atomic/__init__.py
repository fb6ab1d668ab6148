"""The Atomic face: the same services behind other words (atomic.md). Its paths stand whole at each view."""

from app.api.atomic import credentials, customers, deletions, fields, preferences, sdk_keys, tokens, visits
from app.api.atomic.blueprint import blp

__all__ = ["blp", "credentials", "customers", "deletions", "fields", "preferences", "sdk_keys", "tokens", "visits"]
