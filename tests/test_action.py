"""The GitHub Action: its steps are run as a runner runs them, and no input is part of a program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from tests.running import CHECKOUT

ACTION: dict[str, Any] = yaml.safe_load((CHECKOUT / "action.yml").read_text(encoding="utf-8"))
STEPS: dict[str, dict[str, Any]] = {step.get("name", step.get("uses", "")): step for step in ACTION["runs"]["steps"]}
FAULTY = "bundle:\n  name: churn\ntargets:\n  prod:\n    mode: production\n    run_as:\n      user_name: ann@example.com\n"


class Ran(NamedTuple):
    """What a run of the action left."""

    code: int
    log: str
    summary: str
    outputs: dict[str, str]


def run(folder: Path, **given: str) -> Ran:
    """Run the steps Lint and Verdict in a repository, as a runner does: files for outputs and summary, `bash -e`, inputs by default."""
    temp = folder.parent / "temp"
    (temp / "lakewarden" / "bin").mkdir(parents=True)
    program = temp / "lakewarden" / "bin" / "lakewarden"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lakewarden "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    files = {name: temp / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.touch()
    known = {f"inputs.{name}": given.get(name.replace("-", "_"), told["default"]) for name, told in ACTION["inputs"].items()}
    log, code = "", 0
    for name in ("Lint", "Verdict"):
        step = STEPS[name]
        env = {
            variable: re.sub(r"\$\{\{ (\S+) \}\}", lambda found: known[found.group(1)], value)
            for variable, value in step["env"].items()
        }
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=folder,
            env={
                **os.environ,
                **env,
                **{variable: str(file) for variable, file in files.items()},
                "RUNNER_TEMP": str(temp),
                "PYTHONPATH": str(CHECKOUT / "src"),
                "LAKEWARDEN_CACHE_DIR": str(temp / "cache"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        log, code = log + ran.stdout + ran.stderr, ran.returncode
        for line in files["GITHUB_OUTPUT"].read_text().splitlines():
            output, _, value = line.partition("=")
            known[f"steps.lint.outputs.{output}"] = value
        if code:
            break
    outputs = {name.rpartition(".")[2]: value for name, value in known.items() if name.startswith("steps.")}
    return Ran(code, log, files["GITHUB_STEP_SUMMARY"].read_text(), outputs)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "databricks.yml").write_text(FAULTY, encoding="utf-8")
    return folder


def test_a_finding_is_an_annotation_a_summary_and_the_exit_code(repository: Path) -> None:
    ran = run(repository, select="ENV006")
    assert ran.code == 1
    assert "::error file=databricks.yml,line=4,endLine=7,title=ENV006 service-principal-run-as::" in ran.log
    assert ran.summary.startswith("<!-- lakewarden -->\n## Lakewarden lint: 1 finding, which fails this run")
    assert ran.outputs["exit-code"] == "1"
    assert '"ENV006"' in Path(ran.outputs["sarif"]).read_text(encoding="utf-8")


def test_a_clean_run_ends_with_0(repository: Path) -> None:
    clean = FAULTY.replace("user_name: ann@example.com", "service_principal_name: 0a1b2c3d-0000-0000-0000-000000000000")
    (repository / "databricks.yml").write_text(clean, encoding="utf-8")
    (repository / "other.yml").write_text(FAULTY, encoding="utf-8")
    ran = run(repository, select="ENV006", paths="databricks.yml\n\n")
    assert (ran.code, ran.outputs["exit-code"]) == (0, "0")
    assert "::error" not in ran.log
    assert "no findings" in ran.summary


def test_a_usage_error_is_told_and_ends_with_2(repository: Path) -> None:
    ran = run(repository, profile="strictest")
    assert (ran.code, ran.outputs["exit-code"]) == (2, "2")
    assert "strictest" in ran.log


@pytest.mark.parametrize("name", ["paths", "policy", "profile", "select", "fail_on", "diff"])
def test_no_input_is_a_program(repository: Path, name: str) -> None:
    ran = run(repository, **{name: '"; touch hit; $(touch hit) `touch hit` --output json=hit'})
    assert ran.code != 0
    assert not (repository / "hit").exists()


def test_nothing_is_interpolated_and_everything_is_pinned() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
    text = (CHECKOUT / "action.yml").read_text(encoding="utf-8")
    uses = re.findall(r"uses: (\S+@\S+.*)", text)
    assert uses
    assert all(re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in uses)


def test_every_input_is_described_and_used() -> None:
    text = (CHECKOUT / "action.yml").read_text(encoding="utf-8")
    for name, told in ACTION["inputs"].items():
        assert told["description"]
        assert f"inputs.{name}" in text


@pytest.mark.slow
def test_the_action_installs_itself(tmp_path: Path) -> None:
    subprocess.run(
        ["bash", "-eo", "pipefail", "-c", STEPS["Install"]["run"]],
        env={**os.environ, "PYTHON": sys.executable, "ACTION_PATH": str(CHECKOUT), "RUNNER_TEMP": str(tmp_path)},
        check=True,
    )
    told = subprocess.run(
        [tmp_path / "lakewarden" / "bin" / "lakewarden", "--version"], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip()
