"""When each job last ran."""

import peewee

from app.models.database import BaseModel, Statement, statement, unrepeated


class JobRun(BaseModel):
    """When a job of this installation last began, in epoch milliseconds, among those that came to their end."""

    name = peewee.TextField(primary_key=True)
    ran_at = peewee.BigIntegerField()

    class Meta:
        table_name = "job_runs"


_LAST = Statement("SELECT ran_at FROM job_runs WHERE name = ?")
_NOTE = Statement(
    "INSERT INTO job_runs (name, ran_at) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET ran_at = excluded.ran_at RETURNING name"
)


@statement
def last_run(name: str) -> int | None:
    """Return when the job last began, in epoch milliseconds; None when it never did."""
    rows = _LAST(name)
    return int(rows[0][0]) if rows else None


_TO_ERASE_IN = Statement("SELECT DISTINCT workspace_id FROM deletions WHERE state = 'pending' AND next_at <= ?")


@statement
def workspaces_to_erase_in(now: int) -> list[int]:
    """Return the workspaces with erasures that are due. now: epoch milliseconds."""
    return [workspace for (workspace,) in _TO_ERASE_IN(now)]


@unrepeated
def note_run(name: str, began_at: int) -> None:
    """Note that the job which began then is done."""
    _NOTE(name, began_at)
