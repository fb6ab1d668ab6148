"""Lists and their subscribers."""

from typing import Any

from flask import Response

from app import errors
from app.api import pages, replies
from app.api.auth import PUBLIC_KEY, SECRET_KEY, caller, current_workspace, requires
from app.api.blueprint import Blueprint, may_raise
from app.api.conditions import conditional
from app.schemas.lists import (
    CreateListSchema,
    ListFieldsSchema,
    ListPageSchema,
    ListSchema,
    PersonSchema,
    PlaceSchema,
    SubscribedSchema,
    SubscriberSchema,
    SubscribersPageSchema,
    SubscribersQuerySchema,
)
from app.schemas.pages import PageQuerySchema
from app.schemas.status import StatusSchema
from app.services import lists

blp = Blueprint("lists", __name__, description="Mailing lists, and who is on them.")


@blp.post("/lists")
@requires(SECRET_KEY)
@blp.arguments(CreateListSchema)
@blp.response(200, ListSchema, description="The list.")
def create(fields: dict[str, Any]) -> Response:
    """Create a list."""
    return replies.list_(lists.create(current_workspace(), fields, caller()))


@blp.get("/lists")
@requires(PUBLIC_KEY)
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, ListPageSchema, description="A page of lists, without the archived ones.")
def page(query: dict[str, Any]) -> Response:
    """List the lists in the order in which they were made."""
    return replies.lists(lists.page(current_workspace(), query["limit"], *pages.cursors(query)))


@blp.get("/lists/<list:list_id>")
@requires(PUBLIC_KEY)
@may_raise(errors.ListNotFound)
@blp.response(200, ListSchema, description="The list.")
def retrieve(list_id: str) -> Response:
    """Read a list, an archived one too."""
    return replies.list_(lists.retrieve(current_workspace(), list_id))


@blp.put("/lists/<list:list_id>")
@requires(SECRET_KEY)
@may_raise(errors.ListNotFound)
@blp.arguments(ListFieldsSchema)
@blp.response(200, ListSchema, description="The list.")
def update(fields: dict[str, Any], list_id: str) -> Response:
    """Change a list."""
    return replies.list_(lists.update(current_workspace(), list_id, fields, caller()))


@blp.delete("/lists/<list:list_id>")
@requires(SECRET_KEY)
@may_raise(errors.ListNotFound)
@blp.response(200, StatusSchema, description="The list is archived.")
def archive(list_id: str) -> Response:
    """Archive a list: subscribers stay, new ones are refused."""
    lists.archive(current_workspace(), list_id, caller())
    return replies.done()


@blp.post("/lists/<list:list_id>/subscribers")
@requires(SECRET_KEY)
@may_raise(errors.ListNotFound, errors.Conflict)
@blp.arguments(PersonSchema)
@blp.response(200, SubscriberSchema, description="Who is on the list now.")
def subscribe(person: dict[str, Any], list_id: str) -> Response:
    """Subscribe a person, found by email or number, or created."""
    return replies.subscriber(lists.subscribe(current_workspace(), list_id, person))


@blp.get("/lists/<list:list_id>/subscribers")
@requires(SECRET_KEY)
@may_raise(errors.ListNotFound)
@blp.arguments(SubscribersQuerySchema, location="query")
@blp.response(200, SubscribersPageSchema, description="A page of places.")
def subscribers(query: dict[str, Any], list_id: str) -> Response:
    """List who has a place on a list, with the link to confirm while it is pending."""
    found = lists.subscribers(
        current_workspace(), list_id, query["limit"], *pages.cursors(query), status=query.get("status")
    )
    return replies.subscribers(found)


@blp.get("/lists/<list:list_id>/subscribers/<uid:uid>")
@requires(SECRET_KEY)
@may_raise(errors.ListNotFound, errors.UserNotFound)
@blp.response(200, PlaceSchema, description="The place, with the links for mails.")
def subscriber(list_id: str, uid: str) -> Response:
    """Read a user's place on a list."""
    return replies.place(*lists.subscriber(current_workspace(), list_id, uid))


@blp.put("/lists/<list:list_id>/subscribers/<uid:uid>")
@requires(SECRET_KEY)
@may_raise(errors.ListNotFound, errors.UserNotFound, errors.Conflict)
@blp.arguments(SubscribedSchema)
@blp.response(200, SubscribedSchema, description="Whether the user is subscribed now.")
@conditional()
def set_subscribed(wanted: dict[str, bool], list_id: str, uid: str) -> Response:
    """Subscribe or unsubscribe a user."""
    lists.set_subscribed(current_workspace(), list_id, uid, wanted["subscribed"])
    return replies.reply(wanted)


@blp.delete("/lists/<list:list_id>/subscribers/<uid:uid>")
@requires(SECRET_KEY)
@may_raise(errors.ListNotFound, errors.UserNotFound)
@blp.response(200, StatusSchema, description="The user is not on the list.")
@conditional()
def unsubscribe(list_id: str, uid: str) -> Response:
    """Take a user off a list."""
    lists.unsubscribe(current_workspace(), list_id, uid)
    return replies.done()
