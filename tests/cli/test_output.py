"""Reports to files beside the one on standard output, and what a terminal or a pipe changes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.running import environment, lakewarden

if TYPE_CHECKING:
    from pathlib import Path


def test_one_run_writes_several_reports(violating: Path, tmp_path: Path) -> None:
    names = ("concise", "json", "sarif", "github")
    ran = lakewarden(violating, "lint", *(f"--output={name}={tmp_path / name}" for name in names))
    assert ran.code == 1
    assert "error ENV006 service-principal-run-as" in ran.out
    written = {name: (tmp_path / name).read_text() for name in names}
    findings = json.loads(written["json"])["findings"]
    (sarif,) = json.loads(written["sarif"])["runs"]
    assert len(findings) == len(sarif["results"]) == len(written["concise"].splitlines()) - 1
    assert {f["fingerprint"] for f in findings} == {next(iter(r["partialFingerprints"].values())) for r in sarif["results"]}
    assert sum(line.startswith("::") for line in written["github"].splitlines()) == len(findings)
    assert written["concise"] == lakewarden(violating, "lint", "--output-format", "concise").out


def test_a_report_that_cannot_be_written(violating: Path, tmp_path: Path) -> None:
    ran = lakewarden(violating, "lint", "--output", f"json={tmp_path}/no/such/folder.json")
    assert ran.code == 2
    assert ran.err.startswith("lakewarden: cannot write ")


def test_colour_is_for_terminals(violating: Path) -> None:
    plain = lakewarden(violating, "lint", "--select", "ENV006")
    assert "\x1b" not in plain.out
    assert "\x1b" in lakewarden(violating, "lint", "--select", "ENV006", "--color", "always").out
    assert "\x1b" in lakewarden(violating, "lint", "--select", "ENV006", FORCE_COLOR="1").out
    assert lakewarden(violating, "lint", "--select", "ENV006", NO_COLOR="1").out == plain.out


def test_a_narrow_encoding_ends_no_report(violating: Path) -> None:
    ran = lakewarden(violating, "lint", "--output-format", "concise", PYTHONIOENCODING="ascii")
    assert (ran.code, ran.err) == (1, "")
    assert "models:/\\u2026@champion" in ran.out


def test_a_reader_that_goes_away_is_no_error(violating: Path) -> None:
    command = [sys.executable, "-m", "lakewarden", "lint", "--output-format", "json"]
    with subprocess.Popen(command, cwd=violating, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        assert program.stderr.read() == b""


def test_the_same_run_twice_says_the_same(violating: Path) -> None:
    for name in ("json", "sarif"):
        assert lakewarden(violating, "lint", "--output-format", name) == lakewarden(violating, "lint", "--output-format", name)
