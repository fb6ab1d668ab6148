"""Places on lists, in every state, made by the API."""

from app.domain.consent import PENDING, SUBSCRIBED, UNSUBSCRIBED
from tests.factories import fresh

STATES = (None, SUBSCRIBED, PENDING, UNSUBSCRIBED)
SHOWN = {
    SUBSCRIBED: {"subscribed": True},
    PENDING: {"subscribed": False, "pending": True},
    UNSUBSCRIBED: {"subscribed": False},
}  # status -> how GET shows it, without the id


def place_in(api, status, double_optin, news=None):
    """Make a user whose place on a list is in that state, None for no place; return the uid and the list's id.

    news: the list, a new one if None.
    """
    email = f"{fresh()}@example.com"
    uid = api.user(email=email)["uid"]
    news = news or api.post("lists", {"title": "News", "double_optin": True}).json["id"]
    if status == PENDING:
        api.put(f"lists/{news}", {"double_optin": True})
        assert "confirmation_url" in api.post(f"lists/{news}/subscribers", {"email": email}).json
    elif status is not None:
        api.put(f"lists/{news}/subscribers/{uid}", {"subscribed": status == SUBSCRIBED})
    api.put(f"lists/{news}", {"double_optin": double_optin})
    return uid, news


def status_of(api, news, uid):
    """Return the state of a user's place on a list."""
    found = api.get(f"lists/{news}/subscribers/{uid}")
    if found.status_code == 404:
        return None
    return PENDING if found.json["pending"] else SUBSCRIBED if found.json["subscribed"] else UNSUBSCRIBED
