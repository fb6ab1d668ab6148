"""Segments: saved questions about users, answered when they are asked (docs/segments.md).

`membership` is the low half, which `users` needs too; `definitions` keeps the segments themselves, and `answers` is
what can be asked of one.
"""
