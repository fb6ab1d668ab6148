"""`python -m tests.mutants [NAME ...]`: plant the mutants and say which the tests catch."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tests.mutants import MUTANTS
from tests.mutants.mutant import CAUGHT, SURVIVED, Mutant, copy_tree, misplaced, run, verdict

AT_ONCE = 2  # mutants; as many as CI has cores


@click.command
@click.argument("names", nargs=-1)
@click.option("--tests", multiple=True, help="Run these in place of the mutants' own, to see what they catch.")
def main(names: tuple[str, ...], tests: tuple[str, ...]) -> None:
    """Plant every mutant, or those with one of NAMES in theirs; exit 1 unless all are caught."""
    chosen = [one for one in MUTANTS if not names or any(name in one.name for name in names)]
    sys.exit(not all_caught([one._replace(tests=tests) if tests else one for one in chosen]))


def all_caught(mutants: Sequence[Mutant]) -> bool:
    """Plant the mutants and print what became of each. Return True if every one was planted and caught."""
    if faults := [f"{one.name}: {fault}" for one in mutants if (fault := misplaced(one))]:
        click.echo("\n".join(faults))
        return False
    with copies() as trees, ThreadPoolExecutor(AT_ONCE) as pool:
        sound = run(trees[0], sorted({test for one in mutants for test in one.tests}))
        if sound != SURVIVED:
            click.echo(f"Without any mutant: {sound}; the tests must pass there.")
            return False
        caught = 0
        for one, result in zip(mutants, pool.map(partial(verdict_in_one_of, trees), mutants), strict=True):
            click.echo(f"{result:8}  {one.name}")
            caught += result == CAUGHT
    click.echo(f"{caught} of {len(mutants)} caught")
    return caught == len(mutants)


@contextlib.contextmanager
def copies() -> Iterator[list[Path]]:
    """Make as many copies of the tree as mutants are planted at once."""
    with contextlib.ExitStack() as stack:
        folders = [stack.enter_context(TemporaryDirectory(prefix="rollcall-mutant-")) for _ in range(AT_ONCE)]
        yield [copy_tree(Path(folder)) for folder in folders]


def verdict_in_one_of(trees: list[Path], mutant: Mutant) -> str:
    tree = trees.pop()
    try:
        return verdict(tree, mutant)
    finally:
        trees.append(tree)


if __name__ == "__main__":
    main()
