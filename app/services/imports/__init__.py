"""Imports: a file is stored portion by portion; a transaction holds a portion and the progress.

So an import that was cut off, by kill -9 too, goes on where it was when it is begun again, and stores nothing twice.
"""

from app.models.imports import Progress
from app.services.imports.csv_files import CsvFile
from app.services.imports.records import PORTION, NdjsonFile, Portion, Record, fingerprint
from app.services.imports.running import File, Finished, Load, Plan, begin, run

__all__ = [
    "PORTION", "CsvFile", "File", "Finished", "Load", "NdjsonFile", "Plan", "Portion", "Progress", "Record", "begin",
    "fingerprint", "run",
]  # fmt: skip
