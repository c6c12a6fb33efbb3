"""What the one place does with errors that no command expects."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.running import Ran, run

PROGRAM = """
import sys
from lakewarden.cli import main

@main.app.command("probe")
def probe() -> None:
    {body}

sys.argv = ["lakewarden", "probe"]
main.main()
"""


def probe(body: str) -> Ran:
    return run(Path(), sys.executable, "-c", PROGRAM.format(body=body))


@pytest.mark.parametrize("package", ["databricks.sdk", "mlflow", "git"])
def test_a_command_that_needs_the_extra_says_how_to_install_it(package: str) -> None:
    # As if it were not installed; the wheel is tried in an environment where it truly is not.
    done = probe(f"sys.modules[{package.partition('.')[0]!r}] = None; import {package}")
    assert done.code == 2
    assert done.err.startswith(f"lakewarden: `lakewarden probe` needs {package.partition('.')[0]}")
    assert done.err.endswith("run: pip install 'lakewarden[live]'\n")
    assert "Traceback" not in done.err


def test_another_missing_module_is_a_bug() -> None:
    done = probe("import nothing_of_this_name")
    assert done.code == 70
    assert "this is a bug: ModuleNotFoundError" in done.err
    assert "Traceback" not in done.err


def test_a_bug_writes_a_log_that_can_be_reported() -> None:
    done = probe("1 / 0")
    assert done.code == 70
    log = done.err.rpartition("please report it with the log ")[2].strip()
    with Path(log).open(encoding="utf-8") as file:
        assert "ZeroDivisionError" in file.read()


def test_an_interrupt_has_an_exit_code_of_its_own() -> None:
    assert probe("raise KeyboardInterrupt").code == 130


def test_a_reader_that_went_away_is_no_success() -> None:
    assert probe("raise BrokenPipeError").code == 141
