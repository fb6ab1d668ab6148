"""`PUT /{environment}/update-user`: an app changes its user, proved by a token."""

import json
import time

import pytest

from app import clock, logs
from app.services import audit
from app.services.atomic import sdk_keys
from tests.factories import fresh
from tests.issuers import EC_KEYS, OTHER_RSA_KEY, RSA_KEY, pem, raw, sealed, token

ACROSS = {"Origin": "https://page.example"}


@pytest.fixture
def key(atomic):
    """Make an SDK key and return its id."""

    def make(owner=atomic, signer=RSA_KEY, **fields):
        return sdk_keys.create(owner.workspace, {"name": "web", "public_key": pem(signer), **fields}, audit.SHELL).id

    return make


def update(atomic, text, body=None, environment=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"profile": {"city": "Lagos"}} if body is None else body
    by = f"Bearer {text}" if text is not None else None
    return atomic.put(f"/{environment or atomic.environment}/update-user", body, by=by, headers=headers)


def visit(atomic, text, body=None, **headers):
    response = update(atomic, text, body, **headers)
    assert response.status_code == 200, response.json
    return response.json["data"]


def told(atomic, uid):
    """The analytics fields of a customer."""
    return {name: value for name, value in atomic.profile(uid).items() if "seen" in name or "last_" in name}


def test_a_token_makes_its_user_and_the_user_changes(atomic, key):
    uid = fresh()
    mine = token(sub=uid, apiKey=key())
    assert visit(atomic, mine, {"profile": {"name": "Ada", "city": "Lagos"}, "preferences": {"timezone": "Africa/Lagos"}}) == {
        "profile": {"name": "Ada", "city": "Lagos"},
        "preferences": {"timezone": "Africa/Lagos", "notificationsEnabled": True, "notifications": {}},
    }  # fmt: skip
    assert visit(atomic, mine, {"profile": {"city": None, "region": ""}}) == {
        "profile": {"name": "Ada", "region": ""},
        "preferences": {"timezone": "Africa/Lagos", "notificationsEnabled": True, "notifications": {}},
    }  # fmt: skip
    shown = atomic.customer(uid)
    assert shown["profile"]["name"] == "Ada" and shown["preferences"]["timezone"] == "Africa/Lagos"
    assert atomic.call("GET", f"/v1/users/{uid}", by=None).status_code == 401


def test_engage_reads_what_the_token_wrote_and_the_other_way_round(api, atomic, key):
    uid = api.user(first_name="Ada", last_name="King", meta={"plan": "pro", "city": "Kano"})["uid"]
    mine = token(sub=uid, apiKey=key(claims={"mail": "email", "ph": "phone"}), mail="ada@example.com", ph=2348031234567)
    profile = visit(atomic, mine, {"profile": {"country": "NG"}})["profile"]
    assert profile == {
        "name": "Ada King",
        "city": "Kano",
        "country": "NG",
        "email": "ada@example.com",
        "phone": "2348031234567",
    }
    user = api.get(f"users/{uid}").json
    assert (user["email"], user["number"], user["meta"]["country"], user["meta"]["plan"]) == (
        "ada@example.com",
        "2348031234567",
        "NG",
        "pro",
    )


def test_the_header_names_the_key(atomic, key):
    assert update(atomic, token(sub=fresh()), x_atomic_sdk_api_key=key()).status_code == 200


def test_a_condition_is_refused_once_the_token_is_believed(atomic, key, refused, tables):
    mine, before = token(sub=fresh(), apiKey=key()), tables()
    first = refused(update(atomic, mine, if_match='"x"'), 400, "invalid_input")
    assert first["source"] == {"parameter": "If-Match"} and tables() == before
    assert update(atomic, "forged", if_match='"x"').status_code == 401


# ---- who is not believed ------------------------------------------------------------------------------------------


