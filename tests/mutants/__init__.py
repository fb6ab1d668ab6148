"""Mutants: one planted fault each, which named tests must catch. `python -m tests.mutants` plants every one.

To add those of another file, write a module of them beside `loading.py` and add it to MUTANTS.
"""

from tests.mutants import loading

MUTANTS = loading.MUTANTS
