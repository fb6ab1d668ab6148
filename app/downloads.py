"""HTTPS downloads from public addresses only, limited in size and time.

The name of the server is resolved once, the addresses are looked at, and one of these very addresses is connected to: a
name that resolves to another one a moment later (DNS rebinding) leads nowhere. Redirects and proxies are not followed.
"""

import contextlib
import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL = 2_048  # characters
_HTTPS_PORT = 443
_URL = re.compile(r"https://[!-~]+", re.ASCII)  # printable ASCII: whatever else it has must be written in percent
_PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")  # all that was ever given out
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
_LAST_32_BITS = 0xFFFF_FFFF
_HEADERS = {"Accept": "application/json", "User-Agent": "rollcall", "Connection": "close"}


class Failed(Exception):
    """The document could not be had; the text says why, in a sentence that quotes nothing of what was answered."""


def fetch(url: str, private: Sequence[Network], max_bytes: int, seconds: float) -> bytes:
    """Return what a GET of the URL answers with 200.

    private: networks that may be asked although they are not public. seconds: for all of it, but for the resolver,
    which has time-outs of its own. Raises Failed.
    """
    deadline = time.monotonic() + seconds
    parts = _split(url)
    port = parts.port or _HTTPS_PORT
    try:
        addresses = _resolve(str(parts.hostname), port, private)
        with _connection(str(parts.hostname), port, addresses, deadline) as connection:
            connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), None, _HEADERS)
            document = _read(connection, max_bytes)
            if time.monotonic() >= deadline:  # then it may have been cut short
                raise TimeoutError
    except (OSError, ValueError, http.client.HTTPException) as error:
        late = time.monotonic() >= deadline
        raise Failed("The server did not answer in time." if late else _reason(error)) from None
    return document


def check(url: str, private: Sequence[Network]) -> None:
    """Raise Failed if `fetch` would refuse the URL whatever its name resolves to. Sends no request."""
    host = str(_split(url).hostname).rstrip(".")
    address = _literal("127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host)
    if address:
        _check(address, private)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url) if _URL.fullmatch(url) and len(url) <= MAX_URL else None
        if parts and parts.hostname and parts.port != 0 and not parts.fragment and "@" not in parts.netloc:
            return parts
    except ValueError:  # of a port or an address in brackets
        pass
    raise Failed(f"Must be an https URL in ASCII of at most {MAX_URL} characters, without a user name or a fragment.")


def _literal(host: str) -> Address | None:
    """The address that the host is itself, also where it is written as 127.1 or 0x7f000001."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host)
    with contextlib.suppress(OSError):
        return ipaddress.ip_address(socket.inet_aton(host))
    return None


def _resolve(host: str, port: int, private: Sequence[Network]) -> list[str]:
    """The addresses of the host, each of them checked."""
    try:
        found = [str(place[0]) for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise Failed("The name of the server cannot be resolved.") from None
    for one in found:
        _check(ipaddress.ip_address(one), private)
    return found


def _check(address: Address, private: Sequence[Network]) -> None:
    """Raise Failed unless the address is one of the internet, or in one of these networks."""
    address = _within(address)
    if not _is_public(address) and not any(address in one for one in private if one.version == address.version):
        raise Failed("The address of the server is private.")


def _within(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & _LAST_32_BITS)
        return address.ipv4_mapped or address
    return address


def _is_public(address: Address) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    return address in _PUBLIC_IPV6 and address.sixtofour is None and address.teredo is None  # tunnels lead anywhere


@contextlib.contextmanager
def _connection(
    host: str, port: int, addresses: Sequence[str], deadline: float
) -> Iterator[http.client.HTTPSConnection]:
    """A connection to the first of the addresses that answers, broken off at the deadline (time.monotonic())."""
    context = ssl.create_default_context()
    bare = _connect(addresses, port, deadline)
    with context.wrap_socket(bare, server_hostname=host, do_handshake_on_connect=False) as secured:
        # The time-out of a socket starts anew with each byte. The shutdown of the plain socket ends every wait at once.
        end = threading.Timer(max(0, deadline - time.monotonic()), _break_off, (secured,))
        end.daemon = True
        end.start()
        try:
            secured.do_handshake()
            connection = http.client.HTTPSConnection(host, port)
            connection.sock = secured
            yield connection
        finally:
            end.cancel()


def _read(connection: http.client.HTTPSConnection, max_bytes: int) -> bytes:
    with connection.getresponse() as response:
        if response.status != http.client.OK:
            raise Failed(f"The server answered {response.status}.")
        document = response.read(max_bytes + 1)
        if len(document) > max_bytes:
            raise Failed(f"The document is longer than {max_bytes} bytes.")
        if response.length:  # what it had announced, and did not send
            raise http.client.IncompleteRead(document)
        return document


def _connect(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    failure: OSError = TimeoutError()
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, port), timeout=left)
        except OSError as error:
            failure = error
    raise failure


def _break_off(secured: ssl.SSLSocket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(secured, socket.SHUT_RDWR)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "The certificate of the server is not valid."
    if isinstance(error, ConnectionRefusedError):
        return "The server refuses connections."
    return "The server could not be reached, or did not answer as one of https does."
