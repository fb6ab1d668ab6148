"""One mutant: the app with a single fault, planted in a copy, and what the tests say of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import cache_from_source
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TIMEOUT = 120  # seconds that the tests of one mutant may take; a mutant that hangs is caught
COPIED = ("app", "tests")
CAUGHT, SURVIVED = "caught", "survived"
VERDICTS = {0: SURVIVED, 1: CAUGHT}  # exit codes of pytest; with any other one, the tests did not run
# The plugins of pytest take longer to import than most tests take; bytecode is kept for the next mutant.
ENVIRONMENT = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": ""}


class Mutant(NamedTuple):
    """A fault: `old`, which occurs once in `file`, becomes `new`, and one of `tests` (paths or node ids) must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: Sequence[str]


def misplaced(mutant: Mutant) -> str:
    """Return why the mutant cannot be planted, or an empty text."""
    places = (ROOT / mutant.file).read_text().count(mutant.old)
    return "" if places == 1 else f"the old text occurs {places} times in {mutant.file}, must be once: {mutant.old!r}"


def copy_tree(folder: Path) -> Path:
    """Copy what may find itself by its path, link the rest, and return the folder."""
    for entry in ROOT.iterdir():
        if entry.name in COPIED:
            shutil.copytree(entry, folder / entry.name)
        elif not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    return folder


def verdict(folder: Path, mutant: Mutant) -> str:
    """Plant the mutant in a copy of the tree while its tests run. Return CAUGHT, SURVIVED, or why that is not known."""
    file = folder / mutant.file
    text = file.read_text()
    write(file, text.replace(mutant.old, mutant.new))
    try:
        return run(folder, mutant.tests)
    finally:
        write(file, text)


def write(file: Path, text: str) -> None:
    """Write a source file; its bytecode goes: Python would keep it where size and second of the file are the same."""
    file.write_text(text)
    Path(cache_from_source(str(file))).unlink(missing_ok=True)


def run(folder: Path, tests: Sequence[str]) -> str:
    """Run tests in a copy of the tree. Return CAUGHT if one fails, SURVIVED if all pass, or why they did not run."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return CAUGHT
    return VERDICTS.get(done.returncode, f"the tests did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
