"""The pages whose `console` blocks are run: each line in a shell, its reply compared with the one shown."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LINE = re.compile(r"```console\n\$ (curl .*?)\n(.*?)```", re.S)
SECRETS = "access_token|clientId|clientSecret|confirmation_url"
SECONDS = 30  # one line; only a hang takes so long


def shown(page: Path) -> list[tuple[str, str]]:
    """Return the lines of a page, each with the reply that the page shows for it."""
    return LINE.findall(page.read_text())


def run(line: str, environment: Mapping[str, str]) -> Any:
    """Run a line of a page in a shell with these variables and return the reply."""
    return ask(line, environment)[1]


def ask(line: str, environment: Mapping[str, str]) -> tuple[int, Any]:
    """Run a line of a page in a shell with these variables; return the status and the reply."""
    quiet = line.replace("curl", r"curl -s -w '\n%{http_code}'", 1)
    names = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(["bash", "-c", quiet], env=names, capture_output=True, text=True, timeout=SECONDS)
    reply, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(reply)


def like(reply: Any) -> str:
    """Return the reply as text, with ids, secrets and times made equal."""
    text = re.sub(r'"[0-9a-f]{24}"', '"an id"', json.dumps(reply, sort_keys=True))
    text = re.sub(rf'"({SECRETS})": "[^"]*"', r'"\1": "a secret"', text)
    text = re.sub(r'"request_id": "[^"]*"', '"request_id": "an id"', text)
    return re.sub(r'"\d{4}-\d\d-\d\dT\d\d:[\d:.]+(Z|\+00:00)"', '"a time"', text)
