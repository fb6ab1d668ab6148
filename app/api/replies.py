"""JSON replies made by hand on the routes that are called all day.

A marshmallow dump of a user takes longer than the query that finds it. UserSchema documents the same shape, and a
test proves that both give the same bytes.
"""

import collections
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from zlib import crc32

import orjson
from flask import Response, current_app

from app.api import pages, proxies
from app.api.auth import has_secret
from app.api.flask_app import JsonReply
from app.domain import dates, shape
from app.domain.consent import PENDING
from app.domain.cursors import Page
from app.services.audit import AuditRow
from app.services.events import DROPPED, DUPLICATE, EventRow
from app.services.lists import ListRow, Subscribed
from app.services.segments.answers import Count, Preview, Reasons
from app.services.segments.definitions import SegmentRow
from app.services.segments.sweeps import found_at
from app.services.users import Saved, UserRow
from app.services.users.batches import Verdict, refused_of

OUTCOME = "Rollcall-Outcome"
_ETAG_DIGITS = 32  # 128 bits: two states of a user never share one by chance


# What stands in the middle of a user who is no account, on no list and in no segment; all of it, and what is state.
_PLAIN = b',"member_count":null,"archived":false,"lists":[],"segments":[],"meta":{'
_STATED = b',"archived":false,"lists":[]],"meta":{'
_PLAIN_LENGTH = len(_PLAIN)
_COUNT = b',"member_count":'  # found in a third of the time of _PLAIN
_COMMA = b","[0]
_STATS_LENGTH = len(orjson.dumps({"stats": shape.STATS}))
# Where last_interaction begins, from the end.
_NEVER = -len(b',"last_interaction":null') - _STATS_LENGTH
_ONCE = -len(b',"last_interaction":"2021-01-12T05:24:39.062+00:00"') - _STATS_LENGTH


def reply(body: Mapping[str, Any], status: int = 200) -> Response:
    """Return a JSON response."""
    return JsonReply(orjson.dumps(body), status)


def done() -> Response:
    """Return the reply of a route that only says that it is done."""
    return reply({"status": "ok"})


def recorded(outcome: str | None) -> Response:
    """Return the reply to an event. outcome: why it was not stored, which the secret alone is told."""
    return told(done(), outcome if has_secret() else None)


def told(response: Response, outcome: str | None) -> Response:
    """Return the response with the header that says what became of an event (engage.md section 4.3)."""
    if outcome is not None:
        response.headers[OUTCOME] = outcome
    return response


def user(found: UserRow | str) -> Response:
    """Return a user, whole, with the ETag of its state."""
    body = user_json(found)
    response = JsonReply(body)
    response.headers["ETag"] = etag(body)
    return response


def user_json(found: UserRow | str) -> bytes:
    """Return the user object as JSON, which it may be already."""
    return found.encode() if isinstance(found, str) else orjson.dumps(shape.shown(found))


def users_json(found: Sequence[UserRow | str], around: Mapping[str, Any]) -> bytes:
    """Return a page of users as JSON. found: rows, or JSON. around: what stands beside them."""
    rest = orjson.dumps(around)[1:]
    users = [one if isinstance(one, str) else user_json(one).decode() for one in found]
    return b'{"data":[%b]%b%b' % (",".join(users).encode(), b"," if around else b"", rest)


def etag(body: bytes) -> str:
    """Return a strong ETag of a user (RFC 9110 section 8.8.3), "<state>.<view>"; body: the user object as JSON.

    state: another one after every change to what callers write; view: after every change that a reply shows. Outside of
    texts, in which quotes are escaped, and of meta, the names that are looked for come once.
    """
    count = body.find(_COUNT)
    seen = _NEVER if body[_NEVER] == _COMMA else _ONCE
    if body.startswith(_PLAIN, count):  # most users, in a third of the time
        stated = body[:count] + _STATED + body[count + _PLAIN_LENGTH : seen]
        return f'"{sha256(stated).hexdigest()[:_ETAG_DIGITS]}.{crc32(body):08x}"'
    after_count = body.find(b',"archived":', count)
    segments = body.find(b',"segments":[', after_count)
    meta = body.find(b'],"meta":{', segments)
    state = sha256(body[:count] + body[after_count:segments] + body[meta:seen]).hexdigest()[:_ETAG_DIGITS]
    return f'"{state}.{crc32(body):08x}"'


def saved_user(saved: Saved, sent: Mapping[str, Any]) -> Response:
    """Return a user after a write: whole to the secret and to its creator, else only the fields that were sent."""
    return user(saved.user) if saved.created else changed_user(saved.user, sent, saved.places)


def changed_user(changed: UserRow, sent: Mapping[str, Any], places: Mapping[str, str] | None = None) -> Response:
    """Return a user who was there before a write: whole to the secret, else only the fields that were sent.

    places: {list id: status} as for somebody new, in place of whether this user has left or was on the list before.
    """
    shown = shape.shown(changed)
    if has_secret() or current_app.config["PUBLIC_REPLIES"] == "full":
        return reply(shown)
    told = _only_what_was_sent(shown, sent)
    if "lists" in told:
        told["lists"] = [shape.shown_place(*one) for one in (places or {}).items()]
    return reply(told)


def users(page: Page, only: Sequence[str] | None = None) -> Response:
    """Return a page of users; only: the fields to show of each, all when None."""
    if only is None:
        return pages.link(JsonReply(users_json(page.rows, pages.around(page))), page)
    rows = [orjson.loads(row if isinstance(row, str) else user_json(row)) for row in page.rows]
    return pages.link(reply(pages.body([{name: row[name] for name in only} for row in rows], page)), page)


