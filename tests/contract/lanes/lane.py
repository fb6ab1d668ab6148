"""The vocabulary of all lanes."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.services import workspaces
from tests.contract.outcome import Outcome
from tests.factories import Api, fresh

Fields = Mapping[str, Any]  # of a user or an event, named as in engage.md
MAX_PAGES = 50  # of a walk in the suite, which has few users: more means that pages repeat for ever


class Lane:
    """One way into a workspace. A lane overrides what it can do; exemptions.py says why it cannot do the rest.

    A write never raises: it returns an Outcome. folder: where a lane may put files.
    """

    name = ""

    def __init__(self, app: Any, api: Api, folder: Path):
        self.app, self.api, self.folder = app, api, folder
        self.workspace = workspaces.find(api.keys.workspace)
        self.headers: dict[str, str] = {}

    def create(self, uid: Any, fields: Fields) -> Outcome:
        """Make a user, or update the one of that uid."""
        raise NotImplementedError

    def update(self, uid: Any, fields: Fields) -> Outcome:
        """Change the fields given of a user, who is made where there is none."""
        raise NotImplementedError

    def patch(self, uid: Any, fields: Fields) -> Outcome:
        """Merge a patch into a user (RFC 7396)."""
        raise NotImplementedError

    def record(self, uid: Any, event: Fields) -> Outcome:
        """Record an event."""
        raise NotImplementedError

    def read(self, uid: str) -> dict[str, Any] | None:
        """Return the user in the words of Engage, as far as the lane shows it; None where it answers 404."""
        raise NotImplementedError

    def walk(self, limit: int) -> list[str]:
        """Return the uids of all users, read in pages of at most `limit` and not more than MAX_PAGES of them."""
        raise NotImplementedError

    def walk_back(self, limit: int) -> list[str]:
        """Return the same as `walk`, read from the last page to the first."""
        raise NotImplementedError

    def merge(self, source: str, destination: str) -> Outcome:
        """Merge one user into another."""
        raise NotImplementedError

    @contextlib.contextmanager
    def conditions(self, **headers: str) -> Iterator[None]:
        """Put conditions (`If_Match`, `If_None_Match`) on the writes inside."""
        raise NotImplementedError
        yield

    @contextlib.contextmanager
    def retries(self) -> Iterator[None]:
        """Make the same write inside a retry of the first one, in the way that the lane offers for this."""
        raise NotImplementedError
        yield


class HttpLane(Lane):
    """A lane of requests with headers."""

    @contextlib.contextmanager
    def conditions(self, **headers: str) -> Iterator[None]:
        """Send the conditions as headers (RFC 9110 section 13.1)."""
        with self._sending({name.replace("_", "-"): value for name, value in headers.items()}):
            yield

    @contextlib.contextmanager
    def retries(self) -> Iterator[None]:
        """Send the same Idempotency-Key with every write inside."""
        with self._sending({"Idempotency-Key": fresh()}):
            yield

    @contextlib.contextmanager
    def _sending(self, headers: dict[str, str]) -> Iterator[None]:
        before, self.headers = self.headers, {**self.headers, **headers}
        yield
        self.headers = before
