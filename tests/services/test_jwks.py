"""Key sets of issuers: fetched from a real server over TLS, once a minute at most, and kept in the database."""

import ipaddress
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import clock, errors
from app.models import sdk_keys as store
from app.models.database import forget_connection
from app.services.atomic import jwks, sdk_tokens
from tests.issuers import EC_KEYS, OTHER_RSA_KEY, RSA_KEY, Issuer, fetches_end, jwk, token

MINUTE = 60_000  # milliseconds
LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture
def issuer(app, tmp_path, monkeypatch):
    """An issuer on this machine, which may be asked."""
    with Issuer(tmp_path) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        monkeypatch.setattr(jwks, "_private", LOOPBACK)
        running.keys = [jwk(RSA_KEY, kid="first")]
        yield running
    fetches_end()


@pytest.fixture(autouse=True)
def rested(monkeypatch):
    """No request has waited just now."""
    monkeypatch.setattr(jwks, "_rest_until", 0.0)
    monkeypatch.setattr(jwks, "_REST", 0)


@pytest.fixture
def key(workspace, issuer):
    """The id of an SDK key whose set the issuer publishes."""
    fields = {
        "name": "web",
        "jwks_url": issuer.local_url,
        "max_token_days": 7,
        "issuers": [],
        "audiences": [],
        "claims": {},
    }
    return store.create(workspace, fields, clock.now())


