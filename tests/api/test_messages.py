"""What errors name: the parameter that was sent, what it is, and what may have been meant."""

import pytest

from app.schemas.audit import AuditQuerySchema
from app.schemas.events import EventQuerySchema
from app.schemas.pages import UserQuerySchema
from app.schemas.queries import StrictQuerySchema

NO_SUCH = "There is no such parameter."


@pytest.mark.parametrize(("query", "told"), [
    ("lists[]=zz", "lists[].0: Must be the id of a list."),
    ("lists=0", f"lists: {NO_SUCH} Did you mean lists[]?"),
    ("created_from=2026-01-01", f"created_from: {NO_SUCH} Did you mean created_since or created_until?"),
    ("segment=zz", "segment: Must be the id of a segment."),
    ("shown=uid", f"shown: {NO_SUCH}"),
    ("emial=a@b.co", f"emial: {NO_SUCH} Did you mean email?"),
    ("zz=1", f"zz: {NO_SUCH}"),
    ("next_cursor=zz", "next_cursor: Must be a cursor from an earlier reply."),
])  # fmt: skip
def test_a_wrong_parameter_is_named_as_it_was_sent(api, query, told):
    """cases/messages-name-the-wrong-thing.md"""
    refused = api.get(f"users?{query}")
    assert (refused.status_code, refused.json["error"]) == (400, told)
    assert list(refused.json["details"]) == [told.partition(":")[0]]


@pytest.mark.parametrize("item", [{}, {"id": None}])
def test_an_item_without_an_id_is_told_that_it_has_none(api, item):
    """cases/messages-name-the-wrong-thing.md"""
    reply = api.post("batch", {"data": [{"type": "update", "email": "u@example.com", **item}]}).json
    told = "Field may not be null." if item else "Missing data for required field."
    assert reply["errors"][0]["error"] == f"id: {told}" == api.post("users", item).json["error"]


def test_no_parameter_is_suggested_in_its_own_place(api):
    """Every name of a parameter or of an attribute behind one, sent where it is none."""
    kinds = [UserQuerySchema, EventQuerySchema, AuditQuerySchema, *StrictQuerySchema.__subclasses__()]
    names = {name for kind in kinds for key, field in kind().fields.items() for name in (key, field.data_key or key)}
    for name in names:
        for path in ("users", "lists", "audit", "segments"):
            refused = api.get(path, query_string={name: "?"})
            if refused.status_code == 400 and NO_SUCH in refused.json["error"]:
                assert list(refused.json["details"]) == [name]
                assert f" {name}?" not in refused.json["error"] and f" {name} or" not in refused.json["error"]
