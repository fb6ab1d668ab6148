"""What becomes of places on lists: the table of docs/lists.md, over every route and with both keys."""

import re
from itertools import product
from urllib.parse import urlsplit

import pytest

from app.domain.consent import PENDING, SUBSCRIBED, UNSUBSCRIBED, Act, decide, join
from tests.factories import fresh
from tests.places import SHOWN, STATES, place_in, status_of

# The table once more, by hand: act and what is sent -> what becomes of STATES, on a plain list and on one with
# double opt-in.
N, S, P, U = STATES
TABLE = {
    (Act.SENT, SUBSCRIBED): ((S, S, P, U), (S, S, P, U)),
    (Act.SENT, PENDING): ((P, S, P, U), (P, S, P, U)),
    (Act.SENT, UNSUBSCRIBED): ((U, U, U, U), (U, U, U, U)),
    (Act.SENT_PUBLICLY, SUBSCRIBED): ((S, S, P, U), (P, S, P, U)),
    (Act.SENT_PUBLICLY, PENDING): ((P, S, P, U), (P, S, P, U)),
    (Act.SENT_PUBLICLY, UNSUBSCRIBED): ((N, S, P, U), (N, S, P, U)),
    (Act.SUBSCRIBE, None): ((S, S, S, S), (S, S, S, S)),
    (Act.UNSUBSCRIBE, None): ((U, U, U, U), (U, U, U, U)),
    (Act.SIGN_UP, None): ((S, S, S, S), (P, S, P, P)),
    (Act.CONFIRM, None): ((N, S, S, U), (N, S, S, U)),
    (Act.REMOVE, None): ((N, N, N, U), (N, N, N, U)),
}


def test_the_table_has_every_act():
    assert {act for act, _ in TABLE} == set(Act)


@pytest.mark.parametrize(("act", "sent"), TABLE)
def test_what_is_decided_is_in_the_table(act, sent):
    for is_double in (False, True):
        decided = [decide(now, act, sent or SUBSCRIBED, is_double) for now in STATES]
        assert decided == list(TABLE[act, sent][is_double])


def test_docs_lists_has_the_same_table(root):
    names = {"–": None, "subscribed": S, "pending": P, "unsubscribed": U}
    rows = re.findall(
        r"^\| `(\w+)`(?:, `(\w+)`)? \|(.+)\|(.+)\|(.+)\|(.+)\|$", (root / "docs/lists.md").read_text(), re.M
    )
    written = {}
    for act, sent, *cells in rows:
        plain = [cell.strip().partition(" (") for cell in cells]
        on_plain = tuple(names[one[0]] for one in plain)
        on_double = tuple(names[one[2].strip(")") if one[2] else one[0]] for one in plain)
        written[Act[act], sent or None] = (on_plain, on_double)
    assert written == TABLE


def test_of_two_places_that_are_merged_the_more_cautious_counts():
    ranks = [None, PENDING, SUBSCRIBED, UNSUBSCRIBED]
    for one, other in product(STATES, STATES):
        assert join(one, other) == max(one, other, key=ranks.index)


def put(api, uid, news, lists, by):
    return api.put(f"users/{uid}", {"first_name": "Ann", "lists": lists}, by=by)


def post(api, uid, news, lists, by):
    return api.post("users", {"id": uid, "first_name": "Ann", "lists": lists}, by=by)


@pytest.mark.parametrize("write", [put, post])
def test_the_public_key_raises_and_lowers_no_consent_and_is_told_nothing(api, write):
    """Case list-public-key-skips-confirmation."""
    for is_double, sent in product((False, True), (SUBSCRIBED, PENDING, UNSUBSCRIBED)):
        told = []
        for before in STATES:
            uid, news = place_in(api, before, is_double)
            answer = write(api, uid, news, [SHOWN[sent] | {"id": news}], "public")
            assert answer.status_code == 200
            told += [[{**one, "id": ""} for one in answer.json["lists"]]]
            assert status_of(api, news, uid) == decide(before, Act.SENT_PUBLICLY, sent, is_double)
        assert told == told[:1] * len(STATES)  # whether the person is on the list, or has left it, stays untold


def test_the_public_key_makes_nobody_who_is_subscribed_to_a_double_optin_list(api):
    news = api.post("lists", {"title": "News", "double_optin": True}).json["id"]
    for write in (put, post):
        uid = fresh()
        assert write(api, uid, news, [news], "public").status_code == 200
        assert status_of(api, news, uid) == PENDING
        assert write(api, uid, news, [news], "public").status_code == 200
        assert status_of(api, news, uid) == PENDING


