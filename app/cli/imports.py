"""`rollcall import`: users and events from files."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import click
from tqdm import tqdm

from app import errors
from app.cli.base import main, of_workspace, with_storage
from app.domain import dates
from app.domain.writes import Loaded
from app.schemas.customer_rows import FIELDS, Columns
from app.schemas.imports import ignored, load_lines
from app.services import imports, lists, workspaces
from app.services.atomic import fields
from app.services.imports import PORTION, Plan, Progress, Record

_RECORDS_CHECKED_FIRST = 1000  # records in which ignored keys are looked for before an import begins (docs/import.md)
_KINDS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}


@main.command("import", epilog="Example: rollcall import customers.csv --environment XQ19azQe --map Mail=email")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@of_workspace
@click.option("--environment", help="Id of the environment, in place of the name of the workspace.")
@click.option(
    "--map", "renames", multiple=True, metavar="COLUMN=FIELD",
    help="What a CSV column is, twice where it is two fields; =, not to be read.",
)  # fmt: skip
@click.option("--list", "list_ids", multiple=True, metavar="ID", help="Id of a list that all users of the file join.")
@click.option("--dry-run", is_flag=True, help="Check and store everything, and undo it: nothing changes.")
@click.option("--again", is_flag=True, help="Begin at the first record, also where the file was imported before.")
@click.option(
    "--errors", "error_path", type=click.Path(dir_okay=False, path_type=Path),
    help="Where refused records are told, with their lines.  [default: FILE.errors.csv]",
)  # fmt: skip
@with_storage
def import_file(
    file: Path,
    workspace: str,
    environment: str | None,
    renames: Sequence[str],
    list_ids: Sequence[str],
    dry_run: bool,
    again: bool,
    error_path: Path | None,
) -> None:
    """Import FILE: customers from .csv, users and events from .ndjson or .jsonl (docs/import.md).

    A run that was cut off goes on where it was when the same command is given again, and stores nothing twice. Ends
    with exit status 1 when a record was refused.
    """
    into = workspaces.find_environment(environment) if environment else workspaces.find(workspace)
    kind = _KINDS.get(file.suffix.lower())
    if kind is None:
        raise errors.InvalidInput({"file": [f"Must be named {', '.join(_KINDS)}."]})
    _check_lists(into, list_ids)
    source, read = (
        _customers(file, into, _fields_of(renames), list_ids)
        if kind == "csv"
        else (imports.NdjsonFile(file), partial(load, list_ids=list_ids))
    )
    how = [*sorted(renames), *(f"--list {id}" for id in sorted(list_ids))]
    plan = Plan(
        into, source, imports.fingerprint(file, kind, *how), read,
        error_path or file.with_name(f"{file.name}.errors.csv"), dry_run,
    )  # fmt: skip
    try:
        began = imports.begin(plan, again)
    except imports.Finished as finished:
        when = dates.render(finished.progress.ended_at or 0)
        _tell(finished.progress, plan, f"imported on {when}; --again does it again")
        return
    for warning in _warnings(source) if kind == "ndjson" else ():
        click.echo(warning, err=True)
    with tqdm(total=source.size, initial=began.position, unit="B", unit_scale=True, unit_divisor=1024) as bar:
        for progress in imports.run(plan, began):
            bar.update(progress.position - bar.n)
            bar.set_postfix_str(_counts(progress), refresh=False)
    _tell(progress, plan, "nothing was changed" if dry_run else "")


def _warnings(source: imports.File) -> list[str]:
    """Return what is ignored in the first records: to read all of a long file first would take long."""
    first = next(source.portions(0, 0, _RECORDS_CHECKED_FIRST // PORTION), None)
    return ignored(first.records) if first else []


def _check_lists(workspace: int, list_ids: Sequence[str]) -> None:
    for id in list_ids:
        try:
            is_open = lists.retrieve(workspace, id).archived_at is None
        except errors.ListNotFound:
            is_open = False
        if not is_open:
            raise errors.InvalidInput({f"--list {id}": ["Must be the id of a list that is not archived."]})


def _fields_of(renames: Sequence[str]) -> dict[str, list[str]]:
    """Return {column: the fields it is}; none where it is left out."""
    found: dict[str, list[str]] = {}
    for column, _, name in [one.rpartition("=") for one in renames]:
        found.setdefault(column, []).append(name)
    if "" in found or any("" in names and len(names) > 1 for names in found.values()):
        raise errors.InvalidInput({"--map": ["Must be COLUMN=FIELD, or COLUMN= alone to leave the column out."]})
    return {column: [name for name in names if name] for column, names in found.items()}


def _customers(
    file: Path, workspace: int, renames: Mapping[str, Sequence[str]], list_ids: Sequence[str]
) -> tuple[imports.File, imports.Load]:
    custom = {field.name: field.type for field in fields.everything(workspace)}
    source = imports.CsvFile(file, {*FIELDS, *custom, *renames})
    columns = Columns(source.header, renames, custom, list_ids)
    source.check()
    if columns.ignored:
        click.echo(f"Not read: {', '.join(columns.ignored)}.", err=True)
    return source, lambda records: columns.load([record.content for record in records])


def load(records: Sequence[Record], list_ids: Sequence[str] = ()) -> Loaded:
    """Say what the lines of an NDJSON file mean. list_ids: the lists that all their users join."""
    return load_lines([record.content for record in records], list_ids)


def _counts(progress: Progress) -> str:
    """Return the counts of an import in words; those of events that were not stored, only where there are any."""
    unstored = [f"{count} {name}" for name in ("duplicate", "dropped") if (count := getattr(progress, name))]
    return ", ".join([f"{progress.stored} stored", f"{progress.refused} refused", *unstored])


def _tell(progress: Progress, plan: Plan, more: str) -> None:
    told = [_counts(progress)]
    told += [f"see {plan.error_path}"] if progress.refused else []
    click.echo("; ".join([*told, *([more] if more else [])]))
    if progress.refused:
        raise click.exceptions.Exit(1)
