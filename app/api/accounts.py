"""Accounts and their members."""

from typing import Any

from flask import Response

from app import errors
from app.api import pages, replies
from app.api.auth import PUBLIC_KEY, SECRET_KEY, current_workspace, requires
from app.api.blueprint import Blueprint, may_raise
from app.api.conditions import conditional
from app.schemas.accounts import ConvertSchema, JoinSchema, RoleSchema
from app.schemas.pages import PageQuerySchema, UserPageSchema
from app.schemas.users import UserSchema
from app.services import accounts

blp = Blueprint("accounts", __name__, description="Users who belong to other users.")


@blp.post("/users/<uid:uid>/convert")
@requires(PUBLIC_KEY)
@may_raise(errors.UserNotFound)
@blp.arguments(ConvertSchema)
@blp.response(200, UserSchema, description="The user; to the public key only what changed.")
@conditional()
def convert(wanted: dict[str, str], uid: str) -> Response:
    """Make a user an account, or a customer."""
    is_account = wanted["type"] == "account"
    return replies.changed_user(accounts.convert(current_workspace(), uid, is_account), {"is_account": is_account})


@blp.post("/users/<uid:uid>/accounts")
@requires(PUBLIC_KEY)
@may_raise(errors.UserNotFound, errors.AccountNotFound)
@blp.arguments(JoinSchema)
@blp.response(200, UserSchema, description="The user; to the public key only what was sent.")
@conditional()
def join(wanted: dict[str, Any], uid: str) -> Response:
    """Put a user in accounts."""
    return replies.changed_user(accounts.join(current_workspace(), uid, wanted["accounts"]), wanted)


@blp.put("/users/<uid:uid>/accounts/<uid:account>")
@requires(PUBLIC_KEY)
@may_raise(errors.UserNotFound, errors.AccountNotFound)
@blp.arguments(RoleSchema)
@blp.response(200, UserSchema, description="The user; to the public key only what was sent.")
@conditional()
def set_role(wanted: dict[str, Any], uid: str, account: str) -> Response:
    """Give a user another role in an account."""
    changed = accounts.set_role(current_workspace(), uid, account, wanted["role"])
    return replies.changed_user(changed, {"accounts": [{"id": account, **wanted}]})


@blp.delete("/users/<uid:uid>/accounts/<uid:account>")
@requires(PUBLIC_KEY)
@may_raise(errors.UserNotFound, errors.AccountNotFound)
@blp.response(200, UserSchema, description="The user; to the public key only who it is.")
@conditional()
def leave(uid: str, account: str) -> Response:
    """Take a user out of an account."""
    return replies.changed_user(accounts.leave(current_workspace(), uid, account), {})


@blp.get("/users/<uid:uid>/members")
@requires(SECRET_KEY)
@may_raise(errors.UserNotFound)
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, UserPageSchema, description="A page of users.")
def members(query: dict[str, Any], uid: str) -> Response:
    """List the members of an account in the order in which they came."""
    return replies.users(accounts.members(current_workspace(), uid, query["limit"], *pages.cursors(query)))
