"""The Atomic Users API over the same users: customers, their clients, keys, tokens and deletions (atomic.md)."""
