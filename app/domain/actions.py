"""The actions of the audit log: a closed list. docs/audit.md says what each record names."""

from enum import StrEnum


class Action(StrEnum):
    """Something that was done to a workspace. A name stays what it is once it was released."""

    USER_DELETED = "user.deleted"
    USER_MERGED = "user.merged"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    ORIGIN_ADDED = "key.origin_added"
    ORIGIN_REMOVED = "key.origin_removed"
    LIST_CREATED = "list.created"
    LIST_CHANGED = "list.changed"
    LIST_ARCHIVED = "list.archived"
    SEGMENT_CREATED = "segment.created"
    SEGMENT_CHANGED = "segment.changed"
    SEGMENT_DELETED = "segment.deleted"
    CLIENT_CREATED = "client.created"
    CLIENT_REVOKED = "client.revoked"
    FIELD_DEFINED = "field.defined"
    SDK_KEY_CREATED = "sdk_key.created"
    SDK_KEY_CHANGED = "sdk_key.changed"
    SDK_KEY_DELETED = "sdk_key.deleted"
