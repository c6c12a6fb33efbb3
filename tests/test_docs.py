"""What the documentation says holds: commands run, links lead somewhere, output is what the program prints."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.running import CHECKOUT, lakewarden, run

from lakewarden.errors import ExitCode
from lakewarden.policy.load import load

if TYPE_CHECKING:
    from pathlib import Path

README = (CHECKOUT / "README.md").read_text()
PAGES = [
    CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md", "examples/gate/README.md")
]
PAGES += sorted((CHECKOUT / "docs").glob("*.md"))

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^    (\S.*)$", FENCED.sub("", README), re.MULTILINE)


def blocks(language: str) -> list[str]:
    return [text for kind, text in FENCED.findall(README) if kind == language]


def test_the_readme_has_two_commands() -> None:
    judge, test = COMMANDS
    assert judge.endswith(" && .venv/bin/lakewarden lint examples")
    assert "pytest" not in judge
    assert test.endswith(" && .venv/bin/python -m pytest -q -n auto --dist loadgroup")


def test_the_finding_of_the_readme_is_a_real_one() -> None:
    (shown,) = blocks("")
    assert shown in lakewarden(CHECKOUT, "lint", "examples/violating", "--select", "ENV006").out


def test_the_policy_of_the_readme_is_one(tmp_path: Path) -> None:
    (policy,) = blocks("toml")
    (tmp_path / "lakewarden.toml").write_text(policy)
    assert load(tmp_path / "lakewarden.toml").environments.keys() == {"production"}


def test_the_suppression_of_the_readme_is_one(tmp_path: Path) -> None:
    (code,) = blocks("python")
    (tmp_path / "infer.py").write_text(f"import mlflow\n{code}")
    ran = lakewarden(tmp_path, "lint", "--select", "REG003", "--output-format", "json")
    assert [(f["code"], f["verdict"]) for f in ran.json["findings"]] == [("REG003", "waived")]


def test_the_hook_and_the_workflow_of_the_readme() -> None:
    hook, workflow = map(yaml.safe_load, blocks("yaml"))
    ours = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())
    assert {named["id"] for named in hook["repos"][0]["hooks"]} <= {one["id"] for one in ours}
    assert workflow["permissions"] == {"contents": "read"}


def options(page: str) -> set[tuple[str, str]]:
    """Command and option of everything that a page writes as a command line of ours."""
    lines = re.findall(
        r"(?:`|bin/|run: |^)lakewarden ((?:lint|audit|gate|capture|promotions|collect|doctor|diff|verify|facts|explain|rules|init|baseline)\b[^`\n]*)",
        page,
        re.MULTILINE,
    )
    return {
        (line.split()[0], option.partition("=")[0]) for line in lines for option in line.split()[1:] if option.startswith("--")
    }


def test_every_option_that_a_page_names_exists() -> None:
    named = set[tuple[str, str]]().union(*(options(page.read_text()) for page in PAGES))
    assert len(named) >= 5
    helps = {command: lakewarden(CHECKOUT, command, "--help").out for command in {command for command, _ in named}}
    assert [pair for pair in sorted(named) if f"{pair[1]} " not in helps[pair[0]]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", [CHECKOUT / "README.md", CHECKOUT / "docs" / "exit-codes.md"], ids=lambda page: page.name)
def test_every_exit_code_is_documented(page: Path) -> None:
    rows = re.findall(r"^\| (\d) \|", page.read_text(), re.MULTILINE)
    assert [int(row) for row in rows] == [code.value for code in ExitCode]


def test_every_page_is_found_from_the_index() -> None:
    index = (CHECKOUT / "docs" / "index.md").read_text()
    pages = {file.name for file in (CHECKOUT / "docs").glob("*.md")} - {"index.md"}
    assert {page for page in pages if f"]({page})" not in index} == set()


def test_rule_pages_are_what_the_rules_say() -> None:
    checked = run(CHECKOUT, sys.executable, "docs/generate.py", "--check")
    assert (checked.code, checked.err) == (0, "")
