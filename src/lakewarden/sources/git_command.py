"""Runs the `git` command so that a repository's own configuration cannot run programs, prompt or reach the network."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.time_left import OVER, left

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEPT = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH", "GIT_SSL_CAINFO"}
#: What keeps Git from whatever could change its answer, or wait for somebody.
HARDENED = {
    "LC_ALL": "C",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
# safe.directory: containers check out as one user and lint as another; nothing that git would run is left to the repository.
_OPTIONS = (
    "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "core.quotePath=false",
)  # fmt: skip
_SECONDS = 60


class Answer(NamedTuple):
    """What the command said. `code` is None where it is not installed or took too long; `error` then says which."""

    code: int | None
    output: bytes
    error: str

    @property
    def ok(self) -> bool:
        """Did it end well?"""
        return self.code == 0

    @property
    def line(self) -> str:
        """The output as one line of text."""
        return self.output.decode("utf-8", "backslashreplace").strip()


def git(folder: str, arguments: Sequence[str], *, seconds: float = _SECONDS) -> Answer:
    """Run `git` in a folder."""
    seconds = left(seconds)
    if not seconds:
        return Answer(None, b"", OVER)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in _KEPT} | HARDENED
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *_OPTIONS, *arguments],  # noqa: S607
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        return Answer(None, b"", "the git command is not installed")
    except subprocess.TimeoutExpired:
        return Answer(None, b"", f"git gave no answer within {seconds:.3g} seconds")
    except OSError as error:
        return Answer(None, b"", f"git cannot be started: {error.strerror or error}")
    return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "backslashreplace").strip())
