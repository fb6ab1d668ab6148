"""Client address, scheme and prefix behind trusted proxies (ROLLCALL_TRUSTED_PROXIES)."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, has_request_context, request

from app import logs
from app.config import Network, Settings

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

PUBLIC = "rollcall.public_url"  # in the environ of a request
LISTENING = "rollcall.listening"  # there too: (host, port) of the socket, by our own server
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")
_PORT = re.compile(r"^(?:\[([^\]]*)\]|([^:]*))(?::[0-9]+)?$")  # 192.0.2.1:80, [2001:db8::1]:80
_FOR = re.compile(r'for=("?)([^",;\s]+)\1', re.IGNORECASE)  # RFC 7239 section 4
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_CACHED = 4_096  # addresses; reading one takes ten times as long as the rest
_IPV6_PREFIX = 64  # bits: what one subscriber of a provider has at least (RFC 6177)


class TrustedProxies:
    """A WSGI application that sees the client where its proxy stood: its address, scheme and host."""

    def __init__(self, application: WsgiApp, proxies: Sequence[Network]):
        self.application = application
        self._trusts = lru_cache(_CACHED)(lambda address: _is_in(address, proxies))
        self._proxies = proxies
        self._has_warned = False

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Call the application, with the environment changed where a trusted proxy asks for it."""
        self.adjust(environ)
        return self.application(environ, start_response)

    def adjust(self, environ: Environ) -> None:
        """Change the environment where a trusted proxy asks for it."""
        if self._proxies and self._trusts(environ.get("REMOTE_ADDR", "")):
            self._believe(environ)
        elif not self._has_warned and any(name in environ for name in _FORWARDED):
            self._has_warned = True
            logs.warning(
                "forwarded_ignored", hint="a proxy that is not in ROLLCALL_TRUSTED_PROXIES shares its limits with all"
            )

    def _believe(self, environ: Environ) -> None:
        found = {self._client(addresses) for addresses in _chains(environ)}
        if len(found) == 1:  # two headers that disagree: the proxy passes on one that it does not write
            environ["REMOTE_ADDR"] = found.pop() or environ.get("REMOTE_ADDR", "")
        scheme, host = (_last(environ, name) for name in ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"))
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        if _HOST.fullmatch(host):
            environ["HTTP_HOST"] = host
            environ[PUBLIC] = f"{environ['wsgi.url_scheme']}://{host}{_prefix(environ)}"

    def _client(self, addresses: list[str]) -> str:
        """The right-most address that no proxy of ours has; what stands left of it anybody can have written."""
        client = ""
        for address in reversed(addresses):
            if not _read(address):
                return client
            client = address
            if not self._trusts(address):
                return client
        return client


def public_url() -> str:
    """Return what the addresses that we hand out begin with: as it is set, as a trusted proxy says, or where we listen.

    Never the Host of a request: whoever sends one would choose where the links in somebody's mail lead.
    """
    settings: Settings = current_app.config["SETTINGS"]
    return settings.public_base or request.environ.get(PUBLIC) or own_url(settings)


def prefix() -> str:
    """Return the path under which others reach us, without a slash at its end; "" for none."""
    return urlsplit(public_url()).path


def own_url(settings: Settings) -> str:
    """Return the address at which the request came in, if the server says so, else the one that is set.

    A client chooses neither: SERVER_NAME would not do, as some servers take that from the Host of the request.
    """
    environ = request.environ if has_request_context() else {}
    found = environ.get(LISTENING)
    if found is None and "gunicorn.socket" in environ:
        found = environ["gunicorn.socket"].getsockname()
    if not isinstance(found, tuple):  # a Unix socket has a path
        return settings.base_url
    address = _read(found[0])
    host = f"[{address}]" if address and address.version == 6 else address or found[0]
    return f"http://{host}:{found[1]}"


def client() -> str:
    """Return the name under which the client of the request is counted: its address, of IPv6 the network."""
    return counted(request.remote_addr or "")


@lru_cache(_CACHED)
def counted(address: str) -> str:
    """Return the name under which an address is counted."""
    found = _read(address)
    if found is None or found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, _IPV6_PREFIX), strict=False))


def _chains(environ: Environ) -> Iterator[list[str]]:
    """Yield the addresses of each header that names any, without ports."""
    if "HTTP_X_FORWARDED_FOR" in environ:
        yield [_without_port(one) for one in environ["HTTP_X_FORWARDED_FOR"].split(",")]
    if "HTTP_FORWARDED" in environ:
        hops = environ["HTTP_FORWARDED"].split(",")
        yield [_without_port(found[2]) if (found := _FOR.search(hop)) else "" for hop in hops]


def _without_port(text: str) -> str:
    text = text.strip()
    found = _PORT.match(text)
    return (found[1] or found[2] or "") if found else text  # a bare IPv6 address has colons and no brackets


def _prefix(environ: Environ) -> str:
    """The path under which a proxy has us, without a slash at its end."""
    prefix = _last(environ, "HTTP_X_FORWARDED_PREFIX").rstrip("/")
    return prefix if _PREFIX.fullmatch(prefix) and ".." not in prefix else ""


def _last(environ: Environ, name: str) -> str:
    return str(environ.get(name, "")).rpartition(",")[2].strip()


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    """Whether one of the networks has the address; a client of a Unix socket, which has none, is on this machine."""
    found = _read(address)
    return address == "" or (found is not None and any(found in network for network in networks))


def _read(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
