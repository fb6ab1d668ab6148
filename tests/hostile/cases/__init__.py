"""Requests that the API must refuse, or take and give back unchanged; `build` explains the fields of a case.

A new case is one line in the group it belongs to. A case whose expectation is our own choice carries
`judgement=True`: when the choice changes, change the case with it.
"""

from tests.hostile.cases import access, atomic, below, fields, lists, moving, parsing, paths, public_key, reading, uids
from tests.hostile.cases.build import slug

GROUPS = [
    parsing.parsing, uids.uids,
    fields.email, fields.names, fields.numbers, fields.dates, fields.meta, fields.devices, fields.client_fields,
    fields.references,
    public_key.ignored, public_key.email_rule, public_key.public_reply,
    access.access, access.auth, access.workspaces, paths.paths, paths.unversioned, reading.paging, reading.events,
    moving.renaming, moving.merging, moving.accounts, lists.lists, lists.subscribers, lists.batch,
    below.framing, below.cross_origin,
    atomic.atomic_tokens, atomic.atomic_upsert, atomic.atomic_read, atomic.atomic_delete, atomic.atomic_fields,
    atomic.atomic_preferences, atomic.atomic_sdk,
]


def cases():
    """Return all cases, in the order of the groups."""
    found = []
    for group in GROUPS:
        for item in group():
            found.append({"id": f"{group.__name__}/{slug(item.pop('name'))}", "group": group.__name__, **item})
    assert len({item["id"] for item in found}) == len(found), "two cases share an id"
    return found
