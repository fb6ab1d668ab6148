"""Merge two users: every table that belongs to a user.

docs/merging.md says of each table what becomes of it. All of it runs in the caller's transaction, with both users and
the accounts they are in locked.
"""

from app.domain import consent
from app.domain.shape import FILLED
from app.models import devices, lists, preferences
from app.models.database import Statement
from app.models.dialects import Dialect
from app.models.lists import COUNTED
from app.models.preferences import PreferencesRow


def _fill(d: Dialect) -> str:
    both = "users.last_interaction, source.last_interaction"
    later = f"coalesce({d.greatest}({both}), {both})"  # SQLite's max is NULL where one of them is
    blanks = ", ".join(f"{name} = coalesce(users.{name}, source.{name})" for name in FILLED)
    return (
        f"UPDATE users SET {blanks}, meta = {d.json_merge.format('source.meta', 'users.meta')}, "
        f"created_at = {d.least}(users.created_at, source.created_at), "
        f"last_interaction = {later}, is_account = users.is_account OR source.is_account "
        f"FROM users AS source WHERE users.workspace_id = ? AND users.id = ? "
        f"AND source.workspace_id = ? AND source.id = ? "
        f"RETURNING {d.json_key_count.format('users.meta')}"
    )


def _move(table: str, column: str, other: str) -> tuple[Statement, Statement]:
    """Statements that drop what both have, and move the rest. column: which user; other: what both may have."""
    drop = Statement(
        f"DELETE FROM {table} WHERE workspace_id = ? AND {column} = ? AND {other} IN "
        f"(SELECT {other} FROM {table} WHERE workspace_id = ? AND {column} = ?) "
        f"RETURNING {other}"
    )
    move = Statement(f"UPDATE {table} SET {column} = ? WHERE workspace_id = ? AND {column} = ? RETURNING {column}")
    return drop, move


_FILL = Statement(_fill)
_DROP_MEMBERSHIPS, _MOVE_MEMBERSHIPS = _move("memberships", "user_id", "account_id")
_DROP_MEMBERS, _MOVE_MEMBERS = _move("memberships", "account_id", "user_id")


def _fill_roles(column: str, other: str) -> Statement:
    """The statement that gives the places in accounts which both have, and which have no role, that of the source."""
    same = f"source.workspace_id = memberships.workspace_id AND source.{other} = memberships.{other}"
    return Statement(
        f"UPDATE memberships SET role = source.role FROM memberships AS source WHERE {same} "
        f"AND source.workspace_id = ? AND source.{column} = ? "
        f"AND memberships.workspace_id = ? AND memberships.{column} = ? "
        "AND memberships.role IS NULL AND source.role IS NOT NULL RETURNING memberships.account_id"
    )


_FILL_ROLES, _FILL_ROLES_OF_MEMBERS = _fill_roles("user_id", "account_id"), _fill_roles("account_id", "user_id")
_DROP_SUBSCRIPTIONS, _MOVE_SUBSCRIPTIONS = _move("subscriptions", "user_id", "list_id")
_DROP_SUPPRESSIONS, _MOVE_SUPPRESSIONS = _move("segment_suppressions", "user_id", "segment_id")
_DROP_SEGMENTS, _MOVE_SEGMENTS = _move("segment_members", "user_id", "segment_id")
_MOVE_CHANGES = _move("segment_changes", "user_id", "id")[1]
_MOVE_DEVICES = _move("devices", "user_id", "token_hash")[1]
_MOVE_EVENTS = _move("events", "user_id", "id")[1]
_DROP_OF_EACH_OTHER = Statement(
    "DELETE FROM memberships WHERE workspace_id = ? AND user_id IN (?, ?) AND account_id IN (?, ?) RETURNING user_id"
)
# Of the accounts and lists that either is in or on: how many there are is counted anew, by index.
_RECOUNT_MEMBERS = Statement(
    "UPDATE users SET member_count = (SELECT count(*) FROM memberships "
    "WHERE memberships.workspace_id = users.workspace_id AND memberships.account_id = users.id) "
    "WHERE workspace_id = ? AND id = ? RETURNING id"
)
_UNCOUNT_ACCOUNT = Statement(
    "UPDATE users SET member_count = member_count - 1 WHERE workspace_id = ? AND id = ? RETURNING id"
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
    _join_places(workspace, source_id, destination_id)
    _DROP_SUBSCRIPTIONS(*both)
    _MOVE_SUBSCRIPTIONS(*handover)
    _DROP_SUPPRESSIONS(*both)
    _MOVE_SUPPRESSIONS(*handover)
    _DROP_SEGMENTS(*both)
    _MOVE_SEGMENTS(*handover)
    _MOVE_CHANGES(*handover)
    _DROP_OF_EACH_OTHER(workspace, source_id, destination_id, source_id, destination_id)
    _FILL_ROLES(*both)
    _FILL_ROLES_OF_MEMBERS(*both)
    for account_id in sorted(account_id for (account_id,) in _DROP_MEMBERSHIPS(*both)):
        _UNCOUNT_ACCOUNT(workspace, account_id)
    _MOVE_MEMBERSHIPS(*handover)
    _DROP_MEMBERS(*both)
    _MOVE_MEMBERS(*handover)
    _RECOUNT_MEMBERS(workspace, destination_id)
    _MOVE_EVENTS(*handover)
    _join_preferences(workspace, source_id, destination_id)


def _join_places(workspace: int, source_id: str, destination_id: str) -> None:
    """Give the places on lists that both have the status of the two together, and count them once."""
    theirs, ours = lists.statuses(workspace, source_id), lists.statuses(workspace, destination_id)
    for list_id in sorted(theirs.keys() & ours.keys()):
        two = theirs[list_id], ours[list_id]
        joined = consent.join(*two)
        lists.count(workspace, list_id, int(joined in COUNTED) - sum(one in COUNTED for one in two))
        if joined is not None and joined != ours[list_id]:
            lists.set_status(workspace, destination_id, list_id, joined)


def _join_preferences(workspace: int, source_id: str, destination_id: str) -> None:
    """Join the preferences of both in the destination: its own values win, and an opt-out of either is kept."""
    found = preferences.of(workspace, [source_id, destination_id])
    theirs = found.get(source_id)
    if theirs is None:
        return
    ours = found.get(destination_id, theirs)
    joined = PreferencesRow(
        timezone=theirs.timezone if ours.timezone is None else ours.timezone,
        notifications_enabled=ours.notifications_enabled and theirs.notifications_enabled,
        notifications={**theirs.notifications, **ours.notifications},
        updated_at=max(ours.updated_at or 0, theirs.updated_at or 0),
    )
    preferences.put(workspace, {destination_id: joined})
