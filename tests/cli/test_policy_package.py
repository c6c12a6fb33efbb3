"""The policy of an installed package, as those meet it who build on it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.running import CHECKOUT, Ran, lakewarden, write

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = {
    "site/bank_policy/__init__.py": 'raise SystemExit("policy is data: nobody imports this")\n',
    "site/bank_policy/lakewarden.toml": 'fail_on = "warning"\nignore = ["REG012"]\nlock = ["fail_on"]\n',
    "repository/databricks.yml": "bundle: {name: a}\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, PACKAGE)
    return tmp_path


def lint(folder: Path, policy: str, *more: str) -> Ran:
    write(folder, {"repository/lakewarden.toml": policy})
    found = os.pathsep.join((str(CHECKOUT / "src"), str(folder / "site")))
    return lakewarden(folder / "repository", "lint", *more, PYTHONPATH=found)


def test_what_the_package_says_holds_and_is_told_as_its(folder: Path) -> None:
    ran = lint(folder, 'extend = "package:bank_policy"\nignore = ["DEP003"]\n', "--show-policy")
    assert (ran.code, ran.err) == (0, "")
    assert 'fail_on = "warning"  # package:bank_policy' in ran.out.splitlines()
    assert 'ignore = ["DEP003"]  # lakewarden.toml' in ran.out.splitlines()


def test_what_it_locks_may_be_tightened_and_not_loosened(folder: Path) -> None:
    tighter = lint(folder, 'extend = "package:bank_policy"\nfail_on = "note"\n', "--show-policy")
    assert 'fail_on = "note"  # lakewarden.toml' in tighter.out.splitlines()
    looser = lint(folder, 'extend = "package:bank_policy"\nfail_on = "error"\n')
    assert (looser.code, looser.out) == (2, "")
    said, *advice = looser.err.splitlines()
    assert said.startswith("lakewarden: lakewarden.toml: fail_on: ")
    assert "loosens what package:bank_policy locks" in said
    assert len(advice) <= 1


@pytest.mark.parametrize(
    ("package", "told"),
    [("no_such_policy", "there is no package 'no_such_policy'"), ("json", "the package 'json' has no lakewarden.toml")],
)
def test_a_package_that_is_not_there_is_one_line(folder: Path, package: str, told: str) -> None:
    ran = lint(folder, f'extend = "package:{package}"\n')
    assert (ran.code, ran.out) == (2, "")
    said, advice = ran.err.splitlines()
    assert said.startswith(f"lakewarden: lakewarden.toml: extend: {told}")
    assert "install the package" in advice
