"""Users: create, read, update, delete, and the pages of them."""

from typing import Any

from flask import Response

from app import errors
from app.api import pages, replies
from app.api.auth import PUBLIC_KEY, SECRET_KEY, caller, current_workspace, has_secret, requires
from app.api.blueprint import Blueprint, makes_user, may_raise
from app.api.conditions import conditional, not_modified, obeys_conditions, tells_etag, wanted
from app.api.signatures import about
from app.schemas.accounts import MergeSchema, QueuedSchema
from app.schemas.lists import ListIdsSchema
from app.schemas.pages import UserPageSchema, UserQuerySchema
from app.schemas.status import StatusSchema
from app.schemas.users import CreateUserSchema, PatchUserSchema, UpdateUserSchema, UserSchema
from app.services import lists, merges, users
from app.services.users import rendering

blp = Blueprint("users", __name__, description="Who the users are.")


@blp.post("/users")
@requires(PUBLIC_KEY)
@about("id")
@may_raise(errors.EmailChange)
@blp.arguments(CreateUserSchema)
@blp.response(200, UserSchema, description="The user; to the public key only what was sent, if there was one before.")
@conditional("id")
def create(fields: dict[str, Any]) -> Response:
    """Create a user, or update the one of that id."""
    saved = users.create(current_workspace(), fields["id"], fields, has_secret())
    return replies.saved_user(saved, fields)


@blp.get("/users")
@requires(SECRET_KEY)
@may_raise(errors.SegmentNotFound)
@blp.arguments(UserQuerySchema, location="query")
@blp.response(200, UserPageSchema, description="A page of users.")
def page(query: dict[str, Any]) -> Response:
    """List users in the order in which they came.

    With filters that meet few of many users a page may come short, even empty, with a `next_cursor` to go on from.
    """
    found = rendering.page(current_workspace(), **pages.asked(query))
    return replies.users(found, query.get("shown"))


@blp.get("/users/<uid:uid>")
@requires(SECRET_KEY)
@may_raise(errors.UserNotFound)
@blp.response(200, UserSchema, description="The user.")
@tells_etag
def retrieve(uid: str) -> Response:
    """Read a user."""
    return not_modified(replies.user(rendering.find(current_workspace(), uid)))


@blp.put("/users/<uid:uid>")
@requires(PUBLIC_KEY)
@about("uid")
@makes_user
@may_raise(errors.EmailChange, errors.UidTaken)
@blp.arguments(UpdateUserSchema)
@blp.response(200, UserSchema, description="The user; to the public key only what was sent, if there was one before.")
@conditional()
def update(changes: dict[str, Any], uid: str) -> Response:
    """Update a user, or create one of that uid."""
    return replies.saved_user(users.update(current_workspace(), uid, changes, has_secret()), changes)


@blp.patch("/users/<uid:uid>")
@requires(SECRET_KEY)
@makes_user
@may_raise(errors.UidTaken)
@blp.arguments(PatchUserSchema)
@blp.response(200, UserSchema, description="The user, with an ETag.")
@conditional()
def patch(changes: dict[str, Any], uid: str) -> Response:
    """Merge a patch into a user (RFC 7396): null removes, also a key of meta."""
    return replies.user(users.patch(current_workspace(), uid, changes).user)


@blp.delete("/users/<uid:uid>")
@requires(SECRET_KEY)
@may_raise(errors.UserNotFound)
@blp.response(200, StatusSchema, description="The user and everything about them is deleted.")
@obeys_conditions
def delete(uid: str) -> Response:
    """Delete a user and everything about them."""
    users.delete(current_workspace(), uid, caller(), wanted())
    return replies.done()


@blp.post("/users/merge")
@requires(PUBLIC_KEY)
@about("source", "destination")
@may_raise(errors.SecretNeeded)
@blp.arguments(MergeSchema)
@blp.response(200, QueuedSchema, description="They are merged.")
@conditional("destination")
def merge(named: dict[str, str]) -> Response:
    """Merge one user into another."""
    merges.merge(current_workspace(), named["source"], named["destination"], has_secret(), caller())
    return replies.reply({"status": "queued"})


@blp.post("/users/<uid:uid>/archive")
@requires(SECRET_KEY)
@may_raise(errors.UserNotFound)
@blp.response(200, StatusSchema, description="The user is archived.")
@conditional()
def archive(uid: str) -> Response:
    """Archive a user: it stays readable, its events are dropped."""
    users.archive(current_workspace(), uid)
    return replies.done()


@blp.delete("/users/<uid:uid>/attributes/<name>")
@requires(SECRET_KEY)
@may_raise(errors.UserNotFound)
@blp.response(200, UserSchema, description="The user.")
@conditional()
def remove_attribute(uid: str, name: str) -> Response:
    """Remove an attribute from a user's meta."""
    return replies.user(users.remove_attribute(current_workspace(), uid, name))


@blp.delete("/users/<uid:uid>/tokens/<path:token>")
@requires(PUBLIC_KEY)
@may_raise(errors.UserNotFound)
@blp.response(200, UserSchema, description="The user; to the public key only who it is.")
@conditional()
def remove_device(uid: str, token: str) -> Response:
    """Forget a push token of a user."""
    return replies.changed_user(users.remove_device(current_workspace(), uid, token), {})


@blp.post("/users/<uid:uid>/lists")
@requires(SECRET_KEY)
@may_raise(errors.UserNotFound)
@blp.arguments(ListIdsSchema)
@blp.response(200, UserSchema, description="The user.")
@conditional()
def add_to_lists(named: dict[str, list[str]], uid: str) -> Response:
    """Subscribe a user to lists."""
    return replies.user(lists.add_to(current_workspace(), uid, named["lists"]))


@blp.delete("/users/<uid:uid>/lists")
@requires(SECRET_KEY)
@may_raise(errors.UserNotFound)
@blp.arguments(ListIdsSchema)
@blp.response(200, UserSchema, description="The user.")
@conditional()
def remove_from_lists(named: dict[str, list[str]], uid: str) -> Response:
    """Take a user off lists."""
    return replies.user(lists.remove_from(current_workspace(), uid, named["lists"]))
