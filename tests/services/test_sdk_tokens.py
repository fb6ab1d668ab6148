"""Tokens of SDKs: which are believed, and which are not, whatever their signature. Keys and signatures are real."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app import clock, errors
from app.models import sdk_keys as store
from app.services.atomic import sdk_tokens, signing_keys
from tests.issuers import EC_KEYS, OTHER_RSA_KEY, RSA_KEY, jwk, pem, raw, sealed, token

DAY = 86_400


@pytest.fixture
def make_key(workspace):
    """Make an SDK key and return its id."""

    def make(key=RSA_KEY, **fields):
        columns = {"name": "web", "public_key": signing_keys.read_pem(pem(key)), "max_token_days": 7}
        columns |= {"issuers": [], "audiences": [], "claims": {}, **fields}
        return store.create(workspace, columns, clock.now())

    return make


@pytest.fixture
def refusal(workspace):
    """Return why a token is not believed."""

    def refuse(text, named):
        with pytest.raises(errors.SdkTokenInvalid) as failure:
            sdk_tokens.verify(workspace, text, named)
        return str(failure.value)

    return refuse


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_token_that_an_rsa_key_signed_is_believed(workspace, make_key, algorithm):
    believed = sdk_tokens.verify(workspace, token(algorithm=algorithm), make_key())
    assert believed.uid == "somebody"


@pytest.mark.parametrize("algorithm", EC_KEYS)
def test_a_token_that_an_elliptic_key_signed_is_believed(workspace, make_key, algorithm):
    key = EC_KEYS[algorithm]
    assert sdk_tokens.verify(workspace, token(key, algorithm), make_key(key)).uid == "somebody"


def test_the_claim_apikey_names_the_key_where_the_header_does_not(workspace, make_key, refusal):
    id, other = make_key(), make_key()
    assert sdk_tokens.verify(workspace, token(apiKey=id)).key_id == id
    assert sdk_tokens.verify(workspace, token(apiKey=id), id).key_id == id
    assert "another one" in refusal(token(apiKey=id), other)
    assert "another one" in refusal(token(apiKey=5), other)


@pytest.mark.parametrize("named", [None, "", "nosuch", "f" * 24, "\x00", "' OR 1=1 --", "0" * 24])
def test_a_key_that_there_is_not_proves_nothing(make_key, refusal, named):
    make_key()
    assert "names an SDK key" in refusal(token(), named)
    assert "names an SDK key" in refusal(token(apiKey=named), None)


@pytest.mark.parametrize("named", [5, True, ["x"], {"a": 1}])
def test_a_claim_apikey_that_is_no_text_names_nothing(make_key, refusal, named):
    assert "names an SDK key" in refusal(token(apiKey=named), None)


def test_the_key_of_another_workspace_proves_nothing(other_api, make_key):
    from app.services import workspaces

    id = make_key()
    with pytest.raises(errors.SdkTokenInvalid, match="names an SDK key"):
        sdk_tokens.verify(workspaces.find(other_api.keys.workspace), token(), id)


def test_a_deleted_key_proves_nothing(workspace, make_key, refusal):
    id = make_key()
    sdk_tokens.verify(workspace, token(), id)
    store.delete(workspace, id)
    assert "names an SDK key" in refusal(token(), id)


# ---- signatures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "nOnE", "NONE", "", None, 5, ["RS256"], "HS256", "PS256", "EdDSA", "rs256", "RS256 "]
)
@pytest.mark.parametrize("signature", [b"", b"x"])
def test_an_algorithm_that_is_not_ours_is_refused(make_key, refusal, algorithm, signature):
    claims = {"sub": "x", "exp": int(time.time()) + 600}
    header = {"typ": "JWT"} if algorithm is None else {"alg": algorithm}
    assert "alg of the token" in refusal(raw(header, claims, signature), make_key())


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_hmac_with_the_public_key_as_its_secret_is_refused(make_key, refusal, algorithm):
    id, public = make_key(), RSA_KEY.public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for secret in (
        pem(RSA_KEY).encode(),
        pem(RSA_KEY).strip().encode(),
        der,
        json.dumps(jwk(RSA_KEY)).encode(),
        id.encode(),
        b"",
    ):
        header, claims = {"alg": algorithm, "typ": "JWT"}, {"sub": "x", "exp": int(time.time()) + 600}
        signed = raw(header, claims).rpartition(".")[0]
        digest = getattr(hashlib, f"sha{algorithm[2:]}")
        mac = base64.urlsafe_b64encode(hmac.new(secret, signed.encode(), digest).digest()).rstrip(b"=").decode()
        assert "alg of the token" in refusal(f"{signed}.{mac}", id)


def test_the_signature_of_another_key_is_refused(make_key, refusal):
    assert "not signed" in refusal(token(OTHER_RSA_KEY), make_key())
    assert "not signed" in refusal(token(ec.generate_private_key(ec.SECP256R1()), "ES256"), make_key(EC_KEYS["ES256"]))


def test_a_changed_token_is_refused(make_key, refusal):
    id = make_key()
    header, payload, signature = token().split(".")
    other = token(sub="somebody-else").split(".")[1]
    assert "not signed" in refusal(f"{header}.{other}.{signature}", id)
    assert "not signed" in refusal(f"{header}.{payload}.", id)
    assert "not signed" in refusal(f"{header}.{payload}.{'A' * len(signature)}", id)
    strong = token(algorithm="RS512").split(".")[0]
    assert "not signed" in refusal(f"{strong}.{payload}.{signature}", id)


@pytest.mark.parametrize("signature", [b"\x00" * 64, b"\x00" * 32 + b"\x01" * 32, b"", b"\xff" * 64])
def test_the_empty_signatures_of_elliptic_curves_are_refused(make_key, refusal, signature):
    claims = {"sub": "x", "exp": int(time.time()) + 600}
    assert "not signed" in refusal(raw({"alg": "ES256"}, claims, signature), make_key(EC_KEYS["ES256"]))


@pytest.mark.parametrize("algorithm", ["RS256", *EC_KEYS])
@pytest.mark.parametrize("kind", ["RS256", *EC_KEYS])
def test_the_algorithm_must_fit_the_type_of_the_key(make_key, refusal, algorithm, kind):
    keys = {"RS256": RSA_KEY, **EC_KEYS}
    if algorithm != kind:
        assert "does not fit" in refusal(token(keys[algorithm], algorithm), make_key(keys[kind]))


def test_the_header_of_a_token_brings_no_key_of_its_own(make_key, refusal):
    id, mine = make_key(), jwk(OTHER_RSA_KEY, kid="mine")
    for more in ({"jwk": mine}, {"jku": "https://evil.example/jwks"}, {"x5u": "https://evil.example/c"}, {"kid": "../../dev/null"},
                 {"x5c": ["MIIB"]}, {"kid": "' UNION SELECT 1 --"}):  # fmt: skip
        assert "not signed" in refusal(token(OTHER_RSA_KEY, header=more), id)


def test_a_kid_does_not_matter_where_the_key_is_given_as_pem(workspace, make_key):
    assert sdk_tokens.verify(workspace, token(header={"kid": "whatever"}), make_key()).uid == "somebody"


@pytest.mark.parametrize(
    "header", [{"crit": ["x"], "x": 1}, {"crit": []}, {"crit": "exp"}, {"b64": False}, {"crit": ["b64"], "b64": False}]
)
def test_what_a_header_says_is_critical_and_we_do_not_know_is_refused(make_key, refusal, header):
    parts = token().split(".")
    head = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", **header}).encode()).rstrip(b"=").decode()
    signed = f"{head}.{parts[1]}"
    signature = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).sign(signed.encode(), RSA_KEY)
    whole = signed + "." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    assert "no signed JSON Web Token" in refusal(whole, make_key())


@pytest.mark.parametrize("text", [
    "", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "é.b.c", "\ud800.b.c", "{}.{}.{}", "eyJhbGciOiJSUzI1NiJ9.e30", "e30.e30.e30",
    "bnVsbA.e30.AA", "W10.e30.AA", "eyJhbGciOiJSUzI1NiJ9.e30.A", "eyJhbGciOiJSUzI1NiJ9.e30.!!", "eyJhbGciOiJSUzI1NiJ9 .e30.AA",
    "WwBbAFsA" * 1000, "W1tb" * 2000 + ".e30.AA",
])  # fmt: skip
def test_what_is_no_token_is_refused(make_key, refusal, text):
    assert refusal(text, make_key())


def test_a_huge_token_is_refused_before_it_is_looked_at(make_key, refusal):
    id = make_key()
    assert "longer than 8192" in refusal(token(padding="x" * 8192), id)
    assert "longer than 8192" in refusal("a" * 10_000_000, id)


def test_a_token_of_several_kilobytes_is_believed(workspace, make_key):
    assert sdk_tokens.verify(workspace, token(groups=["x" * 50] * 80), make_key())


# ---- claims -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [
    b'{"sub":"a","exp":%d,"sub":"b"}', b'{"exp":1,"sub":"a","exp":%d}', b'{"sub":"a","exp":%d,"x":{"a":1,"a":2}}',
    b'{"sub":"a","iss":"x","iss":"y","exp":%d}', b'{"sub":"a","exp":%d,"n":NaN}', b'{"sub":"a","exp":%d,"n":Infinity}',
    b'["sub",%d]', b'%d', b'"%d"', b'{"sub":"a","exp":%d}{}', b'\xef\xbb\xbf{"sub":"a","exp":%d}', b'{"sub":"\xff","exp":%d}',
    b'{"sub":"a","exp":%d,}', b'{"sub":"a","exp":%d,"n":' + b"1" * 5000 + b"}", b'{"sub":"a","exp":%d,"n":' + b"[" * 3000 + b"}",
])  # fmt: skip
def test_claims_that_stand_there_twice_or_are_no_json_are_refused(make_key, refusal, payload):
    text = sealed(payload % (int(time.time()) + 600))
    assert "stands there twice" in refusal(text, make_key())


def test_what_the_claims_hold_beside_is_none_of_our_business(workspace, make_key):
    deep = {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}}}
    more = {"id_of_elsewhere": 2**70, "deep": deep, "odd": "\x00\ud800", "nothing": None, "iat": "yesterday"}
    assert sdk_tokens.verify(workspace, token(**more), make_key()).uid == "somebody"


def test_a_token_needs_an_end(make_key, refusal):
    id = make_key()
    assert "no exp" in refusal(token(exp=None), id)
    for exp in ("soon", str(int(time.time()) + 600), True, [], {}, [int(time.time()) + 600]):
        assert "exp of the token" in refusal(sealed(json.dumps({"sub": "x", "exp": exp}).encode()), id), exp
    for exp in (b"1e400", b"-1e400", b"null"):
        assert "exp" in refusal(sealed(b'{"sub":"x","exp":%s}' % exp), id), exp


def test_an_expired_token_is_refused(make_key, refusal):
    id = make_key()
    for ago in (1, 60, 3600, 10**9):
        assert "has expired" in refusal(token(exp=int(time.time()) - ago), id)
    assert "has expired" in refusal(token(exp=-(10**30)), id)


@pytest.mark.parametrize("days", [1, 7, 30])
def test_a_token_that_lives_too_long_is_refused(workspace, make_key, refusal, days):
    id, now = make_key(max_token_days=days), int(time.time())
    assert sdk_tokens.verify(workspace, token(exp=now + days * DAY), id)
    assert sdk_tokens.verify(workspace, token(exp=now + days * DAY - 0.5), id)
    for exp in (now + days * DAY + 120, now + 10 * 365 * DAY, 10**30, 1e300):
        assert f"more than {days} days" in refusal(token(exp=exp), id)


def test_a_token_that_begins_later_is_refused(workspace, make_key, refusal):
    id = make_key()
    assert "not valid yet" in refusal(token(nbf=int(time.time()) + 300), id)
    assert "nbf of the token" in refusal(token(nbf="now"), id)
    assert sdk_tokens.verify(workspace, token(nbf=int(time.time()) + 5), id), "clocks differ by seconds"


@pytest.mark.parametrize("claims", [{}, {"iss": "https://evil.example"}, {"iss": "https://idp.example/"}, {"iss": ["https://idp.example"]},
                                    {"iss": 5}, {"iss": {"a": 1}}])  # fmt: skip
def test_the_issuer_must_be_one_of_the_keys(make_key, refusal, claims):
    assert "issuers" in refusal(token(**claims), make_key(issuers=["https://idp.example", "https://other.example"]))


@pytest.mark.parametrize(
    "claims",
    [{}, {"aud": "theirs"}, {"aud": ["theirs"]}, {"aud": []}, {"aud": 5}, {"aud": [["ours"]]}, {"aud": {"ours": 1}}],
)
def test_the_audience_must_be_one_of_the_keys(make_key, refusal, claims):
    assert "audiences" in refusal(token(**claims), make_key(audiences=["ours"]))


def test_issuers_and_audiences_that_fit_are_believed(workspace, make_key):
    id = make_key(issuers=["a", "b"], audiences=["ours", "too"])
    for audience in ("ours", ["theirs", "too"]):
        assert sdk_tokens.verify(workspace, token(iss="b", aud=audience), id)
    assert sdk_tokens.verify(workspace, token(iss="anybody", aud="anything"), make_key()), "nobody asked"


@pytest.mark.parametrize(("claims", "uid"), [
    ({"sub": "u1"}, "u1"), ({"sub": 42}, "42"), ({"sub": 42.0}, "42"), ({"sub": 2**70}, str(2**70)), ({"sub": "a@b.example"}, "a@b.example"),
    ({"atomic_sub": "a", "atomic_id": "b", "sub": "c", "id": "d"}, "a"), ({"atomic_id": "b", "sub": "c", "id": "d"}, "b"),
    ({"sub": "c", "id": "d"}, "c"), ({"id": "d"}, "d"), ({"id": 7}, "7"), ({"atomic_sub": None, "sub": "c"}, "c"),
])  # fmt: skip
def test_the_first_claim_that_may_name_the_user_does(workspace, make_key, claims, uid):
    payload = json.dumps({"exp": int(time.time()) + 600, **claims}).encode()
    assert sdk_tokens.verify(workspace, sealed(payload), make_key()).uid == uid


def test_the_subject_claim_of_the_key_is_the_only_one_that_names_the_user(workspace, make_key, refusal):
    id = make_key(subject_claim="person")
    assert sdk_tokens.verify(workspace, token(sub="u1", person="u2"), id).uid == "u2"
    assert "who the user is" in refusal(token(sub="u1"), id)


@pytest.mark.parametrize("claims", [
    {"sub": None}, {"sub": ""}, {"sub": {"a": 1}}, {"sub": ["u1"]}, {"sub": True}, {"sub": 1.5}, {"sub": "a/b"}, {"sub": "a\x00"},
    {"sub": " a"}, {"sub": "."}, {"sub": "a" * 256}, {"sub": "\ud800"}, {"sub": 10**300}, {"atomic_sub": {}, "sub": "u1"}, {"sub": 1e300},
])  # fmt: skip
def test_a_token_of_nobody_is_refused(make_key, refusal, claims):
    payload = json.dumps({"exp": int(time.time()) + 600, **claims}).encode()
    assert "who the user is" in refusal(sealed(payload), make_key())


def test_the_mapped_claims_are_told_and_no_others(workspace, make_key):
    id = make_key(claims={"city": "city", "ph": "phone", "none": "name", "null": "region"})
    text = token(city="Lagos", ph=12345, email="a@b.example", null=None)
    assert sdk_tokens.verify(workspace, text, id).fields == {"city": "Lagos", "phone": 12345}


# ---- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [RSA_KEY, *EC_KEYS.values(), rsa.generate_private_key(65537, 3072)])
def test_keys_of_the_kinds_that_tokens_are_signed_with_are_taken(key):
    assert signing_keys.read_pem(pem(key) + "\n") == pem(key)


@pytest.mark.parametrize("key", [
    rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256K1()), ec.generate_private_key(ec.SECP224R1()),
    ed25519.Ed25519PrivateKey.generate(),
])  # fmt: skip
def test_keys_that_are_too_weak_or_of_another_kind_are_refused(key):
    with pytest.raises(ValueError, match="RSA key of 2048"):
        signing_keys.read_pem(pem(key))


def test_a_private_key_is_refused():
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    text = RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(ValueError, match="private"):
        signing_keys.read_pem(text)


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n", "é", "\ud800", '{"kty":"RSA"}',
                                  "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "A" * 10**6])  # fmt: skip
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError, match="Must be"):
        signing_keys.read_pem(text)


def test_a_set_is_reduced_to_what_verifies_and_has_no_secret_of_anybody():
    private = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY)), "key_ops": ["sign", "verify"]}
    assert signing_keys.reduce({**private, "kid": "a", "x5c": ["x"]}) == {
        "kty": "RSA", "n": private["n"], "e": private["e"], "kid": "a",
    }  # fmt: skip


@pytest.mark.parametrize("key", [
    None, [], 5, "x", {}, {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "RSA"}, {"kty": ["RSA"]}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
    {"kty": "RSA", "n": "A" * 10**6, "e": "AQAB"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    jwk(RSA_KEY, use="enc"), jwk(RSA_KEY, key_ops=["encrypt"]), jwk(RSA_KEY, key_ops="verify"), jwk(RSA_KEY, alg="HS256"),
    jwk(RSA_KEY, alg="RSA-OAEP"), jwk(RSA_KEY, alg="ES256"), jwk(RSA_KEY, kid=5), jwk(RSA_KEY, kid=""), jwk(RSA_KEY, e=""),
    jwk(rsa.generate_private_key(65537, 1024)), jwk(EC_KEYS["ES256"], crv="P-384"), jwk(EC_KEYS["ES256"], alg="ES384"),
])  # fmt: skip
def test_keys_of_a_set_that_are_not_for_this_are_left_out(key):
    assert signing_keys.reduce(key) is None
