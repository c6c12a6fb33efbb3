"""Exit codes: the same in every output format, and `--exit-zero` the only way round them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import example
from tests.running import commit, git, lakewarden, write

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("text", "concise", "json", "sarif", "github")

CLEAN, FINDINGS, USAGE, INCOMPLETE, NOTHING = range(5)


@pytest.fixture(scope="module")
def repositories(
    compliant: Path, violating: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[int, tuple[Path, tuple[str, ...]]]:
    """For each exit code a repository and arguments that lead to it."""
    incomplete = example("compliant", tmp_path_factory.mktemp("incomplete") / "repository")
    write(incomplete, {"resources/broken.yml": "resources: [\n"})
    empty = tmp_path_factory.mktemp("empty")
    write(empty, {"README.md": "# Nothing here\n"})
    commit(empty)
    return {
        CLEAN: (compliant, ()),
        FINDINGS: (violating, ()),
        USAGE: (violating, ("--select", "NOPE")),
        INCOMPLETE: (incomplete, ()),
        NOTHING: (empty, ()),
    }


@pytest.mark.slow
@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("code", range(5))
def test_the_exit_code_does_not_depend_on_the_format(
    repositories: dict[int, tuple[Path, tuple[str, ...]]], code: int, output_format: str
) -> None:
    folder, arguments = repositories[code]
    ran = lakewarden(folder, "lint", *arguments, "--output-format", output_format)
    assert ran.code == code
    assert bool(ran.out) is (code != USAGE)
    assert bool(ran.err) is (code == USAGE)
    assert "Traceback" not in ran.err
    if output_format == "json" and code != USAGE:
        assert ran.json["summary"]["exit_code"] == code
        assert ran.json["summary"]["incomplete"] is (code == INCOMPLETE)


@pytest.mark.slow
@pytest.mark.parametrize("code", [FINDINGS, INCOMPLETE, NOTHING])
def test_exit_zero_covers_whatever_was_found(repositories: dict[int, tuple[Path, tuple[str, ...]]], code: int) -> None:
    folder, arguments = repositories[code]
    ran = lakewarden(folder, "lint", *arguments, "--exit-zero", "--output-format", "json")
    assert (ran.code, ran.json["summary"]["exit_code"]) == (0, code)


def test_exit_zero_covers_no_wrong_command_line(violating: Path) -> None:
    assert lakewarden(violating, "lint", "--exit-zero", "--select", "NOPE").code == USAGE


@pytest.mark.slow
def test_allow_empty_covers_nothing_but_emptiness(repositories: dict[int, tuple[Path, tuple[str, ...]]]) -> None:
    assert lakewarden(repositories[NOTHING][0], "lint", "--allow-empty").code == CLEAN
    assert lakewarden(repositories[FINDINGS][0], "lint", "--allow-empty").code == FINDINGS
    incomplete, arguments = repositories[INCOMPLETE]
    assert lakewarden(incomplete, "lint", *arguments, "--allow-empty").code == INCOMPLETE


def test_a_folder_with_nothing_to_check_in_a_repository_that_has_much(tmp_path: Path) -> None:
    repository = example("compliant", tmp_path / "repository")
    write(repository, {"docs/index.md": "# Docs\n"})
    ran = lakewarden(repository, "lint", "docs", "--output-format", "json")
    assert ran.code == NOTHING
    assert ran.json["summary"]["pass"] == 0


def test_what_fails_is_for_the_user_to_say(tmp_path: Path) -> None:
    write(tmp_path, {"infer.py": 'import mlflow\nmodel = mlflow.pyfunc.load_model("models:/main.churn.churn/3")\n'})
    arguments = ("lint", "--select", "REG003", "--output-format", "json")
    (finding,) = lakewarden(tmp_path, *arguments).json["findings"]
    assert (finding["severity"], finding["confidence"]) == ("warning", "medium")
    assert lakewarden(tmp_path, *arguments).code == CLEAN
    assert lakewarden(tmp_path, *arguments, "--fail-on", "warning").code == CLEAN
    assert lakewarden(tmp_path, *arguments, "--fail-on", "warning", "--fail-confidence", "medium").code == FINDINGS


def test_a_folder_outside_git_is_judged_as_well(tmp_path: Path) -> None:
    write(
        tmp_path, {"train.py": 'import mlflow\nmlflow.MlflowClient().transition_model_version_stage("churn", 1, "Production")\n'}
    )
    before = lakewarden(tmp_path, "lint", "--output-format", "json")
    git(tmp_path, "init", "--quiet")
    after = lakewarden(tmp_path, "lint", "--output-format", "json")
    assert before.code == after.code == FINDINGS
    assert [f["code"] for f in before.json["findings"]] == [f["code"] for f in after.json["findings"]]
