"""The commands of the README that ask live workspaces do what it says, one after the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.contract import serve
from tests.contract.small import small
from tests.running import CHECKOUT, lakewarden

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    section = (CHECKOUT / "README.md").read_text().partition("## Live workspaces")[2].partition("\n## ")[0]
    commands = re.findall(r"^lakewarden (.+)$", section, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["doctor", "audit", "collect", "audit", "diff"]
    with serve(small()) as server:
        (tmp_path / "lakewarden.toml").write_text(
            f'[environments.production]\nworkspaces = ["{server.url}"]\ncatalogs = ["prod"]\n'
        )
        token = server.estate.admin.token
        for command in commands:
            ran = lakewarden(tmp_path, *command.split(), DATABRICKS_TOKEN=token, DATABRICKS_CONFIG_FILE=str(tmp_path / "none"))
            assert ran.code in (0, 1, 3), ran.err
            assert ran.out
    assert {"audits.duckdb", "today.json", "estate.snap"} <= {file.name for file in tmp_path.iterdir()}
    assert ran.code == 0, ran.out
    assert ran.out.splitlines()[-1].startswith("0 new, 0 worsened, 0 lost sight of, ")
