"""`lint --fix` as people and programs run it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.reports.test_sarif import VALIDATOR
from tests.running import commit, environment, git, inside, lakewarden, run, write

if TYPE_CHECKING:
    from pathlib import Path

BUNDLE = """\
bundle:
  name: churn
targets:
  dev:
    mode: development
    default: true
  prod:
    workspace:
      host: https://prod.cloud.databricks.com
    run_as:
      service_principal_name: 11111111-2222-3333-4444-555555555555
"""
FIXED = BUNDLE.replace("  prod:\n", "  prod:\n    mode: production\n    git:\n      branch: main\n")
PATCH = """\
--- a/databricks.yml
+++ b/databricks.yml
@@ -5,6 +5,9 @@
     mode: development
     default: true
   prod:
+    mode: production
+    git:
+      branch: main
     workspace:
       host: https://prod.cloud.databricks.com
     run_as:
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    write(folder, {"databricks.yml": BUNDLE})
    commit(folder)
    return folder


def now(folder: Path) -> str:
    return (folder / "databricks.yml").read_bytes().decode()


def test_a_dry_run_prints_a_patch_that_git_takes_and_writes_nothing(folder: Path) -> None:
    ran = lakewarden(folder, "lint", "--fix", "--dry-run")
    assert (ran.code, ran.out, now(folder)) == (1, PATCH, BUNDLE)
    assert ran.err.splitlines()[-1] == "2 fixes in 1 file would be made; nothing was written"
    (folder.parent / "patch").write_text(ran.out)
    git(folder, "apply", "../patch")
    assert now(folder) == FIXED


def test_without_a_terminal_the_diff_is_printed_and_written_and_the_report_is_of_what_is_left(folder: Path) -> None:
    ran = inside(folder, "lint", "--fix")
    assert ran.out.startswith(PATCH)
    assert (ran.code, now(folder)) == (0, FIXED)
    assert "ENV004" not in ran.out
    assert ran.err.splitlines()[-1] == "made 2 fixes in 1 file"
    assert inside(folder, "lint").code == 0


def test_a_report_for_programs_stays_one(folder: Path) -> None:
    ran = inside(folder, "lint", "--fix", "--output-format", "json")
    assert (ran.code, now(folder)) == (0, FIXED)
    assert {"ENV004", "GIT003"}.isdisjoint(finding["code"] for finding in ran.json["findings"])
    assert PATCH in ran.err


def test_the_exit_code_is_that_of_what_is_left(folder: Path) -> None:
    write(folder, {"databricks.yml": BUNDLE.replace("service_principal_name: 1111", "user_name: 1111")})
    commit(folder)
    ran = inside(folder, "lint", "--fix")
    assert (ran.code, "ENV006" in ran.out, "ENV004" in ran.out) == (1, True, False)


@pytest.mark.parametrize(("answer", "wanted", "code"), [("y\n", FIXED, 0), ("n\n", BUNDLE, 1), ("\n", BUNDLE, 1)])
def test_a_person_is_shown_the_diff_and_asked(folder: Path, answer: str, wanted: str, code: int) -> None:
    told, done = at_terminal(folder, answer, "lint", "--fix")
    assert "+    mode: production" in told
    assert "Write 2 fixes in 1 file? [y/N]" in told
    assert (now(folder), done) == (wanted, code)


def test_a_person_who_leaves_has_changed_nothing(folder: Path) -> None:
    told, code = at_terminal(folder, "\x04", "lint", "--fix")
    assert "Traceback" not in told
    assert (now(folder), code) == (BUNDLE, 130)


def test_a_person_who_says_yes_beforehand_is_not_asked(folder: Path) -> None:
    told, code = at_terminal(folder, "", "lint", "--fix", "--yes")
    assert "+    mode: production" in told
    assert "[y/N]" not in told
    assert (now(folder), code) == (FIXED, 0)


