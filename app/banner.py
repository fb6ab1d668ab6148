"""What is printed, once, when the first start makes the default workspace."""

from typing import Protocol

from app.config import Settings


class MadeWorkspace(Protocol):
    """A workspace just made."""

    workspace: str
    public_key: str
    secret_key: str


def show(settings: Settings, made: MadeWorkspace) -> None:
    """Print the keys, the addresses and a first request; a secret that came from the environment is not repeated."""
    given = bool(settings.secret_key)
    pair = f"{made.public_key}:" + ("$ROLLCALL_SECRET_KEY" if given else made.secret_key)
    print(
        f"""
  Rollcall made the workspace "{made.workspace}". Its keys, shown this once:

    public key   {made.public_key}
    secret key   {"(as set by ROLLCALL_SECRET_KEY)" if given else made.secret_key}

    API          {settings.base_url}/v1
    docs         {settings.base_url}/docs/

  Try it:

    curl -u "{pair}" -H "Content-Type: application/json" -d '{{"id": "u144", "first_name": "Ada"}}' {settings.base_url}/v1/users
""",
        flush=True,
    )
