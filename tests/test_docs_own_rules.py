"""The tutorial about rules of one's own: its files are written and its commands run, in the order of the page."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING

import pytest
from tests.running import CHECKOUT, Ran, lakewarden, run

from lakewarden.judge.checker import ALLOWED_FUNCTIONS
from lakewarden.policy.own import _OPTIONAL, _REQUIRED

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (CHECKOUT / "docs" / "own-rules.md").read_text()
BLOCKS = re.compile(r"^(?P<fence>`{3,4})(?P<info>[^\n`]+)\n(?P<body>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)


def write_files(folder: Path) -> int:
    """Write the files of the page, and say how many there are."""
    blocks = [block for block in BLOCKS.finditer(PAGE) if " " in block["info"]]
    for block in blocks:
        path = folder / block["info"].partition(" ")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block["body"])
    return len(blocks)


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    run(tmp_path, "git", "init", "-q")
    ran: list[Ran] = []
    for block in BLOCKS.finditer(PAGE):
        kind, _, path = block["info"].partition(" ")
        if path:
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(block["body"])
        elif kind == "sh":
            ran = [command(tmp_path, shlex.split(line)) for line in block["body"].splitlines()]
            assert [one.code for one in ran] in ([0, 0], [0, 1], [0]), [one.out + one.err for one in ran]
        elif kind == "text":
            assert block["body"] in ran[-1].out, ran[-1].out
    assert write_files(tmp_path / "again") == 7
    assert "churn-infer" not in lakewarden(tmp_path, "lint", "--select", "ACME001").out


def command(folder: Path, words: list[str]) -> Ran:
    if words[0] == "lakewarden":
        return lakewarden(folder, *words[1:])
    assert words[0] == "pytest"
    return run(folder, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words[1:])


def test_the_page_names_every_key_and_every_function() -> None:
    rows = "".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    assert {key for key in (*_REQUIRED, *_OPTIONAL) if f"`{key}`" not in rows and f"`{key} = " not in rows} == set()
    (told,) = re.findall(r"Functions are (.*)\.", PAGE)
    assert set(re.findall(r"`(\w+)`", told)) == ALLOWED_FUNCTIONS
