"""What a start prints: where the API and the docs are, and the keys when it makes the default workspace."""

from typing import TextIO

from app.config import Settings
from app.services.workspaces import NewWorkspace


def show(settings: Settings, made: NewWorkspace, file: TextIO | None = None) -> None:
    """Print the keys, the addresses and a first request; a secret that came from the environment is not repeated."""
    given = bool(settings.secret_key)
    pair = f"{made.public_key}:" + ("$ROLLCALL_SECRET_KEY" if given else made.secret_key)
    print(
        f"""
  Rollcall made the workspace "{made.workspace}". Its keys, shown this once:

    public key   {made.public_key}
    secret key   {"(as set by ROLLCALL_SECRET_KEY)" if given else made.secret_key}

{_addresses(settings)}

  Try it:

    curl -u "{pair}" -d '{{"id": "u144", "first_name": "Ada"}}' {settings.base_url}/v1/users
""",
        file=file,
        flush=True,
    )


def show_addresses(settings: Settings, file: TextIO | None = None) -> None:
    """Print where the API and the docs are."""
    print(f"\n{_addresses(settings)}\n", file=file, flush=True)


def _addresses(settings: Settings) -> str:
    return f"    API          {settings.base_url}/v1\n    docs         {settings.base_url}/docs/"
