from __future__ import annotations

import pytest

from lakewarden.sources.repository.ci.shell.other import run_other
from lakewarden.sources.repository.ci.shell.run import Settings
from lakewarden.sources.repository.ci.shell.values import Variables
from lakewarden.sources.repository.ci.workflow import HOLE

SETTINGS = Settings(stops=None, pipefail=False)


def read(text: str, language: str = "pwsh", **environ: str) -> list[tuple[tuple[str, ...], str | None, bool | None, int]]:
    found = run_other(text, "", Variables(environ, declared=True), SETTINGS, language=language)
    return [(command.words, command.folder, command.ignored, len(command.guards)) for command in found]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("databricks bundle deploy -t prod", ("databricks", "bundle", "deploy", "-t", "prod")),
        ("databricks bundle deploy `\n  --target $env:TARGET", ("databricks", "bundle", "deploy", "--target", "stg")),
        ('& databricks bundle deploy -t "$($env:OTHER)"', ("databricks", "bundle", "deploy", "-t", HOLE)),
        ("$t = 'prod'\ndatabricks bundle deploy -t $t", ("databricks", "bundle", "deploy", "-t", "prod")),
        ('Write-Host "databricks bundle deploy"', ("Write-Host", "databricks bundle deploy")),
    ],
)
def test_words_of_powershell(text: str, words: tuple[str, ...]) -> None:
    assert words in [found[0] for found in read(text, TARGET="stg")]


def test_words_of_batch_files() -> None:
    found = read("@echo off\nREM databricks bundle deploy\nset T=prod\ncall databricks bundle deploy -t %T%\n", "cmd")
    assert [words for words, *_ in found] == [("echo", "off"), ("databricks", "bundle", "deploy", "-t", "prod")]


def test_folders_conditions_and_failures() -> None:
    text = "cd ml\npytest\nif ($x) {\n  databricks bundle deploy\n}\nSet-Location ..\nGet-Date"
    assert read(text) == [
        (("pytest",), "ml", None, 0),
        (("databricks", "bundle", "deploy"), "ml", None, 1),
        (("Get-Date",), "", False, 0),
    ]


@pytest.mark.parametrize("text", ["'", '"', "{" * 300, "}" * 300, "`", "$(", "<#", "a" * 100_000, "\"'\"'" * 1000])
def test_broken_scripts_do_not_break_the_reader(text: str) -> None:
    read(text)
    read(text, "cmd")
