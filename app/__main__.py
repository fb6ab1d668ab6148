"""`python -m app`: the same as `rollcall`."""

from app.cli import main

main(prog_name="rollcall")
