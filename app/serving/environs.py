"""The environ of PEP 3333, made of a request."""

import io
import sys
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from app.api.hot import Request

Environ = dict[str, Any]
Address = tuple[str, int | None]  # host and port

SOMEWHERE: Address = ("localhost", 80)  # where a server is that has no address of its own, on a Unix socket
_HTTP_1_1 = "HTTP/1.1"
_NAMES = 256  # of headers that are remembered
_ALWAYS = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


def make(
    request: Request, server: Address, is_threaded: bool, protocol: str = _HTTP_1_1, announced: int = 0
) -> Environ:
    """Return the environ of a request whose body lies whole in it; announced: the length that it was sent with."""
    target = request.target
    if not target.startswith(b"/"):  # the absolute form of a request to a proxy (RFC 9112 section 3.2.2)
        target = b"/" + target.partition(b"://")[2].partition(b"/")[2]
    path, _, query = target.partition(b"?")
    environ = {
        **_ALWAYS,
        "REQUEST_METHOD": request.method,
        "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_PROTOCOL": protocol,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": request.address,
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.multithread": is_threaded,
    }
    for name, value in request.headers:
        key, text = _key(name), value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # the body lies whole in wsgi.input
    environ.pop("HTTP_UPGRADE", None)  # we do not, and werkzeug would look for a route of websockets
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = str(max(announced, len(request.body)))
    environ.pop("HTTP_CONTENT_LENGTH", None)
    return environ


@lru_cache(_NAMES)
def _key(name: bytes) -> str:
    return "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
