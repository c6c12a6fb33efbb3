"""Runs the real command line, untouched by the settings of whoever runs the tests."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from lakewarden.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT = Path(__file__).parents[1]

_FOREIGN = ("GIT_", "PYTHON", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", "CI", "GITHUB_", "TERMINAL_WIDTH", "_TYPER")


class Ran(NamedTuple):
    """What a run of the program left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """An environment in which the checkout is found, and git has no configuration but ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    own = {"PYTHONPATH": str(CHECKOUT / "src"), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return kept | own | more


def lakewarden(folder: Path, *arguments: str | Path, **more: str) -> Ran:
    """Run `python -m lakewarden` in a folder."""
    return run(folder, sys.executable, "-m", "lakewarden", *arguments, **more)


def run(folder: Path, *command: str | Path, **more: str) -> Ran:
    """Run a command in a folder; its output has to be UTF-8, whatever it was fed."""
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=environment(**more), capture_output=True, check=False, timeout=120
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def held_to_rights() -> list[str]:
    """What a command begins with so that the rights of files bind it: the superuser is otherwise permitted everything."""
    if os.name == "nt" or os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("the superuser may read everything, and no setpriv takes that right away")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def inside(folder: Path, *arguments: str | Path) -> Ran:
    """Run the command line in this process, as if in a folder: a tenth of the time, for tests that run it often."""
    out, err = io.StringIO(), io.StringIO()
    before, argv, thresholds = Path.cwd(), sys.argv, gc.get_threshold()
    os.chdir(folder)
    sys.argv = ["lakewarden", *map(str, arguments)]
    code: Any = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        os.chdir(before)
        sys.argv = argv
        gc.set_threshold(*thresholds)
    return Ran(int(code), out.getvalue(), err.getvalue())


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, as somebody."""
    identity = {
        f"GIT_{who}_{what}": f"a{sign}b" for who in ("AUTHOR", "COMMITTER") for what, sign in (("NAME", ""), ("EMAIL", "@"))
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment(**identity), capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def commit(folder: Path) -> str:
    """Commit everything in a folder, which becomes a repository with the branch `main` if it is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "change")
    return git(folder, "rev-parse", "HEAD")


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files below a folder."""
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
