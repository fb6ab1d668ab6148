"""The routes of the Atomic Users API (atomic.md): the services of the Engage API under other names."""

from app.api.atomic import credentials, customers, deletions, fields, preferences, sdk_keys, tokens, visits
from app.api.atomic.blueprint import blp

__all__ = ["blp", "credentials", "customers", "deletions", "fields", "preferences", "sdk_keys", "tokens", "visits"]
