"""The official JavaScript SDKs, installed from npm with nothing changed but the host they call."""

import subprocess

import pytest

from tests import needs

VENDOR = "https://api.engage.so"
PACKAGES = ("@engage_so/node@1.6.0", "@engage_so/browser@1.6.0")


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """The folder with the SDKs of npm, as they are published."""
    npm = needs.program("npm")
    folder = tmp_path_factory.mktemp("npm")
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return folder / "node_modules"
