"""Double opt-in and one-click unsubscribe: signed links for the caller's mailer (RFC 8058)."""

import time
from urllib.parse import urlsplit

import pytest

from tests.factories import fresh

WEEK = 7 * 86_400


@pytest.fixture
def news(api):
    """A list that wants a confirmation."""
    return api.post("lists", {"title": "News & <b>more</b>", "double_optin": True}).json["id"]


@pytest.fixture
def pending(api, news):
    """The reply to somebody who has subscribed and not confirmed."""
    reply = api.post(f"lists/{news}/subscribers", {"email": f"{fresh()}@example.com"}).json
    assert reply.keys() == {"uid", "confirmation_url", "unsubscribe_url"}
    return reply


def follow(api, url, method="GET", **more):
    return api.call(method, urlsplit(url).path, by=None, **more)


def place(api, news, uid):
    return api.get(f"lists/{news}/subscribers/{uid}").json


def test_a_subscription_is_pending_until_it_is_confirmed(api, news, pending):
    uid = pending["uid"]
    assert place(api, news, uid)["pending"] is True and place(api, news, uid)["subscribed"] is False
    assert api.get(f"users/{uid}").json["lists"] == [{"id": news, "subscribed": False, "pending": True}]
    assert api.get(f"lists/{news}").json["subscriber_count"] == 1
    shown = follow(api, pending["confirmation_url"])
    page = follow(api, pending["confirmation_url"], "POST", headers={"Accept": "text/html"})
    for one in (shown, page):
        assert one.status_code == 200 and one.mimetype == "text/html"
        assert b"News &amp; &lt;b&gt;more&lt;/b&gt;" in one.data
    assert b"<form method" in shown.data and b"<form" not in page.data
    assert place(api, news, uid).keys() == {"uid", "subscribed", "pending", "unsubscribe_url"}
    assert place(api, news, uid)["subscribed"] is True
    assert api.get(f"lists/{news}").json["subscriber_count"] == 1
    assert api.post(f"lists/{news}/subscribers", {"email": api.get(f"users/{uid}").json["email"]}).json == {"uid": uid}


