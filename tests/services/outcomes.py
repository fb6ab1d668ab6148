"""What is left by writes: those of a batch, and the same ones by one."""

from app import errors
from app.domain.writes import Item
from app.models.database import db
from app.services import events, users

ODD = ["", "NULL", 'a"b', "a\\b", "a\\", "{x,y}", "a,b", "a\tb\nc", "'); --", "é😀", "  ", '"', "%s", "$1"]
ODD_UIDS = ["NULL", 'q"', "b\\", "{u}", "a,b", "é😀", "u", "U", "null", "a b", "%s"]
NOW = 1_700_000_000_000


def one_by_one(workspace: int, items: list[Item]) -> dict:
    verdicts = {}
    for item in items:
        try:
            if item.type == "event":
                if outcome := events.record(workspace, item.uid, **item.fields):
                    verdicts[item.position] = events.DROPPED if outcome == events.ERASED else outcome
            elif item.type == "nameless":
                users.save_without_uid(workspace, item.fields)
            else:
                users.update(workspace, item.uid, item.fields, full=True)
        except errors.Failure as failure:
            verdicts[item.position] = failure
    return verdicts


def stored(workspace: int) -> list:
    """All users and events but for their ids, and for times that are the clock's."""
    found = []
    for user in users.page(workspace, 100).rows:
        happened = [one._replace(id="") for one in events.page(workspace, user.uid, 1000).rows]
        changed = {"created_at": user.created_at if user.created_at < NOW else None}
        user = user._replace(id="", meta=sorted(user.meta.items()), **changed)
        found.append((user.uid, user, sorted(happened, key=repr)))
    return sorted(found, key=repr)


def columns_not_shown(workspace: int) -> list:
    return db.execute_sql(
        "SELECT uid, email_key, number_digits, app_version FROM users WHERE "
        f"workspace_id = {workspace} ORDER BY uid, app_version"
    ).fetchall()
