"""Consent: the one rule for the next state of a place on a list (table in docs/lists.md).

Consent is never raised by what merely describes a user, a body that a shop sends each night or somebody puts back as
it was read. It takes a deliberate act, or the person's own confirmation.
"""

from enum import Enum

SUBSCRIBED, PENDING, UNSUBSCRIBED = "subscribed", "pending", "unsubscribed"


class Act(Enum):
    """How a place is asked for. SENT, SENT_PUBLICLY: in `lists` of a body, with the secret or the public key alone."""

    SENT = "sent with the secret"
    SENT_PUBLICLY = "sent with the public key"
    SUBSCRIBE = "subscribed by the API"  # PUT /lists/{id}/subscribers/{uid}, POST /users/{uid}/lists
    UNSUBSCRIBE = "unsubscribed by the API, or by the link of a mail"
    SIGN_UP = "signed up"  # POST /lists/{id}/subscribers
    CONFIRM = "confirmed by the link of a mail"
    REMOVE = "taken off the list"


def decide(now: str | None, act: Act, sent: str = SUBSCRIBED, double_optin: bool = False) -> str | None:
    """Return the status of a place after an act; None where there is no place, before or afterwards.

    sent: what the body asks for, where it was sent in one. double_optin: whether the list wants a confirmation.
    """
    is_to_confirm = act is Act.SENT_PUBLICLY and double_optin
    described = now if sent == UNSUBSCRIBED else now or (PENDING if is_to_confirm else sent)
    after: dict[Act, str | None] = {
        Act.SENT: UNSUBSCRIBED if sent == UNSUBSCRIBED else described,
        Act.SENT_PUBLICLY: described,
        Act.SUBSCRIBE: SUBSCRIBED,
        Act.UNSUBSCRIBE: UNSUBSCRIBED,
        Act.SIGN_UP: PENDING if double_optin and now != SUBSCRIBED else SUBSCRIBED,
        Act.CONFIRM: SUBSCRIBED if now == PENDING else now,
        Act.REMOVE: UNSUBSCRIBED if now == UNSUBSCRIBED else None,
    }
    return after[act]


def join(one: str | None, other: str | None) -> str | None:
    """Return the status of a place on a list after a merge of two users: unsubscribed wins."""
    return next((status for status in (UNSUBSCRIBED, SUBSCRIBED, PENDING) if status in (one, other)), None)
