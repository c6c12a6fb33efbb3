"""The tutorial's commands run in a copy of the example that it names, and against a contract server."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.contract import serve
from tests.contract.small import small
from tests.running import CHECKOUT, Ran, commit, lakewarden

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (CHECKOUT / "docs" / "tutorial.md").read_text()
COMMANDS = [
    shlex.split(line)[1:]
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
HOST = "https://adb-1.2.azuredatabricks.net"


@pytest.mark.slow
def test_every_command_does_what_the_tutorial_says(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(CHECKOUT / "examples" / "violating", project)
    commit(project)
    codes: dict[str, int] = {}
    with serve(small()) as server:
        for command in COMMANDS:
            words = [server.url if word == HOST else word for word in command]
            ran: Ran = lakewarden(
                project, *words, DATABRICKS_TOKEN=server.estate.admin.token, DATABRICKS_CONFIG_FILE=str(tmp_path / "none")
            )
            codes[" ".join(command[:3])] = ran.code
            assert ran.code in (0, 1, 3), (command, ran.err)
            assert "Traceback" not in ran.err
        assert {asked.method for asked in server.log} <= {"GET", "POST"}
    assert codes["lint --output-format concise"] == 1
    assert codes["init --baseline"] == 0
    assert codes["lint"] in (0, 3)
    assert (project / "audits.duckdb").exists()