FORGED = {
    "forged": lambda id, now: token(OTHER_RSA_KEY, apiKey=id),
    "expired": lambda id, now: token(apiKey=id, exp=now - 1),
    "none": lambda id, now: raw({"alg": "none"}, {"sub": "x", "apiKey": id, "exp": now + 600}),
    "no exp": lambda id, now: token(apiKey=id, exp=None),
    "too long-lived": lambda id, now: token(apiKey=id, exp=now + 8 * 86_400),
    "not yet": lambda id, now: token(apiKey=id, nbf=now + 3600),
    "wrong issuer": lambda id, now: token(apiKey=id, iss="https://evil.example", aud="ours"),
    "wrong audience": lambda id, now: token(apiKey=id, iss="https://id.example", aud="theirs"),
    "wrong type of key": lambda id, now: token(EC_KEYS["ES256"], "ES256", apiKey=id),
    "twice": lambda id, now: sealed(b'{"apiKey":"%s","sub":"a","sub":"b","exp":%d}' % (id.encode(), now + 600)),
    "huge": lambda id, now: token(apiKey=id, padding="x" * 9000),
    "nobody": lambda id, now: token(apiKey=id, sub=None, iss="https://id.example", aud="ours"),
    "no key": lambda id, now: token(),
    "no token": lambda id, now: "x",
    "an access token": lambda id, now: "cl0123456789.Zm9v.YmFy",
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_token_that_is_not_to_be_believed_is_refused_and_nothing_is_stored(atomic, key, refused, tables, kind):
    id = key(issuers=["https://id.example"], audiences=["ours"])
    before = tables()
    response = update(atomic, FORGED[kind](id, int(time.time())), **ACROSS)
    assert refused(response, 401, "invalid_sdk_token")["title"].startswith(("The ", "Neither "))
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert tables() == before


def test_hmac_with_the_public_key_is_refused(atomic, key, refused):
    import base64
    import hashlib
    import hmac

    id = key()
    signed = raw({"alg": "HS256"}, {"sub": "x", "apiKey": id, "exp": int(time.time()) + 600}).rpartition(".")[0]
    mac = (
        base64.urlsafe_b64encode(hmac.new(pem(RSA_KEY).encode(), signed.encode(), hashlib.sha256).digest())
        .rstrip(b"=")
        .decode()
    )
    refused(update(atomic, f"{signed}.{mac}"), 401, "invalid_sdk_token")


@pytest.mark.parametrize("by", [None, "Bearer", "Bearer ", "Basic eDp5", "x"])
def test_a_request_without_a_token_is_refused(atomic, refused, by):
    refused(atomic.put(f"/{atomic.environment}/update-user", {"profile": {"city": "x"}}, by=by), 401, "invalid_token")


def test_other_credentials_do_not_do(api, atomic, refused):
    for role in atomic.tokens:
        refused(
            atomic.put(f"/{atomic.environment}/update-user", {"profile": {"city": "x"}}, by=role),
            401,
            "invalid_sdk_token",
        )
    assert api.put(f"/{atomic.environment}/update-user", {"profile": {"city": "x"}}).status_code == 401


def test_a_token_opens_the_environment_of_its_key_alone(atomic, other_atomic, key, refused):
    mine = token(sub=fresh(), apiKey=key())
    for environment in (other_atomic.environment, "ZZ99zzZZ"):
        refused(update(atomic, mine, environment=environment), 401, "invalid_sdk_token")


def test_a_token_of_an_sdk_opens_no_other_route(atomic, key):
    mine = f"Bearer {token(sub=fresh(), apiKey=key())}"
    for method, path, body in (
        ("GET", "users", None), ("POST", "users", {"users": []}), ("GET", "sdk-keys", None), ("PUT", "delete-users", {"data": []}),
        ("GET", "/v1/environments", None), ("GET", "/v1/users", None), ("POST", "/v1/users", {"id": "x"}),
    ):  # fmt: skip
        assert atomic.call(method, path, body, by=mine).status_code == 401, path


def test_a_changed_or_deleted_key_counts_at_once(atomic, key, refused):
    id = key()
    mine = token(sub=fresh(), apiKey=id)
    visit(atomic, mine)
    sdk_keys.update(atomic.workspace, id, {"issuers": ["https://id.example"]}, audit.SHELL)
    refused(update(atomic, mine), 401, "invalid_sdk_token")
    sdk_keys.update(atomic.workspace, id, {"issuers": None, "public_key": pem(OTHER_RSA_KEY)}, audit.SHELL)
    refused(update(atomic, mine), 401, "invalid_sdk_token")
    sdk_keys.delete(atomic.workspace, id, audit.SHELL)
    refused(update(atomic, token(OTHER_RSA_KEY, apiKey=id)), 401, "invalid_sdk_token")


def test_tokens_that_are_over_lock_nobody_out(app, atomic, key, monkeypatch):
    from app.services.rates import Counters, Policy

    monkeypatch.setattr(app.extensions["rates"], "login", Policy("login", "3/minute", Counters()))
    id = key()
    for _ in range(10):
        assert update(atomic, token(apiKey=id, exp=1)).status_code == 401
    assert update(atomic, token(apiKey=id)).status_code == 200


# ---- claims -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "text"), [
    ("Lagos", "Lagos"), ("", ""), (5, "5"), (-5, "-5"), (5.0, "5"), (1.5, "1.5"), (2**70, str(2**70)), (True, "true"), (False, "false"), ("é😀", "é😀"),
])  # fmt: skip
def test_strings_numbers_and_booleans_become_text(atomic, key, value, text):
    uid = fresh()
    visit(atomic, token(sub=uid, apiKey=key(claims={"c": "region"}), c=value))
    assert atomic.profile(uid)["region"] == text


