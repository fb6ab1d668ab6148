"""Pages behind mail links: a signed link is the credential."""

from flask import Response, redirect, request
from markupsafe import escape
from werkzeug import Response as AnyResponse

from app import errors
from app.api import replies
from app.api.auth import OPEN, requires
from app.api.blueprint import Blueprint, may_raise
from app.schemas.status import StatusSchema
from app.services import links, lists

blp = Blueprint("subscriptions", __name__, description="The pages behind links in mails.")

_HTML = {"content_type": "text/html", "schema": {"type": "string"}, "example": "<!doctype html>..."}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<body style="font: 1.1rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 4rem auto; padding: 0 1rem">
<h1 style="font-size: 1.4rem">{title}</h1>{rest}</body></html>
"""
# Our own style and our own form, which may lead on to the list's redirect_url; no script, no other host.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' http: https:; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_BUTTON = '<form method="post"><button style="font: inherit; padding: .4rem 1rem">{}</button></form>'
_ASKED = "A small page with a button. Nothing is changed: mail scanners follow links."


@blp.get("/subscriptions/<link>/confirm")
@requires(OPEN)
@may_raise(errors.LinkInvalid, errors.StorageUnavailable)
@blp.response(200, description=_ASKED, **_HTML)
def ask_to_confirm(link: str) -> Response:
    """Show what confirming would do."""
    return _page(f"Subscribe to {lists.of_link(link, links.CONFIRM).title}?", _BUTTON.format("Confirm"))


@blp.post("/subscriptions/<link>/confirm")
@requires(OPEN)
@may_raise(errors.LinkInvalid, errors.StorageUnavailable)
@blp.response(200, StatusSchema, description="Done; a browser gets a small page, or 303 to the list's redirect_url.")
def confirm(link: str) -> AnyResponse:
    """Confirm a pending subscription; a link does so once."""
    found = lists.confirm(link)
    if not _is_browser():
        return replies.done()
    return redirect(found.redirect_url, 303) if found.redirect_url else _page(f"You are subscribed to {found.title}.")


@blp.get("/subscriptions/<link>/unsubscribe")
@requires(OPEN)
@may_raise(errors.LinkInvalid, errors.StorageUnavailable)
@blp.response(200, description=_ASKED, **_HTML)
def ask_to_unsubscribe(link: str) -> Response:
    """Show what unsubscribing would do."""
    return _page(f"Unsubscribe from {lists.of_link(link, links.UNSUBSCRIBE).title}?", _BUTTON.format("Unsubscribe"))


@blp.post("/subscriptions/<link>/unsubscribe")
@requires(OPEN)
@may_raise(errors.LinkInvalid, errors.StorageUnavailable)
@blp.response(200, StatusSchema, description="Done; a browser gets a small page.")
def unsubscribe(link: str) -> Response:
    """Unsubscribe in one click (RFC 8058)."""
    found = lists.unsubscribe_by_link(link)
    return _page(f"You are unsubscribed from {found.title}.") if _is_browser() else replies.done()


def _is_browser() -> bool:
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _page(title: str, rest: str = "") -> Response:
    response = Response(_PAGE.format(title=escape(title), rest=rest), mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    return response
