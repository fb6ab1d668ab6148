"""An issuer of tokens, as an identity provider is one: keys of its own, and a server that publishes them over https."""

import base64
import contextlib
import datetime
import http.server
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from app.services.atomic import jwks

HOST = "issuer.example"
RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEYS = {"ES256": ec.generate_private_key(ec.SECP256R1()), "ES384": ec.generate_private_key(ec.SECP384R1()),
           "ES512": ec.generate_private_key(ec.SECP521R1())}  # fmt: skip


def pem(key: Any) -> str:
    """Return the public half of a private key in PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def jwk(key: Any, **more: Any) -> dict[str, Any]:
    """Return the public half of a private key as a JSON Web Key."""
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), **more}


def token(key: Any = RSA_KEY, algorithm: str = "RS256", header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return a token that is good for ten minutes unless the claims say something else; None leaves a claim out."""
    claims = {"sub": "somebody", "exp": int(time.time()) + 600, **claims}
    given = {name: value for name, value in claims.items() if value is not None}
    return sealed(json.dumps(given).encode(), key, algorithm, **(header or {}))


def sealed(payload: bytes, key: Any = RSA_KEY, algorithm: str = "RS256", **header: Any) -> str:
    """Return a token with exactly these bytes for its claims."""
    return jwt.PyJWS().encode(payload, key, algorithm, headers=header or None)


def raw(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """Return a token with exactly this header and signature."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)


def fetches_end() -> None:
    """Wait until no set is being fetched any more: what is under way must end on the database of its test."""
    for _ in range(jwks._MAX_FETCHES):
        assert jwks._slots.acquire(timeout=10)
    jwks._slots.release(jwks._MAX_FETCHES)


class Issuer:
    """Publishes a set of keys. Use as a context manager."""

    def __init__(self, folder: Path):
        self.keys: list[Any] = []
        self.status, self.headers, self.body = 200, {}, None
        self.delay = 0.0  # seconds before the answer
        self.drip = 0.0  # seconds between two bytes of the body
        self.paths: list[str] = []  # those that were asked for
        self.certificate = folder / "issuer.pem"
        self.certificate.write_bytes(_certificate())
        self.server = _Server(("127.0.0.1", 0), self._handler())
        self.server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.context.load_cert_chain(self.certificate)
        self.port = self.server.server_port

    @property
    def url(self) -> str:
        """Where the set lies, by a name that must be resolved to this machine."""
        return f"https://{HOST}:{self.port}/jwks.json"

    @property
    def local_url(self) -> str:
        """The same by the address of this machine."""
        return f"https://127.0.0.1:{self.port}/jwks.json"

    def __enter__(self) -> "Issuer":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(issuer) -> type[http.server.BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.paths.append(self.path)
                time.sleep(issuer.delay)
                body = json.dumps({"keys": issuer.keys}).encode() if issuer.body is None else issuer.body
                with contextlib.suppress(OSError):
                    self.send_response(issuer.status)
                    for name, value in {"Content-Length": str(len(body)), **issuer.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    for part in _parts(body, issuer.drip):
                        self.wfile.write(part)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


class _Server(http.server.ThreadingHTTPServer):
    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection. TLS begins here, in its thread: a client that is gone already leaves no socket open."""
        with self.context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secured:
            secured.do_handshake()
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that do not believe our certificate are part of the tests."""


def _parts(body: bytes, drip: float) -> Iterator[bytes]:
    if not drip:
        yield body
        return
    for place in range(len(body)):
        yield body[place : place + 1]
        time.sleep(drip)


def _certificate() -> bytes:
    """A certificate for HOST and this machine that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(HOST), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
