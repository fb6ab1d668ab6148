"""`python -m app.jobs PARENT`: the worker that `rollcall serve` starts; it ends with its parent process."""

import sys

from app.config import read_settings
from app.jobs.loop import run

if __name__ == "__main__":
    run(read_settings(), parent=int(sys.argv[1]))