def test_whoever_confirms_is_sent_on(api, news, pending):
    api.put(f"lists/{news}", {"redirect_url": "https://a.example/thanks"})
    sent = follow(api, pending["confirmation_url"], "POST", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (sent.status_code, sent.headers["Location"]) == (303, "https://a.example/thanks")


@pytest.mark.parametrize("method", ["HEAD", "GET", "OPTIONS"])
@pytest.mark.parametrize("link", ["confirmation_url", "unsubscribe_url"])
def test_mail_scanners_open_links_and_change_nothing(api, pending, tables, method, link):
    """Case confirmation-link-head."""
    before = tables()
    for _ in range(2):
        assert follow(api, pending[link], method).status_code == 200
    assert tables() == before
    assert follow(api, pending[link], "POST").json == {"status": "ok"}


def test_a_confirmation_is_good_once(api, news, pending, tables):
    assert follow(api, pending["confirmation_url"], "POST").json == {"status": "ok"}
    before = tables()
    for method in ("GET", "POST"):
        assert follow(api, pending["confirmation_url"], method).status_code == 404
    assert tables() == before


def test_a_confirmation_is_good_for_the_place_that_it_was_made_for(api, news, pending):
    email = api.get(f"users/{pending['uid']}").json["email"]
    for leave in (
        lambda: follow(api, pending["unsubscribe_url"], "POST"),
        lambda: api.delete(f"lists/{news}/subscribers/{pending['uid']}"),
    ):
        old = place(api, news, pending["uid"])["confirmation_url"]
        leave()
        again = api.post(f"lists/{news}/subscribers", {"email": email}).json
        assert again["uid"] == pending["uid"]
        assert [follow(api, old, method).status_code for method in ("GET", "POST")] == [404, 404]
        assert place(api, news, pending["uid"])["pending"] is True
    assert follow(api, again["confirmation_url"], "POST").status_code == 200
    assert place(api, news, pending["uid"])["subscribed"] is True


def test_signing_up_twice_leaves_the_first_mail_good(api, news, pending):
    email = api.get(f"users/{pending['uid']}").json["email"]
    api.post(f"lists/{news}/subscribers", {"email": email})
    assert follow(api, pending["confirmation_url"], "POST").json == {"status": "ok"}


def test_nobody_confirms_on_an_archived_list_but_everybody_may_leave_it(api, news, pending, archive_list, tables):
    email = api.get(f"users/{pending['uid']}").json["email"]
    archive_list(news)
    before = tables()
    assert api.post(f"lists/{news}/subscribers", {"email": email}).status_code == 409
    assert [follow(api, pending["confirmation_url"], method).status_code for method in ("GET", "POST")] == [404, 404]
    assert tables() == before
    assert follow(api, pending["unsubscribe_url"], "POST").status_code == 200


def test_links_go_on_after_a_merge(api, news, pending):
    destination = api.user()["uid"]
    api.post("users/merge", {"source": pending["uid"], "destination": destination})
    assert follow(api, pending["confirmation_url"]).status_code == 200
    assert follow(api, pending["confirmation_url"], "POST").status_code == 200
    assert place(api, news, destination)["subscribed"] is True
    assert follow(api, pending["unsubscribe_url"], "POST").status_code == 200
    assert place(api, news, destination)["subscribed"] is False


def test_unsubscribing_shows_first_and_acts_on_post(api, news, pending, tables):
    follow(api, pending["confirmation_url"], "POST")
    before = tables()
    shown = follow(api, pending["unsubscribe_url"])
    assert shown.status_code == 200 and b"<form method" in shown.data and tables() == before
    for _ in range(2):
        done = follow(api, pending["unsubscribe_url"], "POST", body=b"List-Unsubscribe=One-Click")
        assert (done.status_code, done.json) == (200, {"status": "ok"})
    assert place(api, news, pending["uid"])["subscribed"] is False
    assert api.get(f"lists/{news}").json["subscriber_count"] == 0
    keyed = follow(api, pending["unsubscribe_url"], "POST", headers={"Idempotency-Key": "k"})
    assert keyed.json == {"status": "ok"}  # a page without credentials keeps no replies, and needs none
    by_browser = follow(api, pending["unsubscribe_url"], "POST", headers={"Accept": "text/html"})
    assert by_browser.mimetype == "text/html"
    follow(api, pending["confirmation_url"], "POST")  # an old link does not bring back who has left
    assert place(api, news, pending["uid"])["subscribed"] is False


def test_a_confirmation_is_good_for_7_days_and_leaving_for_ever(api, pending, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + WEEK + 60)
    assert follow(api, pending["confirmation_url"]).status_code == 404
    assert follow(api, pending["unsubscribe_url"]).status_code == 200


def test_a_link_that_is_not_ours_is_not_found_and_changes_nothing(api, other_api, news, pending, tables):
    confirm, leave = urlsplit(pending["confirmation_url"]).path, urlsplit(pending["unsubscribe_url"]).path
    link, other = confirm.split("/")[3], leave.split("/")[3]
    theirs = other_api.post("lists", {"title": "t", "double_optin": True}).json["id"]
    foreign = other_api.post(f"lists/{theirs}/subscribers", {"email": "a@example.com"}).json["confirmation_url"]
    mixed = link.partition(".")[0] + "." + urlsplit(foreign).path.split("/")[3].partition(".")[2]
    before = tables()
    for bad in (link[:-1], link + "x", other, mixed, "x", "x.y", "a" * 5000, "%00", link.partition(".")[2]):
        refused = api.call("GET", f"subscriptions/{bad}/confirm", by=None)
        assert refused.status_code == 404
    assert tables() == before


def test_the_link_of_somebody_deleted_is_not_found(api, pending):
    api.delete(f"users/{pending['uid']}")
    assert [follow(api, pending[name]).status_code for name in ("confirmation_url",)] == [404]
    assert follow(api, pending["unsubscribe_url"], "POST").status_code == 404


def test_somebody_who_is_not_on_the_list_has_no_place(api, news):
    assert api.get(f"lists/{news}/subscribers/{api.user()['uid']}").status_code == 404
    assert api.get(f"lists/{news}/subscribers/{fresh()}").status_code == 404
    assert api.get(f"lists/{news}/subscribers/{fresh()}", by="public").status_code == 403


def test_the_secret_may_subscribe_without_a_confirmation(api, news):
    uid = api.user()["uid"]
    assert api.put(f"lists/{news}/subscribers/{uid}", {"subscribed": True}).json == {"subscribed": True}
    assert place(api, news, uid)["pending"] is False
