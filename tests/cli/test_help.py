"""What the program says of itself: help, version, rules, explanations, completion, and answers to wrong commands."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from tests.running import Ran, lakewarden, run

import lakewarden as package
from lakewarden.judge.catalogue import load_rules

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = (
    "lint",
    "audit",
    "gate",
    "capture",
    "promotions",
    "collect",
    "doctor",
    "evidence",
    "diff",
    "verify",
    "report",
    "facts",
    "explain",
    "rules",
    "init",
    "baseline",
    "waivers",
)


def test_the_version(tmp_path: Path) -> None:
    assert lakewarden(tmp_path, "--version") == Ran(0, f"lakewarden {package.__version__}\n", "")


def test_help_names_every_command(tmp_path: Path) -> None:
    ran = lakewarden(tmp_path, "--help")
    assert ran.code == 0
    assert all(f"\n  {command} " in ran.out for command in COMMANDS)
    assert "--show-completion" in ran.out
    assert "--install-completion" in ran.out
    assert lakewarden(tmp_path, "-h").out == ran.out


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_eighty_columns(tmp_path: Path, command: str) -> None:
    ran = lakewarden(tmp_path, *command.split(), "--help", COLUMNS="80")
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80


def test_the_exit_codes_are_in_the_help(tmp_path: Path) -> None:
    words = " ".join(lakewarden(tmp_path, "lint", "--help").out.split())
    assert "Exit codes: 0 clean, 1 findings, 2 usage or policy, 3 something could not be seen, 4 nothing to check." in words


def test_without_a_command_there_is_help_and_an_error(tmp_path: Path) -> None:
    ran = lakewarden(tmp_path)
    assert ran.code == 2
    assert "Usage:" in ran.out + ran.err


def test_explain_by_code_and_by_name(tmp_path: Path) -> None:
    by_code, by_name = lakewarden(tmp_path, "explain", "env006"), lakewarden(tmp_path, "explain", "service-principal-run-as")
    assert by_code == by_name
    assert by_code.code == 0
    assert by_code.out.startswith("ENV006 service-principal-run-as\nProduction workloads run as a service principal.\n")
    assert all(f"\n{title}\n" in by_code.out for title in ("Why", "Fix", "Exceptions", "References"))
    # A URL is not broken.
    assert max(len(line) for line in by_code.out.splitlines() if "https://" not in line) <= 80


def test_explain_for_programs(tmp_path: Path) -> None:
    (said,) = lakewarden(tmp_path, "explain", "ENV006", "--output-format", "json").json
    assert (said["code"], said["name"], said["severity"]) == ("ENV006", "service-principal-run-as", "error")


def test_rules_are_all_of_the_catalogue(tmp_path: Path) -> None:
    said = lakewarden(tmp_path, "rules", "--output-format", "json").json
    assert [rule["code"] for rule in said] == list(load_rules())
    text = lakewarden(tmp_path, "rules")
    assert text.code == 0
    assert [line.split()[0] for line in text.out.splitlines() if line and not line.startswith(" ")][: len(said)] == [
        r["code"] for r in said
    ]


#: The command as a shell knows it, whatever was installed.
SHELL = "import sys; sys.argv[0] = 'lakewarden'; from lakewarden.cli.main import main; main()"


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("lakewarden ", set(COMMANDS)),
        ("lakewarden ba", {"baseline"}),
        ("lakewarden lint --output", {"--output-format", "--output"}),
        ("lakewarden lint --profile ", {"core", "recommended", "strict"}),
    ],
)
def test_a_shell_completes(tmp_path: Path, typed: str, wanted: set[str]) -> None:
    words = typed.split(" ")
    ran = run(
        tmp_path,
        sys.executable,
        "-c",
        SHELL,
        _LAKEWARDEN_COMPLETE="complete_bash",
        COMP_WORDS=typed,
        COMP_CWORD=str(len(words) - 1),
    )
    assert set(ran.out.split()) == wanted


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell(tmp_path: Path, shell: str) -> None:
    ran = run(tmp_path, sys.executable, "-c", SHELL, _LAKEWARDEN_COMPLETE=f"source_{shell}")
    assert "_LAKEWARDEN_COMPLETE" in ran.out


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("lnt",), "Did you mean 'lint'?"),
        (("lint", "--sellect", "ENV"), "--select"),
        (("lint", "--profile", "strikt"), "'core', 'recommended', 'strict'"),
        (("lint", "--select", "ENV06"), "no rule is called ENV06; did you mean ENV006?"),
        (("lint", "--ignore", "separate-catalog"), "did you mean separate-catalogs?"),
        (("lint", "--output-format", "jsn"), "there is no format jsn; did you mean json?"),
        (("lint", "--output", "json"), "--output json names no file"),
        (("lint", "--output", "json=a", "--output", "sarif=a"), "two reports go to a"),
        (("lint", "--show", "everything"), "--show everything shows nothing"),
        (("explain", "ENV06"), "no rule is called ENV06; did you mean ENV006?"),
        (("lint", "--policy", "nope.toml"), "nope.toml"),
        (("lint", "--baseline", "nope.json"), "there is no baseline nope.json"),
        (("baseline", "wirte"), "'write', 'check', 'prune'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_command_is_answered_with_the_right_one(tmp_path: Path, arguments: tuple[str, ...], meant: str) -> None:
    ran = lakewarden(tmp_path, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert meant in " ".join(ran.err.split())
    assert "Traceback" not in ran.err
