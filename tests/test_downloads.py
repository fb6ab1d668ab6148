"""Documents of other servers: what is fetched, and what nobody gets us to ask. The server is a real one, over TLS."""

import ipaddress
import socket
import time

import pytest

from app import downloads
from tests.issuers import HOST, Issuer

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]
MAX_BYTES = 10_000


@pytest.fixture
def issuer(tmp_path, monkeypatch):
    """A server whose certificate this process believes."""
    with Issuer(tmp_path) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        yield running


@pytest.fixture
def resolve(monkeypatch):
    """Let names resolve to what the test says, one answer after the other; returns how often was asked."""
    asked = []

    def use(*answers):
        left = list(answers)

        def getaddrinfo(host, port, *args, **more):
            asked.append(host)
            found = left.pop(0) if len(left) > 1 else left[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return use


def fetch(url, private=LOOPBACK, seconds=5.0):
    return downloads.fetch(url, private, MAX_BYTES, seconds)


def refusal(url, private=(), seconds=5.0):
    with pytest.raises(downloads.Failed) as failure:
        fetch(url, private, seconds)
    return str(failure.value)


def test_a_document_is_fetched(issuer):
    issuer.body = b"the document"
    assert fetch(issuer.local_url + "?a=b") == b"the document"
    assert issuer.paths == ["/jwks.json?a=b"]


@pytest.mark.parametrize("url", [
    "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https:///x", "https://", "//example.com", "example.com",
    "https://a:b@example.com/", "https://example.com:0/", "https://example.com:99999/", "https://example.com/#part",
    "https://example.com/a b", "https://example.com/\r\nX: y", "https://exämple.com/", "https://[::1/", "https://example.com/" + "a" * 2048,
])  # fmt: skip
def test_what_is_no_plain_https_url_is_refused(url):
    assert "https URL" in refusal(url)
    with pytest.raises(downloads.Failed, match="https URL"):
        downloads.check(url, LOOPBACK)


PRIVATE = [
    "127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[fe80::1]", "[fd00::1]", "[ff02::1]",
    "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2001:db8::1]", "[100::1]", "[4000::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_an_address_that_is_not_public_is_refused_however_it_is_written(host):
    for refuse in (lambda url: downloads.check(url, []), fetch_nothing_private):
        with pytest.raises(downloads.Failed, match="private|cannot be resolved"):
            refuse(f"https://{host}/")


def fetch_nothing_private(url):
    return fetch(url, [])


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "a.localhost", "localhost."])
def test_this_machine_is_refused_by_its_name(host):
    with pytest.raises(downloads.Failed, match="private"):
        downloads.check(f"https://{host}/", [])
    downloads.check(f"https://{host}/", LOOPBACK)


@pytest.mark.parametrize("host", ["93.184.216.34", "[2606:4700::1111]", "[64:ff9b::5db8:d822]", "example.com"])
def test_a_public_address_may_be_asked(host):
    downloads.check(f"https://{host}/", [])


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_a_name_that_resolves_to_a_private_address_is_refused(issuer, resolve, address):
    resolve([address])
    assert "private" in refusal(issuer.url)
    assert issuer.paths == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(issuer, resolve):
    resolve(["93.184.216.34", "127.0.0.1"])
    assert "private" in refusal(issuer.url)


def test_the_name_is_resolved_once_and_the_address_that_was_looked_at_is_the_one_connected_to(
    issuer, resolve, monkeypatch
):
    asked = resolve(["93.184.216.34"], ["127.0.0.1"])  # public when we look, ours when we connect
    connected = []

    def connect(place, timeout):
        connected.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    assert "refuses connections" in refusal(issuer.url)
    assert connected == [("93.184.216.34", issuer.port)] and asked == [HOST]
    assert issuer.paths == []


def test_the_name_is_what_the_certificate_must_be_for(issuer, resolve):
    resolve(["127.0.0.1"])
    issuer.body = b"the document"
    assert fetch(issuer.url) == b"the document"
    assert "certificate" in refusal(f"https://other.example:{issuer.port}/", LOOPBACK)


def test_a_certificate_that_nobody_vouches_for_is_refused(issuer, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "certificate" in refusal(issuer.local_url, LOOPBACK)
    assert issuer.paths == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(issuer, status):
    issuer.status, issuer.headers = status, {"Location": issuer.local_url + "/elsewhere"}
    assert str(status) in refusal(issuer.local_url, LOOPBACK)
    assert issuer.paths == ["/jwks.json"]


@pytest.mark.parametrize("status", [204, 206, 404, 500])
def test_an_answer_other_than_200_is_refused(issuer, status):
    issuer.status = status
    assert str(status) in refusal(issuer.local_url, LOOPBACK)


@pytest.mark.parametrize("announced", [True, False])
def test_a_document_that_is_too_long_is_refused(issuer, announced):
    issuer.body = b"a" * (MAX_BYTES + 1)
    issuer.headers = {} if announced else {"Content-Length": str(2**40)}
    assert "longer than 10000 bytes" in refusal(issuer.local_url, LOOPBACK)


def test_the_longest_document_is_fetched(issuer):
    issuer.body = b"a" * MAX_BYTES
    assert fetch(issuer.local_url) == issuer.body


def test_a_document_that_ends_early_is_refused(issuer):
    issuer.body, issuer.headers = b"half of", {"Content-Length": "100"}
    assert "did not answer as" in refusal(issuer.local_url, LOOPBACK)


@pytest.mark.parametrize("slow", [{"delay": 30.0}, {"drip": 0.05}])
def test_all_of_it_is_bounded_in_time_also_where_a_byte_comes_now_and_then(issuer, slow):
    issuer.body = b"a" * 1000
    vars(issuer).update(slow)
    began = time.monotonic()
    assert "in time" in refusal(issuer.local_url, LOOPBACK, seconds=0.5)
    assert time.monotonic() - began < 2


def test_a_server_that_accepts_and_says_nothing_is_given_up(issuer):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert "in time" in refusal(f"https://127.0.0.1:{silent.getsockname()[1]}/", LOOPBACK, seconds=0.5)
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("said", [b"", b"not http at all\r\n\r\n", b"\x16\x03\x01"])
def test_a_server_that_speaks_no_https_is_refused(said):
    import threading

    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer():
            connection, _ = plain.accept()
            with connection:
                connection.sendall(said)

        threading.Thread(target=answer, daemon=True).start()
        assert "https" in refusal(f"https://127.0.0.1:{plain.getsockname()[1]}/", LOOPBACK, seconds=2)


def test_no_proxy_of_the_environment_is_used(issuer, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    issuer.body = b"the document"
    assert fetch(issuer.local_url) == b"the document"
