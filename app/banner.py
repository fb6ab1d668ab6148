"""The start-up message: addresses of API and docs, and the keys of a new default workspace."""

from typing import TextIO

from app.config import Settings
from app.services.workspaces import NewWorkspace


def show(settings: Settings, made: NewWorkspace, file: TextIO | None = None, base_url: str = "") -> None:
    """Print the keys, the addresses and a first request; a secret that came from the environment is not repeated.

    base_url: where the service is, if that is not where the settings say.
    """
    base_url = base_url or settings.base_url
    given = bool(settings.secret_key)
    pair = f"{made.public_key}:" + ("$ROLLCALL_SECRET_KEY" if given else made.secret_key)
    print(
        f"""
  Rollcall made the workspace "{made.workspace}". Its keys, shown this once:

    public key   {made.public_key}
    secret key   {"(as set by ROLLCALL_SECRET_KEY)" if given else made.secret_key}

{_addresses(base_url)}

  Try it:

    curl -u "{pair}" -d '{{"id": "u144", "first_name": "Ada"}}' {base_url}/v1/users
""",
        file=file,
        flush=True,
    )


def show_addresses(settings: Settings, file: TextIO | None = None) -> None:
    """Print where the API and the docs are."""
    print(f"\n{_addresses(settings.base_url)}\n", file=file, flush=True)


def _addresses(base_url: str) -> str:
    return f"    API          {base_url}/v1\n    docs         {base_url}/docs/"
