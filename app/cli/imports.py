"""`rollcall import`: users and events from files."""

from collections.abc import Sequence
from pathlib import Path

import click
from tqdm import tqdm

from app import dates
from app.cli.base import main, of_workspace, with_storage
from app.schemas.imports import load_lines
from app.services import imports, workspaces
from app.services.batches import Item
from app.services.imports import Loaded, Plan, Progress, Record


@main.command("import", epilog="Example: rollcall import users.ndjson --workspace acme")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@of_workspace
@click.option("--dry-run", is_flag=True, help="Check and store everything, and undo it: nothing changes.")
@click.option("--again", is_flag=True, help="Begin at the first record, also where the file was imported before.")
@click.option(
    "--errors", "error_path", type=click.Path(dir_okay=False, path_type=Path),
    help="Where refused records are told, with their lines.  [default: FILE.errors.csv]",
)  # fmt: skip
@with_storage
def import_file(file: Path, workspace: str, dry_run: bool, again: bool, error_path: Path | None) -> None:
    """Import users and events from FILE, whose name ends in .ndjson or .jsonl (docs/import.md).

    A run that was cut off goes on where it was when the same command is given again, and stores nothing twice. Ends
    with exit status 1 when a record was refused.
    """
    source = imports.NdjsonFile(file)
    plan = Plan(
        workspaces.find(workspace), source, imports.fingerprint(file, "ndjson"), _load,
        error_path or file.with_name(f"{file.name}.errors.csv"), dry_run,
    )  # fmt: skip
    try:
        began = imports.begin(plan, again)
    except imports.Finished as finished:
        _tell(
            finished.progress,
            plan,
            f"imported on {dates.render(finished.progress.ended_at or 0)}; --again does it again",
        )
        return
    with tqdm(total=source.size, initial=began.position, unit="B", unit_scale=True, unit_divisor=1024) as bar:
        for progress in imports.run(plan, began):
            bar.update(progress.position - bar.n)
            bar.set_postfix_str(f"{progress.stored} stored, {progress.refused} refused", refresh=False)
    _tell(progress, plan, "nothing was changed" if dry_run else "")


def _load(records: Sequence[Record]) -> Loaded:
    found = Loaded([], {})
    for one in load_lines([record.content for record in records]):
        if one.failure is None:
            found.items.append(Item(one.position, one.type, one.uid, one.fields))
        else:
            found.refused[one.position] = one.failure
    return found


def _tell(progress: Progress, plan: Plan, more: str) -> None:
    told = [f"{progress.stored} stored, {progress.refused} refused"]
    told += [f"see {plan.error_path}"] if progress.refused else []
    click.echo("; ".join([*told, *([more] if more else [])]))
    if progress.refused:
        raise click.exceptions.Exit(1)
