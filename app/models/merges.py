"""Merging one user into another: every table that hangs on a user, in one place.

A place that both have, on a list or in an account, stays as the destination has it. All of it runs in the caller's
transaction, with both users and the accounts they are in locked.
"""

from app.models import devices
from app.models.database import Statement
from app.models.dialects import Dialect
from app.models.lists import COUNTED

_COUNTED = ", ".join(f"'{status}'" for status in COUNTED)
_FILLED = ("first_name", "last_name", "number", "number_digits", "email", "email_key", "tz", "app_version", "app_build",
           "app_last_active")  # fmt: skip


def _fill(d: Dialect) -> str:
    both = "users.last_interaction, source.last_interaction"
    later = f"coalesce({d.greatest}({both}), {both})"  # SQLite's max is NULL where one of them is
    blanks = ", ".join(f"{name} = coalesce(users.{name}, source.{name})" for name in _FILLED)
    return (
        f"UPDATE users SET {blanks}, meta = {d.json_merge.format('source.meta', 'users.meta')}, "
        f"created_at = {d.least}(users.created_at, source.created_at), "
        f"last_interaction = {later}, is_account = users.is_account OR source.is_account "
        f"FROM users AS source WHERE users.workspace_id = {d.parameter} AND users.id = {d.parameter} "
        f"AND source.workspace_id = {d.parameter} AND source.id = {d.parameter} "
        f"RETURNING {d.json_key_count.format('users.meta')}"
    )


def _move(table: str, column: str, other: str) -> tuple[Statement, Statement]:
    """Statements that drop what both have, and move the rest. column: which user; other: what both may have."""
    drop = Statement(
        lambda d: (
            f"DELETE FROM {table} WHERE workspace_id = {d.parameter} AND {column} = {d.parameter} AND {other} IN "
            f"(SELECT {other} FROM {table} WHERE workspace_id = {d.parameter} AND {column} = {d.parameter}) "
            f"RETURNING {other}"
        )
    )
    move = Statement(
        lambda d: (
            f"UPDATE {table} SET {column} = {d.parameter} "
            f"WHERE workspace_id = {d.parameter} AND {column} = {d.parameter} RETURNING {column}"
        )
    )
    return drop, move


_FILL = Statement(_fill)
_DROP_MEMBERSHIPS, _MOVE_MEMBERSHIPS = _move("memberships", "user_id", "account_id")
_DROP_MEMBERS, _MOVE_MEMBERS = _move("memberships", "account_id", "user_id")
_DROP_SUBSCRIPTIONS, _MOVE_SUBSCRIPTIONS = _move("subscriptions", "user_id", "list_id")
_DROP_SUPPRESSIONS, _MOVE_SUPPRESSIONS = _move("segment_suppressions", "user_id", "segment_id")
_DROP_SEGMENTS, _MOVE_SEGMENTS = _move("segment_members", "user_id", "segment_id")
_MOVE_CHANGES = _move("segment_changes", "user_id", "id")[1]
_MOVE_DEVICES = _move("devices", "user_id", "token_hash")[1]
_MOVE_EVENTS = _move("events", "user_id", "id")[1]
_MOVE_PREFERENCES = Statement(
    lambda d: (
        f"UPDATE preferences SET user_id = {d.parameter} "
        f"WHERE workspace_id = {d.parameter} AND user_id = {d.parameter} AND NOT EXISTS "
        "(SELECT 1 FROM preferences AS kept "
        f"WHERE kept.workspace_id = {d.parameter} AND kept.user_id = {d.parameter}) RETURNING user_id"
    )
)
_DROP_OF_EACH_OTHER = Statement(
    lambda d: (
        f"DELETE FROM memberships WHERE workspace_id = {d.parameter} AND user_id IN ({d.parameter}, {d.parameter}) "
        f"AND account_id IN ({d.parameter}, {d.parameter}) RETURNING user_id"
    )
)
# Of the accounts and lists that either is in or on: how many there are is counted anew, by index.
_RECOUNT_MEMBERS = Statement(
    lambda d: (
        "UPDATE users SET member_count = (SELECT count(*) FROM memberships "
        "WHERE memberships.workspace_id = users.workspace_id AND memberships.account_id = users.id) "
        f"WHERE workspace_id = {d.parameter} AND id = {d.parameter} RETURNING id"
    )
)
_UNCOUNT_ACCOUNT = Statement(
    lambda d: (
        f"UPDATE users SET member_count = member_count - 1 "
        f"WHERE workspace_id = {d.parameter} AND id = {d.parameter} RETURNING id"
    )
)
_COUNTED_OF = Statement(
    lambda d: (
        f"SELECT list_id FROM subscriptions WHERE workspace_id = {d.parameter} AND user_id = {d.parameter} "
        f"AND status IN ({_COUNTED})"
    )
)
_UNCOUNT_LIST = Statement(
    lambda d: (
        f"UPDATE lists SET subscriber_count = subscriber_count - 1 "
        f"WHERE workspace_id = {d.parameter} AND id = {d.parameter} RETURNING id"
    )
)


def fill(workspace: int, source_id: str, destination_id: str) -> int:
    """Fill the blanks of the destination from the source; return how many meta keys it has then."""
    return int(_FILL(workspace, destination_id, workspace, source_id)[0][0])


def move(workspace: int, source_id: str, destination_id: str) -> None:
    """Hand devices, lists, accounts, members and events of the source over to the destination."""
    both = (workspace, source_id, workspace, destination_id)
    handover = (destination_id, workspace, source_id)
    _MOVE_DEVICES(*handover)
    devices.trim(workspace, destination_id)
    counted = {list_id for (list_id,) in _COUNTED_OF(workspace, source_id)}
    for list_id in sorted(list_id for (list_id,) in _DROP_SUBSCRIPTIONS(*both)):
        if list_id in counted:
            _UNCOUNT_LIST(workspace, list_id)
    _MOVE_SUBSCRIPTIONS(*handover)
    _DROP_SUPPRESSIONS(*both)
    _MOVE_SUPPRESSIONS(*handover)
    _DROP_SEGMENTS(*both)
    _MOVE_SEGMENTS(*handover)
    _MOVE_CHANGES(*handover)
    _DROP_OF_EACH_OTHER(workspace, source_id, destination_id, source_id, destination_id)
    for account_id in sorted(account_id for (account_id,) in _DROP_MEMBERSHIPS(*both)):
        _UNCOUNT_ACCOUNT(workspace, account_id)
    _MOVE_MEMBERSHIPS(*handover)
    _DROP_MEMBERS(*both)
    _MOVE_MEMBERS(*handover)
    _RECOUNT_MEMBERS(workspace, destination_id)
    _MOVE_EVENTS(*handover)
    _MOVE_PREFERENCES(destination_id, workspace, source_id, workspace, destination_id)
