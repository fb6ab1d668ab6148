"""Background jobs: the worker loop and its jobs."""

from app.jobs.loop import run

__all__ = ["run"]
