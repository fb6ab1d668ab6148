"""The people that every contender begins with, and what is asked of it: the same for all of them."""

from typing import Any

ACTIONS = ("create", "get", "update", "event", "page")
PAGE = 30  # users
# Tokens that stand in paths and bodies: the number of a user who is there, and one that nobody has had before.
USER, FRESH = "@user@", "@fresh@"

NEW_USER = '{"id":"c@fresh@","first_name":"Ada","email":"ada@fresh@@example.com","meta":{"plan":"gold","age":34}}'
CHANGE = '{"meta":{"plan":"p@fresh@"}}'
EVENT = '{"event":"Paid","value":49.5,"properties":{"currency":"USD"}}'
PUBLIC_KEY, SECRET_KEY = "pk_benchmark", "sk_benchmark_benchmark"


def uid(number: int) -> str:
    """Return the uid of the person of that number, which begin at 1."""
    return f"u{number}"


def person(number: int) -> dict[str, Any]:
    """Return what is stored about the person of that number."""
    return {
        "uid": uid(number),
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": f"u{number}@example.com",
        "number": f"+23480{number:08d}",
        "meta": {"plan": "gold", "age": 18 + number % 72, "city": "Lagos"},
    }
