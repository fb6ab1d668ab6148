"""When each job last ran."""

import peewee

from app.models.database import BaseModel, Statement, statement, unrepeated


class JobRun(BaseModel):
    """When a job of this installation last began, in epoch milliseconds, among those that came to their end."""

    name = peewee.TextField(primary_key=True)
    ran_at = peewee.BigIntegerField()

    class Meta:
        table_name = "job_runs"


@statement
def last_run(name: str) -> int | None:
    """Return when the job last began, in epoch milliseconds; None when it never did."""
    found = JobRun.get_or_none(JobRun.name == name)
    return None if found is None else int(found.ran_at)


_TO_ERASE_IN = Statement("SELECT DISTINCT workspace_id FROM deletions WHERE state = 'pending' AND next_at <= ?")


@statement
def workspaces_to_erase_in(now: int) -> list[int]:
    """Return the workspaces with erasures that are due. now: epoch milliseconds."""
    return [workspace for (workspace,) in _TO_ERASE_IN(now)]


@unrepeated
def note_run(name: str, began_at: int) -> None:
    """Note that the job which began then is done."""
    note = JobRun.insert(name=name, ran_at=began_at)
    note.on_conflict(conflict_target=[JobRun.name], update={JobRun.ran_at: began_at}).execute()
