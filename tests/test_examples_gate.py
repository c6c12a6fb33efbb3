"""The examples of the gate: they parse, their commands exist, inputs are never part of a program, and our own rules pass them."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.running import CHECKOUT, commit, lakewarden

from lakewarden.gate.checks import CHECKS
from lakewarden.policy.load import load

if TYPE_CHECKING:
    from pathlib import Path

GATE = CHECKOUT / "examples" / "gate"
FILES = [
    *GATE.glob("resources/*.yml"),
    *sorted(GATE.glob("[a-z]*.yml")),
    *GATE.glob(".*.yml"),
    *GATE.glob(".github/workflows/*.yml"),
]
TEXTS = [*FILES, GATE / "README.md", *GATE.glob("notebooks/*.py"), CHECKOUT / "docs" / "gate.md"]


def test_there_are_examples_of_every_place() -> None:
    assert {file.name for file in FILES} == {"gate.yml", ".gitlab-ci.yml", "azure-pipelines.yml", "promote.yml"}
    load(GATE / "lakewarden.toml")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_input_is_part_of_a_program(file: Path) -> None:
    text = file.read_text()
    assert yaml.safe_load(text)
    for line in text.splitlines():
        if "lakewarden gate " in line:
            assert "${{" not in line
            assert '"$MODEL"' in line
        if "uses:" in line:
            assert re.search(r"@[0-9a-f]{40} # v\d", line), line


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_every_option_exists(file: Path) -> None:
    text = file.read_text()
    lines = [line for line in text.splitlines() if re.search(r"lakewarden\W+gate\W", line)]
    named = {option for line in lines for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)}
    known = set(re.findall(r"--[a-z-]+", lakewarden(CHECKOUT, "gate", "--help").out))
    assert named <= known


def test_the_page_has_every_check() -> None:
    page = (CHECKOUT / "docs" / "gate.md").read_text()
    for check in CHECKS:
        row = next(line for line in page.splitlines() if line.startswith(f"| C{check.number} |"))
        assert f"| {check.title} | `{check.level}` |" in row
        assert all(rule in row for rule in check.rules)
    assert len(re.findall(r"^\| C\d+ \|", page, re.MULTILINE)) == len(CHECKS)


def test_our_own_rules_pass_the_examples(tmp_path: Path) -> None:
    shutil.copytree(GATE, tmp_path / "repository")
    commit(tmp_path / "repository")
    ran = lakewarden(tmp_path / "repository", "lint", "--profile", "strict", "--output-format", "json")
    assert (ran.code, ran.json["findings"]) == (0, [])
    assert sum(rule["judged"] for rule in ran.json["rules"]) >= 4
