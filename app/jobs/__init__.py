"""What is done beside requests: the worker loop, and its jobs of three lines."""

from app.jobs.loop import run

__all__ = ["run"]
