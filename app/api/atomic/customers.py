"""Customers: the users, as the Atomic API shows them."""

from collections.abc import Callable
from typing import Any

from flask import Response

from app import errors
from app.api import pages
from app.api.atomic import replies
from app.api.atomic.blueprint import ENVIRONMENT, MAX_BODY, blp
from app.api.auth import current_workspace
from app.api.bearers import requires_role
from app.api.blueprint import may_raise
from app.api.bodies import takes
from app.api.replies import reply
from app.domain.cursors import Page
from app.schemas.customers import (
    CustomerPageSchema,
    CustomerQuerySchema,
    CustomerReplySchema,
    OneQuerySchema,
    StoredSchema,
)
from app.schemas.customers_sent import SentSchema, load
from app.services.atomic import customers
from app.services.atomic.clients import EVENTS
from app.services.atomic.customers import Sent


@blp.get(f"{ENVIRONMENT}/user")
@requires_role(EVENTS)
@may_raise(errors.UserNotFound)
@blp.arguments(OneQuerySchema, location="query")
@blp.response(200, CustomerReplySchema, description="The customer.")
def retrieve_customer(query: dict[str, str]) -> Response:
    """Read a customer."""
    return reply({"data": replies.customer(customers.retrieve(current_workspace(), query["id"]))})


@blp.post(f"{ENVIRONMENT}/users")
@requires_role(EVENTS)
@takes(MAX_BODY)
@blp.arguments(SentSchema)
@blp.response(200, StoredSchema, description="The customers, in the order of the request.")
def save_customers(body: dict[str, list[Any]]) -> Response:
    """Make customers or change the fields that are sent, all or none."""
    stored = customers.save(current_workspace(), [Sent(*one) for one in load(body["users"], "/users")])
    return reply({"data": {"users": [replies.stored(one) for one in stored]}})


@blp.get(f"{ENVIRONMENT}/users")
@requires_role(EVENTS)
@blp.arguments(CustomerQuerySchema, location="query")
@blp.response(200, CustomerPageSchema, description="A page of customers, with a Link header to the next one.")
def list_customers(query: dict[str, Any]) -> Response:
    """List customers in the order in which they came."""
    return paged("users", customers.page(current_workspace(), **query), replies.customer)


def paged(name: str, page: Page, shown: Callable[[Any], dict[str, Any]]) -> Response:
    """Return a page of rows under a name, with the cursor of the next page beside them and in a Link header."""
    more = {"cursor": page.next} if page.next else {}
    return pages.link(reply({"data": {name: [shown(row) for row in page.rows], **more}}), page, "cursor")