@pytest.fixture
def later(monkeypatch):
    """Let time pass: milliseconds."""

    def pass_by(milliseconds):
        ahead = clock.now() + milliseconds - time.time_ns() // 1_000_000
        monkeypatch.setattr(clock, "now", lambda: time.time_ns() // 1_000_000 + ahead)

    return pass_by


@pytest.fixture
def verify(workspace, key):
    """Verify a token that one of the issuer's keys signed; return the uid."""

    def ask(signer=RSA_KEY, kid="first", algorithm="RS256", **claims):
        header = {"kid": kid} if kid else {}
        claims = {"exp": clock.now() // 1000 + 600, **claims}
        return sdk_tokens.verify(workspace, token(signer, algorithm, header, **claims), key).uid

    return ask


def unknown(verify, **more):
    with pytest.raises(errors.SdkTokenInvalid) as failure:
        verify(**more)
    return "no key of this kid" in str(failure.value)


def settle(workspace, key, look):
    """Wait until a fetch behind the requests has left its mark."""
    deadline = time.monotonic() + 5
    while not look(store.find(workspace, key)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_set_is_fetched_for_the_first_token_and_kept(issuer, verify):
    assert [verify() for _ in range(5)] == ["somebody"] * 5
    assert issuer.paths == ["/jwks.json"]


def test_the_kid_picks_the_key_of_the_set(issuer, verify):
    issuer.keys = [jwk(RSA_KEY, kid="first"), jwk(OTHER_RSA_KEY, kid="second"), jwk(EC_KEYS["ES256"], kid="third")]
    assert verify(OTHER_RSA_KEY, "second") == verify(EC_KEYS["ES256"], "third", "ES256") == "somebody"
    for signer, kid in ((RSA_KEY, "second"), (OTHER_RSA_KEY, "first")):
        with pytest.raises(errors.SdkTokenInvalid, match="not signed"):
            verify(signer, kid)
    assert unknown(verify, kid="third"), "its kind does not fit RS256"


def test_a_token_without_a_kid_needs_a_set_with_one_key_that_fits(issuer, verify, later):
    issuer.keys = [jwk(RSA_KEY), jwk(EC_KEYS["ES256"], kid="other")]
    assert verify(kid=None) == "somebody"
    issuer.keys.append(jwk(OTHER_RSA_KEY, kid="second"))
    later(11 * MINUTE)
    verify(kid=None)
    time.sleep(0.3)
    assert unknown(verify, kid=None)


def test_a_set_that_names_an_algorithm_means_it(issuer, verify):
    issuer.keys = [jwk(RSA_KEY, kid="first", alg="RS512")]
    assert unknown(verify)
    assert verify(algorithm="RS512") == "somebody"


def test_a_key_that_the_issuer_adds_is_found_when_its_first_token_comes(issuer, verify, later):
    verify()
    issuer.keys.append(jwk(OTHER_RSA_KEY, kid="second"))
    later(MINUTE)
    assert verify(OTHER_RSA_KEY, "second") == "somebody"
    assert len(issuer.paths) == 2


def test_unknown_kids_ask_the_issuer_once_a_minute_however_many_come(issuer, verify, later):
    verify()
    for _ in range(50):
        assert unknown(verify, kid="nosuch")
    assert len(issuer.paths) == 1
    later(MINUTE)
    for number in range(50):
        assert unknown(verify, kid=f"nosuch{number}")
    assert len(issuer.paths) == 2


def test_a_thousand_unknown_kids_at_once_ask_once(workspace, key, issuer, verify, later):
    verify()
    later(MINUTE)
    issuer.delay = 0.2

    def ask(start):
        found = set()
        for number in range(start, start + 125):
            try:
                verify(kid=f"nosuch{number}")
            except (errors.SdkTokenInvalid, errors.KeysUnavailable) as failure:
                found.add(type(failure))
        forget_connection()
        return found

    with ThreadPoolExecutor(8) as pool:
        outcomes = set().union(*pool.map(ask, range(0, 1000, 125)))
    assert outcomes <= {errors.SdkTokenInvalid, errors.KeysUnavailable} and errors.SdkTokenInvalid in outcomes
    settle(workspace, key, lambda row: row.fetched_at >= row.tried_at)
    assert len(issuer.paths) == 2


def test_a_key_that_the_issuer_takes_away_is_not_believed_any_more(workspace, key, issuer, verify, later):
    verify()
    issuer.keys = [jwk(OTHER_RSA_KEY, kid="second")]
    later(11 * MINUTE)
    assert verify() == "somebody", "the set is fetched behind this request"
    settle(workspace, key, lambda row: row.jwks[0]["kid"] == "second")
    assert unknown(verify)
    assert verify(OTHER_RSA_KEY, "second") == "somebody"


def test_while_the_issuer_is_away_the_set_is_good_for_a_day(workspace, key, issuer, verify, later):
    verify()
    issuer.status = 500
    later(23 * 60 * MINUTE)
    assert verify() == "somebody"
    settle(workspace, key, lambda row: row.problem)
    later(61 * MINUTE)
    with pytest.raises(errors.KeysUnavailable):
        verify()
    issuer.status = 200
    later(MINUTE)
    assert verify() == "somebody"
    assert store.find(workspace, key).problem is None


def test_while_a_set_was_never_had_nobody_is_believed_and_the_problem_is_kept(workspace, key, issuer, verify):
    issuer.status = 404
    for _ in range(3):
        with pytest.raises(errors.KeysUnavailable):
            verify()
    assert len(issuer.paths) == 1
    assert "404" in store.find(workspace, key).problem


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'"keys"', b"{}", b'{"keys":{}}', b'{"keys":null}', b'{"keys":[],"keys":[]}', b"\xff",
                                  b"[" * 100_000])  # fmt: skip
def test_a_document_that_is_no_set_is_a_problem(workspace, key, issuer, verify, body):
    issuer.body = body
    with pytest.raises(errors.KeysUnavailable):
        verify()
    assert "Key Set" in store.find(workspace, key).problem


def test_a_set_without_a_key_that_we_take_is_a_set(issuer, verify):
    issuer.keys = [{"kty": "oct", "k": "c2VjcmV0", "kid": "first"}, "x", None]
    assert unknown(verify)


def test_of_an_endless_set_the_first_hundred_keys_count(issuer, verify):
    issuer.keys = [{"kty": "oct", "kid": str(number)} for number in range(99)] + [jwk(RSA_KEY, kid="first")]
    assert verify() == "somebody"
    assert len(jwks.reduce(b'{"keys":[' + b"{}," * 200 + b"{}]}")) == 0
    assert jwks.reduce(('{"keys":[' + "{}," * 100 + str(jwk(RSA_KEY)).replace("'", '"') + "]}").encode()) == []


def test_a_slow_issuer_holds_a_request_up_for_a_second_at_most(workspace, key, issuer, verify, monkeypatch):
    monkeypatch.setattr(jwks, "_REST", 10)
    issuer.delay = 2.0
    began = time.monotonic()
    with pytest.raises(errors.KeysUnavailable):
        verify()
    assert time.monotonic() - began < 1.5
    with pytest.raises(errors.KeysUnavailable):  # under way
        verify()
    assert time.monotonic() - began < 1.6
    settle(workspace, key, lambda row: row.fetched_at)
    assert verify() == "somebody"


def test_after_a_wait_nobody_waits_for_ten_times_as_long(workspace, key, issuer, verify, monkeypatch, later):
    monkeypatch.setattr(jwks, "_REST", 10)
    issuer.delay = 0.3
    verify()
    later(MINUTE)
    began = time.monotonic()
    with pytest.raises(errors.KeysUnavailable):
        verify(kid="second")
    assert time.monotonic() - began < 0.2
    settle(workspace, key, lambda row: row.fetched_at >= row.tried_at)


def test_a_few_slow_issuers_do_not_fill_a_process_with_threads(workspace, issuer, monkeypatch):
    issuer.delay = 1.0
    fields = {"name": "web", "max_token_days": 7, "issuers": [], "audiences": [], "claims": {}}
    rows = [
        store.find(workspace, store.create(workspace, {**fields, "jwks_url": f"{issuer.local_url}?{number}"}, 0))
        for number in range(10)
    ]
    before = threading.active_count()
    started = [jwks.refresh(workspace, row) for row in rows]
    assert len([one for one in started if one]) == 4 and threading.active_count() <= before + 4 + 8
    for one in started:
        if one:
            one.wait(5)
    assert len(issuer.paths) == 4


def test_a_set_of_a_url_that_was_changed_meanwhile_is_not_kept(workspace, key, issuer):
    row = store.find(workspace, key)
    issuer.delay = 0.3
    done = jwks.refresh(workspace, row)
    store.update(workspace, key, {"jwks_url": "https://elsewhere.example/", "tried_at": None})
    assert done.wait(5)
    assert store.find(workspace, key).jwks is None


@pytest.mark.parametrize("private", [[], [ipaddress.ip_network("10.0.0.0/8")]])
def test_a_set_on_a_private_address_is_not_fetched(workspace, key, issuer, verify, monkeypatch, private):
    monkeypatch.setattr(jwks, "_private", private)
    with pytest.raises(errors.KeysUnavailable):
        verify()
    assert "private" in store.find(workspace, key).problem and issuer.paths == []
