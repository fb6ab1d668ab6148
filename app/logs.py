"""Logs: one JSON object a line, on standard error. They name routes by template and never name users."""

import contextlib
import logging
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

_log = structlog.get_logger()
_settings = {"tells_requests": True}
_thread = threading.local()  # whose `held` are the lines of requests that are answered inside a `held`, if any
_PIPE_BUFFER = 4_096  # bytes: what Linux writes to a pipe whole (pipe(7))


def configure(level: str) -> None:
    """Set up the log of this process. level: the least severe that is written."""
    _settings["tells_requests"] = level in ("debug", "info")
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


def tells_requests() -> bool:
    """Return True if lines of requests are written."""
    return _settings["tells_requests"]


def requests(lines: Iterable[dict[str, Any]]) -> None:
    """Write the lines of requests that were answered together, in the form of all others.

    By hand: structlog makes one line at a time, which costs a fifth of a hot read. So few bytes go in one write that
    two processes cannot mix theirs.
    """
    if not _settings["tells_requests"]:
        return
    if held := getattr(_thread, "held", None):
        held[-1].extend(lines)
        return
    rest = {"event": "request", "level": "info", "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
    written = b""
    for line in lines:
        text = orjson.dumps(line | rest) + b"\n"
        if len(written) + len(text) > _PIPE_BUFFER:
            _write_bytes(written)
            written = b""
        written += text
    _write_bytes(written)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Write the lines of the requests that are answered inside when all are, and none of them if it raises."""
    stack = _thread.__dict__.setdefault("held", [])
    stack.append([])
    try:
        yield
    except BaseException:
        stack.pop()
        raise
    requests(stack.pop())


def _write_bytes(data: bytes) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()


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