@pytest.mark.parametrize("value", [["a"], {"a": 1}, "a\x00", "\ud800", "a" * 5000, [], {}])
def test_a_claim_that_does_not_fit_is_skipped_and_the_rest_is_done(atomic, key, monkeypatch, value):
    lines = []
    monkeypatch.setattr(logs, "warning", lambda name, **fields: lines.append((name, fields)))
    uid, id = fresh(), key(claims={"c": "region", "n": "name"})
    payload = {"sub": uid, "apiKey": id, "c": value, "n": "Ada", "exp": int(time.time()) + 600}
    profile = visit(atomic, sealed(json.dumps(payload).encode()), {"profile": {"city": "Lagos"}})["profile"]
    assert profile == {"name": "Ada", "city": "Lagos"}
    [(name, fields)] = lines
    assert name == "claims_skipped" and fields["fields"] == ["region"] and fields["sdk_key"] == id
    assert uid not in repr(lines) and "Ada" not in repr(lines)


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nope"), ("email", 5), ("phone", "call me"), ("phone", True), ("email", "a" * 300 + "@x.example")],
)
def test_standard_fields_keep_their_rules(atomic, key, field, value):
    uid = fresh()
    assert field not in visit(atomic, token(sub=uid, apiKey=key(claims={"c": field}), c=value))["profile"]


def test_an_infinite_number_is_skipped(atomic, key):
    uid, id = fresh(), key(claims={"c": "region"})
    text = sealed(
        b'{"sub":"%s","apiKey":"%s","c":1e400,"exp":%d}' % (uid.encode(), id.encode(), int(time.time()) + 600)
    )
    assert "region" not in visit(atomic, text)["profile"]


def test_an_absent_or_null_claim_leaves_the_field(atomic, key):
    uid, id = fresh(), key(claims={"c": "region"})
    visit(atomic, token(sub=uid, apiKey=id, c="Kano"))
    visit(atomic, token(sub=uid, apiKey=id))
    payload = {"sub": uid, "apiKey": id, "c": None, "exp": int(time.time()) + 600}
    visit(atomic, sealed(json.dumps(payload).encode()))
    assert atomic.profile(uid)["region"] == "Kano"


@pytest.mark.parametrize(("value", "kept"), [
    ("1990-05-17", "1990-05-17T00:00:00.000Z"), ("2020-09-29T14:50:29.907+05:30", "2020-09-29T09:20:29.907Z"), (642902400, "1990-05-17T00:00:00.000Z"),
    (0, "1970-01-01T00:00:00.000Z"), (-86400, "1969-12-31T00:00:00.000Z"), (642902400.5, "1990-05-17T00:00:00.500Z"),
    ("2026-02-30", None), ("soon", None), (True, None), (1e300, None), ([1], None), (10**30, None),
])  # fmt: skip
def test_a_date_takes_iso_or_epoch_seconds_and_is_kept_as_utc(atomic, key, value, kept):
    atomic.put("users/custom-profile-fields", [{"name": "born", "label": "Born", "type": "date"}], by="workbench")
    uid = fresh()
    visit(atomic, token(sub=uid, apiKey=key(claims={"b": "born"}), b=value))
    assert atomic.profile(uid).get("born") == kept


def test_what_the_user_sends_is_laid_over_the_claims(atomic, key):
    uid = fresh()
    mine = token(sub=uid, apiKey=key(claims={"c": "city", "n": "name"}), c="Kano", n="Ada")
    assert visit(atomic, mine, {"profile": {"city": "Lagos"}})["profile"] == {"name": "Ada", "city": "Lagos"}
    assert visit(atomic, mine, {"profile": {"region": "x"}})["profile"]["city"] == "Kano"


