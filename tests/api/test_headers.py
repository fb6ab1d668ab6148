"""What every reply carries so that browsers and caches do nothing with it that we did not mean."""

import pytest

from tests.factories import fresh

ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


@pytest.fixture
def replies(api, make_list):
    """A reply of every kind by its name."""
    person = {"email": "a@example.com"}
    api.post(f"lists/{make_list('News')}/subscribers", person)
    list_id = api.post("lists", {"title": "Asked", "double_optin": True}).json["id"]
    link = api.post(f"lists/{list_id}/subscribers", person).json["unsubscribe_url"].partition(":8000")[2]
    found = {
        "made": api.put(f"users/{fresh()}", {}),
        "page": api.get("users"),
        "bad input": api.put(f"users/{fresh()}", {"email": "x"}),
        "stranger": api.get("users", by=None),
        "unknown": api.get("nosuch"),
        "wrong method": api.call("DELETE", "users"),
        "preflight": api.call("OPTIONS", "users", by=None),
        "health": api.get("/healthz", by=None),
        "document": api.get("/openapi.json", by=None),
        "way": api.get("/", by=None),
        "docs": api.get("/docs/", by=None),
        "asset": api.get("/docs/swagger-ui.css", by=None),
        "mail": api.get(link, by=None),
        "unsubscribed": api.post(link, by=None, headers={"Accept": "text/html"}),
    }
    yield found
    for reply in found.values():
        reply.close()


def test_every_reply_is_safe(replies):
    for name, reply in replies.items():
        cached = {"Cache-Control": "no-cache"} if name in ("asset", "document") else {}  # for everybody
        assert {header: reply.headers.get(header) for header in ALWAYS} == ALWAYS | cached, name
        assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"], name
        assert "X-Powered-By" not in reply.headers and "Strict-Transport-Security" not in reply.headers, name
        assert reply.headers["X-Request-Id"], name


def test_what_a_reply_may_load(replies):
    policies = {name: reply.headers["Content-Security-Policy"] for name, reply in replies.items()}
    assert all(policy.startswith("default-src 'none'") for policy in policies.values())
    assert {name for name, policy in policies.items() if "script-src" in policy} == {"docs", "asset"}
    assert {name for name, policy in policies.items() if "form-action 'self'" in policy} == {"mail", "unsubscribed"}
    forms = "form-action 'self' http: https:"  # of a page whose form leads on to a list's redirect_url
    assert "http" not in " ".join(policies.values()).replace(forms, "")


def test_browsers_are_told_to_come_by_https_only_where_they_did(api):
    reply = api.get("/healthz", by=None, base_url="https://localhost")
    assert reply.headers["Strict-Transport-Security"] == "max-age=31536000"
