"""Where the links in mails lead: to an address of ours, never to one that a stranger named (engage.md section 5)."""

import dataclasses

import pytest

from app.errors import Misconfigured
from app.models.database import db, forget_connection
from app.services import storage, workspaces
from tests.factories import Api, fresh

PROXY = "127.0.0.1"
HOME = "http://127.0.0.1:8000"
TOLD = {"Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "worse.example, users.example.com"}


@pytest.fixture
def begins(settings, use_app):
    """Return what a link begins with, under settings and for headers."""

    def begins(headers, **changed):
        if db.obj is not None:
            forget_connection()  # of the app before
        wanted = dataclasses.replace(settings, **changed)
        app = use_app(wanted)
        storage.prepare(wanted)
        api = Api(app.test_client(), workspaces.create(f"links {fresh()}"))
        news = api.post("lists", {"title": "News", "double_optin": True}).json["id"]
        made = api.post(f"lists/{news}/subscribers", {"email": "a@example.com"}, headers=headers)
        urls = [made.json["confirmation_url"], api.get(f"lists/{news}/subscribers/{made.json['uid']}", headers=headers)
                .json["unsubscribe_url"]]  # fmt: skip
        [start] = {url.partition("/v1/subscriptions/")[0] for url in urls}
        return start

    yield begins
    forget_connection()


def test_a_strangers_host_is_in_no_link(begins):
    assert begins(TOLD) == HOME
    assert begins({"Host": "evil.example"}, trusted_proxies=PROXY) == HOME


def test_a_trusted_proxy_names_scheme_host_and_prefix(begins):
    """Case links-behind-a-prefix."""
    prefix = {"X-Forwarded-Prefix": "/people/"}
    assert begins(TOLD, trusted_proxies=PROXY) == "https://users.example.com"
    assert begins(TOLD | prefix, trusted_proxies=PROXY) == "https://users.example.com/people"
    assert begins(TOLD | prefix) == HOME


@pytest.mark.parametrize("prefix", ["//evil.example", "people", "/a b", "/<b>", "/a?b", "/a/../b", "/"])
def test_a_prefix_that_is_no_path_is_none(begins, prefix):
    assert begins(TOLD | {"X-Forwarded-Prefix": prefix}, trusted_proxies=PROXY) == "https://users.example.com"


@pytest.mark.parametrize("by", ["a proxy", "a setting"])
def test_the_docs_stand_behind_a_prefix_too(settings, use_app, by):
    trusted, headers = "", {"X-Forwarded-Host": "example.com", "X-Forwarded-Prefix": "/people"}
    if by == "a proxy":
        trusted = PROXY
    app = use_app(
        dataclasses.replace(settings, trusted_proxies=trusted, public_url="" if trusted else "https://x.y/people")
    )
    client = app.test_client()
    for path in ("/", "/docs"):
        assert client.get(path, headers=headers).headers["Location"] == "/people/docs/"
    page = client.get("/docs/", headers=headers).text
    assert '"url": "../openapi.json"' in page and 'src="./swagger-ui-bundle.js"' in page and '="/' not in page
    assert client.get("/openapi.json", headers=headers).json["servers"][0]["url"] == "/people/"
    assert "- url: /people/\n" in client.get("/openapi.yaml", headers=headers).text
    if trusted:
        assert client.get("/openapi.json").json["servers"][0]["url"] == "/"
        assert client.get("/docs").headers["Location"] == "/docs/"
    forget_connection()


def test_without_a_proto_the_scheme_is_that_of_the_connection(begins):
    assert begins({"X-Forwarded-Host": "users.example.com"}, trusted_proxies=PROXY) == "http://users.example.com"


@pytest.mark.parametrize("url", ["https://users.example.com/people", "https://users.example.com/people/"])
def test_the_public_url_goes_before_all_others(begins, url):
    assert begins(TOLD, trusted_proxies=PROXY, public_url=url) == "https://users.example.com/people"


@pytest.mark.parametrize("url", ["users.example.com", "ftp://x.y", "https://", "https://x.y/?a=b", "https://x.y/#a",
                                 "https://a:b@x.y", "https://x y", "https://x.y:port"])  # fmt: skip
def test_a_public_url_that_is_none_stops_the_start(monkeypatch, url):
    from app.config import read_settings

    monkeypatch.setenv("ROLLCALL_PUBLIC_URL", url)
    with pytest.raises(Misconfigured, match="ROLLCALL_PUBLIC_URL"):
        read_settings()