def test_claims_for_which_there_is_no_room_are_skipped(atomic, api, key):
    uid = api.user(meta={f"k{number}": 1 for number in range(298)})["uid"]
    claims = {"a": "city", "b": "region", "c": "country", "d": "email"}
    mine = token(sub=uid, apiKey=key(claims=claims), a="x", b="y", c="z", d="a@b.example")
    profile = visit(atomic, mine, {"profile": {"name": "Ada"}})["profile"]
    assert profile["name"] == "Ada" and profile["email"] == "a@b.example"
    assert len(profile) == 3 and len(api.get(f"users/{uid}").json["meta"]) == 300
    visit(atomic, mine, {"preferences": {"timezone": "UTC"}})


# ---- the body -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "pointer"), [
    ({}, "/"), ({"profile": {}}, "/"), ({"preferences": {}}, "/"), ({"profile": {}, "preferences": {}}, "/"), ({"other": 1}, "/"),
    ({"profile": []}, "/profile"), ({"profile": None}, "/profile"), ({"profile": "x"}, "/profile"), ({"preferences": []}, "/preferences"),
    ({"profile": {"nosuch": "x"}}, "/profile/nosuch"), ({"profile": {"last_seen_at": "2020-01-01"}}, "/profile/last_seen_at"),
    ({"profile": {"city": 5}}, "/profile/city"), ({"profile": {"email": "nope"}}, "/profile/email"), ({"profile": {"id": "x"}}, "/profile/id"),
    ({"profile": {"user_type": "admin"}}, "/profile/user_type"), ({"profile": {"city": "a\x00"}}, "/profile/city"),
    ({"preferences": {"timezone": "Mars/Olympus"}}, "/preferences/timezone"), ({"preferences": {"notificationsEnabled": "yes"}}, "/preferences/notificationsEnabled"),
    ({"profile": {"city": "x"}, "preferences": {"notifications": {"xyz": []}}}, "/preferences/notifications/xyz"),
])  # fmt: skip
def test_a_body_that_breaks_a_rule_is_refused_with_its_place_and_nothing_is_stored(
    atomic, key, refused, tables, body, pointer
):
    mine = token(sub=fresh(), apiKey=key(claims={"c": "region"}), c="x")
    before = tables()
    response = update(atomic, mine, body, x_atomic_sdk_platform="ios")
    assert refused(response, 400, "invalid_input")["source"] == {"pointer": pointer}
    assert tables() == before


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"profile":{},"profile":{}}', b"\xff", b"[" * 20000])
def test_what_is_no_object_is_refused(atomic, key, refused, body):
    refused(update(atomic, token(apiKey=key()), body), 400, "invalid_body")


def test_a_body_that_is_too_long_is_refused(atomic, key, refused):
    refused(update(atomic, token(apiKey=key()), {"profile": {"city": "a" * 70_000}}), 413, "body_too_large")


def test_the_token_is_looked_at_before_the_body(atomic, refused):
    refused(update(atomic, "x", b"["), 401, "invalid_sdk_token")


def test_twice_is_as_once(atomic, key, count):
    uid = fresh()
    mine = token(sub=uid, apiKey=key())
    assert visit(atomic, mine) == visit(atomic, mine)
    assert count("users", atomic.workspace) == 1


def test_an_idempotency_key_gives_nobody_the_reply_of_another(atomic, key):
    id, body = key(), {"preferences": {"timezone": "UTC"}}
    visit(atomic, token(sub=fresh(), apiKey=id), {"profile": {"name": "Ada"}}, Idempotency_Key="k1")
    one = visit(atomic, token(sub="first", apiKey=id, x=1), body, Idempotency_Key="k2")
    atomic.post("users", {"users": [{"id": "first", "profile": {"name": "Ada"}}]})
    two = visit(atomic, token(sub="second", apiKey=id), body, Idempotency_Key="k2")
    assert one["profile"] == two["profile"] == {}


# ---- analytics ----------------------------------------------------------------------------------------------------