ROUTES = {
    "PUT true": (
        Act.SUBSCRIBE,
        lambda api, news, uid: api.put(f"lists/{news}/subscribers/{uid}", {"subscribed": True}),
    ),
    "PUT false": (
        Act.UNSUBSCRIBE,
        lambda api, news, uid: api.put(f"lists/{news}/subscribers/{uid}", {"subscribed": False}),
    ),
    "POST lists": (Act.SUBSCRIBE, lambda api, news, uid: api.post(f"users/{uid}/lists", {"lists": [news]})),
    "DELETE lists": (Act.REMOVE, lambda api, news, uid: api.delete(f"users/{uid}/lists", {"lists": [news]})),
    "DELETE place": (Act.REMOVE, lambda api, news, uid: api.delete(f"lists/{news}/subscribers/{uid}")),
    "sign up": (
        Act.SIGN_UP,
        lambda api, news, uid: api.post(
            f"lists/{news}/subscribers", {"email": api.get(f"users/{uid}").json["email"], "first_name": "Ann"}
        ),
    ),
}


@pytest.mark.parametrize("route", ROUTES)
def test_deliberate_acts(api, route):
    act, do = ROUTES[route]
    for before, is_double in product(STATES, (False, True)):
        uid, news = place_in(api, before, is_double)
        assert do(api, news, uid).status_code == 200
        after = decide(before, act, double_optin=is_double)
        assert status_of(api, news, uid) == after, (before, is_double)
        assert api.get(f"lists/{news}").json["subscriber_count"] == int(after in (SUBSCRIBED, PENDING))


def test_the_link_of_a_mail_unsubscribes_whatever_became_of_the_place(api):
    """Also of somebody who was taken off the list since: the next sync must not subscribe them."""
    for before in STATES:
        uid, news = place_in(api, SUBSCRIBED, double_optin=False)
        link = urlsplit(api.get(f"lists/{news}/subscribers/{uid}").json["unsubscribe_url"]).path
        api.delete(f"lists/{news}/subscribers/{uid}")
        if before is not None:
            api.put(f"users/{uid}", {"lists": [{"id": news, **SHOWN[before]}]})
        assert status_of(api, news, uid) == before
        assert api.call("POST", link, by=None).json == {"status": "ok"}
        assert status_of(api, news, uid) == UNSUBSCRIBED


def test_a_place_sent_twice_is_as_the_lower_one(api):
    news = api.post("lists", {"title": "News"}).json["id"]
    for lists in ([news, {"id": news, "subscribed": False}], [{"id": news, "subscribed": False}, news]):
        assert api.user(lists=lists)["lists"] == [{"id": news, "subscribed": False}]


@pytest.mark.parametrize(
    "place",
    [{"id": "f" * 24, "subscribed": False}, {"id": None, "subscribed": False}, {"subscribed": False}, {"id": "x"},
     {"id": "f" * 24, "subscribed": "no"}, {"id": "f" * 24, "subscribed": True, "pending": 1}, 5, None],
)  # fmt: skip
def test_what_is_no_place_is_refused_and_nothing_is_stored(api, tables, place):
    before = tables()
    for refused in (
        api.post("users", {"id": fresh(), "lists": [place]}),
        api.put(f"users/{fresh()}", {"lists": [place]}),
        api.call("PATCH", f"users/{fresh()}", {"lists": [place]}),
    ):
        assert refused.status_code == 400 and "lists.0" in refused.json["error"], refused.json
    assert tables() == before


def test_an_opt_out_can_be_carried_over_to_an_archived_list_but_nobody_new_subscribes(api, make_list, archive_list):
    news = make_list("Old")
    archive_list(news)
    uid = api.user()["uid"]
    assert api.put(f"users/{uid}", {"lists": [news]}).status_code == 400
    assert api.put(f"users/{uid}", {"lists": [{"id": news, "subscribed": False}]}).status_code == 200
    assert status_of(api, news, uid) == UNSUBSCRIBED
    assert api.put(f"users/{uid}", {"lists": [news]}).status_code == 200  # a sync that names it changes nothing
    assert status_of(api, news, uid) == UNSUBSCRIBED


def test_signing_up_fills_blanks_of_somebody_known(api, make_list):
    """Case subscribe-drops-fields."""
    news = make_list("News")
    uid = api.user(email="u@example.com", last_name="Kept", meta={"plan": "pro"})["uid"]
    sent = {
        "email": "U@example.com", "first_name": "Bo", "last_name": "Lost", "number": "+15550001", "created_at": "2001-01-01",
        "meta": {"source": "footer", "plan": "free"},
    }  # fmt: skip
    before = api.get(f"users/{uid}").json
    assert api.post(f"lists/{news}/subscribers", sent).json == {"uid": uid}
    assert api.get(f"users/{uid}").json == {
        **before, "first_name": "Bo", "number": "+15550001", "meta": {"plan": "pro", "source": "footer"},
        "lists": [{"id": news, "subscribed": True}],
    }  # fmt: skip
    assert api.get(f"users/{uid}").json["email"] == "u@example.com"


def test_too_many_new_keys_sign_nobody_up(api, make_list, tables):
    news, uid = make_list("News"), api.user(email="u@example.com", meta={f"k{n}": n for n in range(299)})["uid"]
    before = tables()
    refused = api.post(f"lists/{news}/subscribers", {"email": "u@example.com", "meta": {"a": 1, "b": 2}})
    assert (refused.status_code, list(refused.json["details"])) == (400, ["meta"]) and tables() == before
    assert api.get(f"users/{uid}").json["lists"] == []
