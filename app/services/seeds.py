"""Made-up users with events, to try the service."""

import random
from collections.abc import Iterator
from typing import Any

from faker import Faker

from app.models.database import transaction
from app.services import events, users

_CHUNK = 500  # users a transaction: one disk write for all of them
_MAX_EVENTS = 5
_NEWEST = 1_767_225_600_000  # 2026-01-01 UTC in epoch milliseconds: fixed, so that a seed always makes the same people
_YEAR = 365 * 86_400_000  # milliseconds
_PLANS = ("free", "free", "free", "starter", "pro", "enterprise")
_EVENTS = ("Logged in", "Viewed page", "Added to cart", "Paid", "Invited a colleague")


def plant(workspace: int, count: int, seed: int) -> Iterator[int]:
    """Make `count` users with up to _MAX_EVENTS events each; yield how many were made, chunk by chunk.

    The same seed makes the same uids, fields and events, so planting twice changes no user; events come again.
    Raises errors.StorageUnavailable.
    """
    faker, chance = Faker(), random.Random(seed)
    faker.seed_instance(seed)
    for start in range(0, count, _CHUNK):
        people = [_person(faker, chance, seed, number) for number in range(start, min(start + _CHUNK, count))]
        _plant(workspace, people)
        yield len(people)


@transaction
def _plant(workspace: int, people: list[dict[str, Any]]) -> None:
    for person in people:
        happened = person["happened"]
        users.create(workspace, person["id"], {key: person[key] for key in person if key != "happened"}, full=True)
        for event in happened:
            events.record(workspace, person["id"], **event)


def _person(faker: Faker, chance: random.Random, seed: int, number: int) -> dict[str, Any]:
    first, last, created = faker.first_name(), faker.last_name(), _NEWEST - chance.randrange(3 * _YEAR)
    return {
        "id": f"s{seed}n{number}",
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}.{seed}.{number}@example.com".lower().replace(" ", ""),
        "number": f"+1555{chance.randrange(10**7):07d}",
        "created_at": created,
        "meta": {
            "plan": chance.choice(_PLANS),
            "age": chance.randrange(18, 90),
            "country": faker.country_code(),
            "newsletter": chance.random() < 0.4,
        },
        "happened": [_event(chance, created) for _ in range(chance.randrange(_MAX_EVENTS + 1))],
    }


def _event(chance: random.Random, created: int) -> dict[str, Any]:
    name = chance.choice(_EVENTS)
    paid = {"value": chance.randrange(100, 20_000) / 100, "properties": {"currency": "USD"}} if name == "Paid" else {}
    return {"event": name, "timestamp": chance.randrange(created, _NEWEST), **paid}