@pytest.fixture
def later(monkeypatch):
    """Let so many seconds pass."""
    ahead = [0]
    monkeypatch.setattr(clock, "now", lambda: time.time_ns() // 1_000_000 + ahead[0])

    def pass_by(seconds):
        ahead[0] += seconds * 1000

    return pass_by


@pytest.mark.parametrize(
    ("platform", "name", "prefix"),
    [
        ("ios", "ios", "last_ios_device"),
        ("Android", "android", "last_android_device"),
        ("web", "browser", "last_browser"),
    ],
)
def test_a_visit_notes_when_and_with_what(atomic, key, platform, name, prefix):
    uid, before = fresh(), clock.now()
    more = {"x_atomic_sdk_platform": platform, "x_atomic_sdk_version": "1.2.3", "x_atomic_sdk_device": "Pixel 9"}
    reply = visit(atomic, token(sub=uid, apiKey=key()), x_atomic_sdk_timezone="Africa/Lagos", **more)
    assert reply["profile"] == {"city": "Lagos"} or reply["profile"] == {"city": "Lagos", "timezone": "Africa/Lagos"}
    noted = told(atomic, uid)
    seen = noted["last_seen_at"]
    assert noted == {
        "first_seen_at": seen, "last_seen_at": seen, f"last_{name}_seen_at": seen, f"last_{name}_sdk_version": "1.2.3", prefix: "Pixel 9",
    }  # fmt: skip
    from app.domain import dates

    assert before <= dates.parse(seen) <= clock.now()
    assert atomic.profile(uid)["timezone"] == "Africa/Lagos"


def test_a_field_is_written_once_in_thirty_seconds(atomic, key, later):
    uid, id = fresh(), key()

    def come(version, timezone="UTC"):
        visit(
            atomic,
            token(sub=uid, apiKey=id),
            x_atomic_sdk_platform="ios",
            x_atomic_sdk_version=version,
            x_atomic_sdk_timezone=timezone,
        )
        return atomic.profile(uid)

    first = come("1")
    later(29)
    assert come("2", "Africa/Lagos") == first
    later(2)
    second = come("3", "Africa/Lagos")
    assert second["last_ios_sdk_version"] == "3" and second["timezone"] == "Africa/Lagos"
    assert second["last_seen_at"] > first["last_seen_at"] and second["first_seen_at"] == first["first_seen_at"]


def test_another_platform_and_what_was_never_told_are_noted_at_once(atomic, key):
    uid, id = fresh(), key()
    visit(atomic, token(sub=uid, apiKey=id), x_atomic_sdk_platform="ios")
    visit(atomic, token(sub=uid, apiKey=id), x_atomic_sdk_platform="ios", x_atomic_sdk_version="1")
    visit(atomic, token(sub=uid, apiKey=id), x_atomic_sdk_platform="android", x_atomic_sdk_device="Pixel 9")
    noted = told(atomic, uid)
    assert noted["last_ios_sdk_version"] == "1" and noted["last_android_device"] == "Pixel 9"


@pytest.mark.parametrize("headers", [
    {"x_atomic_sdk_platform": "toaster", "x_atomic_sdk_version": "1"}, {"x_atomic_sdk_timezone": "../../etc/passwd"},
    {"x_atomic_sdk_platform": ""}, {"x_atomic_sdk_platform": "x" * 3000}, {"x_atomic_sdk_version": "1"}, {},
])  # fmt: skip
def test_what_tells_nothing_is_passed_over(atomic, key, headers):
    uid = fresh()
    visit(atomic, token(sub=uid, apiKey=key()), **headers)
    assert told(atomic, uid).keys() == {"first_seen_at", "last_seen_at"} and "timezone" not in atomic.profile(uid)


def test_a_device_that_cannot_be_kept_is_passed_over(atomic, key):
    uid, id = fresh(), key()
    visit(
        atomic,
        token(sub=uid, apiKey=id),
        x_atomic_sdk_platform="ios",
        x_atomic_sdk_device="x" * 256,
        x_atomic_sdk_version="a\x85b",
    )
    assert told(atomic, uid).keys() == {"first_seen_at", "last_seen_at", "last_ios_seen_at"}


def test_where_a_time_was_overwritten_with_what_is_none_it_is_noted_again(api, atomic, key):
    uid = api.user(meta={"last_seen_at": "never", "last_ios_seen_at": 5})["uid"]
    visit(atomic, token(sub=uid, apiKey=key()), x_atomic_sdk_platform="ios")
    assert told(atomic, uid)["last_seen_at"].endswith("Z") and told(atomic, uid)["last_ios_seen_at"].endswith("Z")


# ---- browsers -----------------------------------------------------------------------------------------------------


def test_pages_of_any_origin_may_call_with_a_token(atomic, key):
    asked = {**ACROSS, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    answered = atomic.call("OPTIONS", f"/{atomic.environment}/update-user", by=None, headers=asked)
    assert answered.headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert "x-atomic-sdk-timezone" in answered.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answered.headers
    for text in (token(sub=fresh(), apiKey=key()), "x"):
        assert update(atomic, text, **ACROSS).headers["Access-Control-Allow-Origin"] == "https://page.example"
    asked = atomic.call("OPTIONS", "users", by=None, headers=asked)
    assert "Access-Control-Allow-Origin" not in asked.headers
