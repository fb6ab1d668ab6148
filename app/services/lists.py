"""Lists (engage.md section 5)."""

from app import clock, errors
from app.models import lists as store
from app.models.database import transaction
from app.models.lists import ListRow

MAX_TITLE = 64  # characters, engage.md section 5


@transaction
def create(workspace: int, title: str) -> ListRow:
    """Make a list. title: 1 to MAX_TITLE characters. Raises errors.InvalidInput."""
    if not 1 <= len(title) <= MAX_TITLE or "\x00" in title:
        raise errors.InvalidInput({"title": [f"Must have 1 to {MAX_TITLE} characters."]})
    return store.create(workspace, title, clock.now())
