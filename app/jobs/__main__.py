"""`python -m app.jobs PARENT [FILE]`: the worker that `rollcall serve` starts; it ends with its parent process.

FILE: which file the parent has as its database, so that the worker makes no new one in its place.
"""

import sys

from app.config import read_settings
from app.jobs.loop import run

if __name__ == "__main__":
    run(read_settings(), parent=int(sys.argv[1]), file="".join(sys.argv[2:]))
