"""Log lines: one JSON object each, on standard error. They name routes by template and users not at all."""

import contextlib
import logging
import sys
import traceback
from typing import Any

import orjson
import structlog

_log = structlog.get_logger()


def configure(level: str) -> None:
    """Set up the log of this process. level: the least severe that is written."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=lambda line, **_: orjson.dumps(line, default=str)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


def request(**fields: Any) -> None:
    """Write the line of a request that was answered."""
    _write("info", "request", **fields)


def event(name: str, **fields: Any) -> None:
    """Write that something happened to the service."""
    _write("info", name, **fields)


def warning(name: str, **fields: Any) -> None:
    """Write that something is wrong, and goes on being served."""
    _write("warning", name, **fields)


def fault(error: BaseException, **fields: Any) -> None:
    """Write an error with its places in the code, without its message: a database's messages quote what was stored."""
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    cause = type(error.__cause__ or error.__context__ or error).__name__
    _write("error", "fault", error=type(error).__name__, cause=cause, stack=places, **fields)


def _write(level: str, name: str, **fields: Any) -> None:
    with contextlib.suppress(OSError):  # a disk that is full of logs must not make a 500 of a write that was stored
        getattr(_log, level)(name, **fields)


class JsonFormatter(logging.Formatter):
    """gunicorn's own lines in the same form."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a JSON object."""
        line = {"event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
        return orjson.dumps({**line, "timestamp": self.formatTime(record)}).decode()
