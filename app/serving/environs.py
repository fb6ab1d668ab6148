"""The environ of PEP 3333, made of a request."""

import io
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from app.api.hot import Request
from app.api.proxies import LISTENING

Environ = dict[str, Any]
Address = tuple[str, int | None]  # host and port

SOMEWHERE: Address = ("localhost", 80)  # where a server is that has no address of its own, on a Unix socket
_NAMES = 256  # of headers that are remembered
_ALWAYS = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


def make(
    request: Request, server: Address, is_threaded: bool, protocol: str = "HTTP/1.1", announced: int = 0
) -> Environ:
    """Return the environ of a request whose body lies whole in it.

    is_threaded: whether another thread may be in the application meanwhile. protocol: "HTTP/" and a version. announced:
    how many bytes the body was said to have, 0 if that was not said; the application sees that much where more was sent
    than is kept.
    """
    path, query = _split(request.target)
    return {
        **_ALWAYS,
        "REQUEST_METHOD": request.method,
        "PATH_INFO": path,
        "RAW_URI": request.target.decode("latin-1"),  # app/api/flask_app.py looks there for slashes that were escaped
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": protocol,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": request.address,
        LISTENING: None if server is SOMEWHERE else server,
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": is_threaded,
        **_headers(request.headers),
        "CONTENT_LENGTH": str(max(announced, len(request.body))),
    }


def _split(target: bytes) -> tuple[str, str]:
    """Return the path, without its escapes, and the query."""
    if not target.startswith(b"/"):  # the absolute form of a request to a proxy (RFC 9112 section 3.2.2)
        target = b"/" + target.partition(b"://")[2].partition(b"/")[2]
    path, _, query = target.partition(b"?")
    return (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"), query.decode("latin-1")


def _headers(headers: Sequence[tuple[bytes, bytes]]) -> Environ:
    found: Environ = {}
    for name, value in headers:
        key, text = _key(name), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    found.pop("HTTP_TRANSFER_ENCODING", None)  # the body lies whole in wsgi.input
    found.pop("HTTP_UPGRADE", None)  # we do not, and werkzeug would look for a route of websockets
    found.pop("HTTP_CONTENT_LENGTH", None)
    found["CONTENT_TYPE"] = found.pop("HTTP_CONTENT_TYPE", "")
    return found


@lru_cache(_NAMES)
def _key(name: bytes) -> str:
    return "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
