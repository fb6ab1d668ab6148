"""Custom profile fields of a workspace (atomic.md section 3)."""

from collections.abc import Sequence

from app import errors
from app.domain.actions import Action
from app.models import profile_fields as store
from app.models.database import statement, transaction
from app.models.profile_fields import FieldRow
from app.services import audit
from app.services.audit import Caller

__all__ = ["MAX_FIELDS", "FieldRow", "define", "everything"]

MAX_FIELDS = 300  # as many as a user can have attributes (engage.md section 3)


@statement
def everything(workspace: int) -> list[FieldRow]:
    """Return the custom fields of the workspace in the order of their creation."""
    return store.of_workspace(workspace)


@transaction
def define(workspace: int, wanted: Sequence[FieldRow], caller: Caller) -> list[FieldRow]:
    """Add custom fields, give known ones their new label, and return all there are, in the order of their creation.

    wanted: checked fields; of a name that comes twice the later one counts. All or nothing.
    Raises errors.Conflict when one is there with another type, errors.InvalidInput when there would be too many.
    """
    before = {field.name: field for field in store.of_workspace(workspace)}
    last = {field.name: field for field in wanted}
    types = store.put(workspace, list(last.values()))
    for field in wanted:
        if types[field.name] != field.type:
            raise errors.Conflict(f"The field {field.name} has another type already.")
    now = store.of_workspace(workspace)
    if len(now) > MAX_FIELDS:
        raise errors.InvalidInput({"/": [f"Must not make more than {MAX_FIELDS} fields."]})
    for field in now:
        if before.get(field.name) != field:
            audit.record(workspace, caller, Action.FIELD_DEFINED, field.name)
    return now