def at_terminal(folder: Path, answer: str, *arguments: str) -> tuple[str, int]:
    """What a person at a terminal sees who types this answer, and how the command ends."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "lakewarden", *arguments],
        cwd=folder, env=environment(TERM="dumb"), stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, answer.encode())
    told = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        told += part
    os.close(ours)
    return told.decode().replace("\r\n", "\n"), done.wait(60)


def test_terminals_and_logs_get_nothing_that_steers_them(folder: Path) -> None:
    hostile = BUNDLE.replace("  prod:\n", "  prod: # \u202e ::error::x ##vso[task.x]\n")
    write(folder, {"databricks.yml": hostile})
    ran = inside(folder, "lint", "--fix")
    assert "\\u202e" in ran.out
    assert "\u202e" not in ran.out
    assert "##vso[" not in ran.out
    assert "\u202e" in now(folder)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--dry-run",), "--dry-run goes with --fix"),
        (("--yes",), "--yes goes with --fix"),
        (("--fix", "--bundle-json", "prod=x.json"), "--fix and --bundle-json do not go together"),
    ],
)
def test_options_that_do_not_go_together(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = inside(folder, "lint", *arguments)
    assert (ran.code, now(folder)) == (2, BUNDLE)
    assert said in ran.err


@pytest.mark.parametrize(
    ("files", "arguments"),
    [
        ({"databricks.yml": BUNDLE.replace("prod:", 'prod: # lakewarden: ignore[ENV004,GIT003] reason="later"')}, ()),
        (
            {
                "lakewarden.toml": "".join(
                    f'[[waivers]]\nrule = "{rule}"\nsubject = "churn/prod"\nreason = "later"\nowner = "ann"\nexpires = 2199-01-01\n'
                    for rule in ("ENV004", "GIT003")
                ),
            },
            (),
        ),
        ({}, ("--select", "DAT")),
        ({}, ("--ignore", "ENV004,GIT003")),
        ({}, ("--diff", "HEAD")),
        ({"other/databricks.yml": "bundle: {name: other}\n"}, ("--bundle", "other")),
        ({"other/x.py": "x = 1\n"}, ("other",)),
    ],
    ids=["comment", "waiver", "select", "ignore", "diff", "bundle", "path"],
)
def test_what_is_not_told_is_not_fixed(folder: Path, files: dict[str, str], arguments: tuple[str, ...]) -> None:
    write(folder, files)
    commit(folder)
    before = now(folder)
    ran = inside(folder, "lint", "--fix", *arguments)
    assert (ran.code in (0, 1, 3, 4), now(folder), "+    mode" in ran.out) == (True, before, False), ran.err


def test_what_is_in_the_baseline_is_not_fixed(folder: Path) -> None:
    assert inside(folder, "baseline", "write").code == 0
    inside(folder, "lint", "--fix", "--baseline", ".lakewarden-baseline.json")
    assert now(folder) == BUNDLE


def test_only_lines_that_changed_are_fixed(folder: Path) -> None:
    git(folder, "tag", "before")
    write(folder, {"more/databricks.yml": BUNDLE.replace("churn", "more")})
    commit(folder)
    inside(folder, "lint", "--fix", "--diff", "before")
    assert (now(folder), (folder / "more/databricks.yml").read_text()) == (BUNDLE, FIXED.replace("churn", "more"))


def test_what_cannot_be_told_is_not_fixed(folder: Path) -> None:
    unknown = BUNDLE.replace("  prod:\n", "  prod:\n    mode: ${var.mode}\n")
    write(folder, {"databricks.yml": unknown})
    ran = inside(folder, "lint", "--fix", "--select", "ENV004", "--show", "unknown")
    assert (now(folder), ran.err) == (unknown, "no safe fix to make\n")


def test_a_file_that_cannot_be_written_is_left_and_said(folder: Path) -> None:
    (folder / "databricks.yml").chmod(0o444)
    ran = inside(folder, "lint", "--fix")
    assert (ran.code, now(folder)) == (1, BUNDLE)
    assert "left: databricks.yml:7:3: ENV004 the file is read-only" in ran.err


@pytest.mark.parametrize(
    "text",
    [BUNDLE.replace("\n", "\r\n"), "\ufeff" + BUNDLE, BUNDLE.rstrip("\n"), BUNDLE.replace("    ", "          ")],
    ids=["CRLF", "BOM", "no end of line", "wide"],
)
def test_layouts(folder: Path, text: str) -> None:
    write(folder, {"databricks.yml": text})
    commit(folder)
    assert inside(folder, "lint", "--fix").code == 0
    newline = "\r\n" if "\r\n" in text else "\n"
    assert now(folder).startswith("\ufeff") == text.startswith("\ufeff")
    assert now(folder).endswith(newline) == text.endswith(newline)
    lines = now(folder).split(newline)
    added = [line.strip() for line in lines if line not in text.split(newline)]
    assert added == ["mode: production", "git:", "branch: main"]
    assert [line for line in lines if line in text.split(newline)] == text.split(newline)


def test_the_report_tells_what_is_fixable(folder: Path) -> None:
    assert "fixable    2 of kinds that --fix mends; --fix --dry-run shows how" in inside(folder, "lint").out
    assert "(lint --fix mends it)" in inside(folder, "explain", "GIT003").out


def test_lint_alone_imports_no_fixes(folder: Path) -> None:
    program = (
        "import sys\nfrom lakewarden.cli.main import main\nsys.argv = ['lakewarden', 'lint']\n"
        "try:\n    main()\nfinally:\n    print([n for n in sys.modules if n.startswith(('lakewarden.fixes', 'lakewarden.cli.fix'))])\n"
    )
    assert run(folder, sys.executable, "-c", program).out.splitlines()[-1] == "[]"


def test_programs_are_told_the_edits_of_a_dry_run(folder: Path) -> None:
    reports = ("json", "sarif")
    files = [f"--output={name}={folder.parent / name}" for name in reports]
    assert lakewarden(folder, "lint", "--fix", "--dry-run", *files).out == PATCH
    told, sarif = (json.loads((folder.parent / name).read_text()) for name in reports)
    fixes = {f["code"]: f["fix"] for f in told["findings"] if f["fix"]}
    place = {"line": 8, "column": 1, "end_line": 8, "end_column": 1}
    assert fixes["ENV004"] == {
        "what": "write `mode: production` in target prod",
        "note": "`databricks bundle validate` may now ask for workspace.root_path",
        "path": "databricks.yml",
        "replacements": [{**place, "text": "    mode: production\n"}],
    }
    assert fixes["GIT003"]["replacements"] == [{**place, "text": "    git:\n      branch: main\n"}]
    results = {r["ruleId"]: r["fixes"] for r in sarif["runs"][0]["results"] if "fixes" in r}
    (change,) = results["GIT003"][0]["artifactChanges"]
    assert change["artifactLocation"]["uri"] == "databricks.yml"
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 8, "startColumn": 1, "endLine": 8, "endColumn": 1},
            "insertedContent": {"text": "    git:\n      branch: main\n"},
        }
    ]
    VALIDATOR.validate(sarif)
    assert not any(told["fix"] for told in inside(folder, "lint", "--output-format", "json").json["findings"])
