"""`rollcall import`: users and events from files."""

from collections.abc import Sequence
from pathlib import Path

import click
from tqdm import tqdm

from app import dates, errors
from app.cli.base import main, of_workspace, with_storage
from app.items import Loaded
from app.schemas.customer_rows import FIELDS, Columns
from app.schemas.imports import load_lines
from app.services import fields, imports, workspaces
from app.services.imports import Plan, Progress, Record

_KINDS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}


@main.command("import", epilog="Example: rollcall import customers.csv --environment XQ19azQe --map Mail=email")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@of_workspace
@click.option("--environment", help="Id of the environment, in place of the name of the workspace.")
@click.option(
    "--map", "renames", multiple=True, metavar="COLUMN=FIELD", help="What a CSV column is; =, not to be read."
)
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
    source, read = (_customers(file, into, _pairs(renames))) if kind == "csv" else (imports.NdjsonFile(file), load)
    plan = Plan(
        into, source, imports.fingerprint(file, kind, *sorted(renames)), read,
        error_path or file.with_name(f"{file.name}.errors.csv"), dry_run,
    )  # fmt: skip
    try:
        began = imports.begin(plan, again)
    except imports.Finished as finished:
        when = dates.render(finished.progress.ended_at or 0)
        _tell(finished.progress, plan, f"imported on {when}; --again does it again")
        return
    with tqdm(total=source.size, initial=began.position, unit="B", unit_scale=True, unit_divisor=1024) as bar:
        for progress in imports.run(plan, began):
            bar.update(progress.position - bar.n)
            bar.set_postfix_str(f"{progress.stored} stored, {progress.refused} refused", refresh=False)
    _tell(progress, plan, "nothing was changed" if dry_run else "")


def _pairs(renames: Sequence[str]) -> dict[str, str]:
    found = dict(one.rpartition("=")[::2] for one in renames)
    if "" in found:
        raise errors.InvalidInput({"--map": ["Must be COLUMN=FIELD, or COLUMN= to leave the column out."]})
    return found


def _customers(file: Path, workspace: int, renames: dict[str, str]) -> tuple[imports.File, imports.Load]:
    custom = {field.name: field.type for field in fields.everything(workspace)}
    source = imports.CsvFile(file, {*FIELDS, *custom, *renames})
    columns = Columns(source.header, renames, custom)
    return source, lambda records: columns.load([record.content for record in records])


def load(records: Sequence[Record]) -> Loaded:
    """Say what the lines of an NDJSON file mean."""
    return load_lines([record.content for record in records])


def _tell(progress: Progress, plan: Plan, more: str) -> None:
    told = [f"{progress.stored} stored, {progress.refused} refused"]
    told += [f"see {plan.error_path}"] if progress.refused else []
    click.echo("; ".join([*told, *([more] if more else [])]))
    if progress.refused:
        raise click.exceptions.Exit(1)