def events(page: Page) -> Response:
    """Return a page of events."""
    return pages.link(reply(pages.body([shown_event(row) for row in page.rows], page)), page)


def list_(found: ListRow) -> Response:
    """Return a list."""
    return reply(shown_list(found))


def lists(page: Page) -> Response:
    """Return a page of lists."""
    return pages.link(reply(pages.body([shown_list(row) for row in page.rows], page)), page)


def segment(found: SegmentRow) -> Response:
    """Return a segment."""
    return reply(shown_segment(found))


def segments(page: Page) -> Response:
    """Return a page of segments."""
    return pages.link(reply(pages.body([shown_segment(row) for row in page.rows], page)), page)


def changes(page: Page) -> Response:
    """Return a page of who entered and left a segment."""
    rows = [{**row._asdict(), "at": dates.render(found_at(row))} for row in page.rows]
    return pages.link(reply(pages.body(rows, page)), page)


def count(found: Count) -> Response:
    """Return how many users are in a segment."""
    return reply(_shown_count(found))


def _shown_count(found: Count) -> dict[str, Any]:
    return {"count": found.users, "exact": found.exact}


def reasons(found: Reasons) -> Response:
    """Return why a user is in a segment."""
    return reply({**found._asdict(), "at": dates.render(found.at)})


def preview(found: Preview) -> Response:
    """Return what a rule would answer."""
    return reply({**_shown_count(found.counted), "users": [shape.shown(row) for row in found.users]})


def audit_records(page: Page) -> Response:
    """Return a page of the audit log."""
    return pages.link(reply(pages.body([shown_audit_record(row) for row in page.rows], page)), page)


def subscriber(subscribed: Subscribed) -> Response:
    """Return who was put on a list, with the links for the mail where a confirmation is awaited."""
    return reply({"uid": subscribed.uid, **(_links(subscribed) if subscribed.pending else {})})


def subscribers(page: Page) -> Response:
    """Return a page of who has a place on a list, with the link to confirm where that is awaited."""
    base = f"{proxies.public_url()}/v1/subscriptions/"
    rows = [
        {"uid": one.uid, "status": one.status}
        | ({"confirmation_url": f"{base}{one.links.confirm}/confirm"} if one.status == PENDING else {})
        for one in page.rows
    ]
    return pages.link(reply(pages.body(rows, page)), page)


def place(subscribed: Subscribed, is_subscribed: bool) -> Response:
    """Return a place on a list, with the links for mails."""
    body = {"uid": subscribed.uid, "subscribed": is_subscribed, "pending": subscribed.pending}
    return reply({**body, **_links(subscribed)})


def _links(subscribed: Subscribed) -> dict[str, str]:
    base = f"{proxies.public_url()}/v1/subscriptions/"
    confirm = {"confirmation_url": f"{base}{subscribed.links.confirm}/confirm"} if subscribed.pending else {}
    return {**confirm, "unsubscribe_url": f"{base}{subscribed.links.unsubscribe}/unsubscribe"}


def verdicts(count: int, found: Mapping[int, Verdict], warnings: Sequence[str]) -> Response:
    """Return what became of a batch of `count` items. found: by their positions, why some are not stored."""
    shown = [
        {"index": index, "code": failure.code, "error": str(failure), "details": failure.details}
        for index, failure in sorted(refused_of(found).items())
    ]
    unstored = collections.Counter(one for one in found.values() if isinstance(one, str))
    return reply(
        {
            "status": "queued",
            "accepted": count - len(found),
            "rejected": len(shown),
            "duplicate": unstored[DUPLICATE],
            "dropped": unstored[DROPPED],
            "errors": shown,
            "warnings": warnings,
        }
    )


def shown_event(row: EventRow) -> dict[str, Any]:
    """Return an event as it is answered."""
    return {**row._asdict(), "timestamp": dates.render(row.timestamp)}


def shown_audit_record(row: AuditRow) -> dict[str, Any]:
    """Return a record of the audit log as it is answered."""
    return {**row._asdict(), "at": dates.render(row.at)}


def shown_segment(row: SegmentRow) -> dict[str, Any]:
    """Return a segment as it is answered."""
    return {**row._asdict(), "created_at": dates.render(row.created_at), "updated_at": dates.render(row.updated_at)}


def shown_list(row: ListRow) -> dict[str, Any]:
    """Return the list object of engage.md section 5."""
    return {
        "id": row.id,
        "title": row.title,
        "description": row.description,
        "subscriber_count": row.subscriber_count,
        "broadcast_count": 0,
        "double_optin": row.double_optin,
        "redirect_url": row.redirect_url,
        "created_at": dates.render_zulu(row.created_at),
    }


def _only_what_was_sent(shown: dict[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """What the public key may see of a user that was there before (engage.md section 2)."""
    told = {name: shown[name] for name in ("id", "uid", *shape.SENT) if name in ("id", "uid") or name in sent}
    if "accounts" in told:
        wanted = {one["id"] for one in sent["accounts"]}
        told["accounts"] = [one for one in told["accounts"] if one["id"] in wanted]
        with_role = {one["id"] for one in sent["accounts"] if one.get("role") is not None}
        told["accounts"] = [
            {**one, "role": one["role"] if one["id"] in with_role else None} for one in told["accounts"]
        ]
    if "meta" in told:
        told["meta"] = {key: value for key, value in told["meta"].items() if key in sent["meta"]}
    return told
