"""Programs of others, each installed from the package index into an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

#: What installers say when they cannot reach an index; everything else that goes wrong is a failure.
_OFFLINE = (
    "dns error",
    "error sending request",
    "failed to establish a new connection",
    "failed to fetch",
    "max retries exceeded",
    "name resolution",
    "network is unreachable",
)


def environment(folder: Path, *requirements: str) -> Path:
    """The folder of the programs of a new environment that holds these packages and what they need.

    Skips the test where no package index can be reached, and for no other reason.
    """
    programs, uv = folder / "bin", shutil.which("uv")
    if uv:
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(programs / "python")]
    else:
        venv.create(folder, with_pip=True)
        install = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    own = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run([*install, *requirements], env=own, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        if any(words in done.stderr.lower() for words in _OFFLINE):
            pytest.skip(f"no package index can be reached to install {' '.join(requirements)}")
        raise AssertionError(done.stderr[-2000:])
    return programs
