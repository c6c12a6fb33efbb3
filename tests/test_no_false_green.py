"""Nothing that was not seen passes without a word: repositories built so that evidence is missing, hidden or broken.

Each test begins with a project that violates rules, hides what shows it, and asks that the run says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.running import commit, git, write

from lakewarden.cli.session import read
from lakewarden.errors import ExitCode, UsageError
from lakewarden.judge.request import Wishes
from lakewarden.judge.result import Result, Verdict
from lakewarden.rule import Confidence, Severity
from lakewarden.sources.repository.changes import changed_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BUNDLE = """\
bundle:
  name: churn
include:
  - resources/*.yml
variables:
  catalog:
    description: The catalog of the stage.
targets:
  dev:
    mode: development
    default: true
    workspace: {host: https://adb-1.azuredatabricks.net}
    variables: {catalog: dev}
  staging:
    workspace: {host: https://adb-2.azuredatabricks.net}
    variables: {catalog: staging}
  prod:
    mode: production
    git: {branch: main}
    workspace:
      host: https://adb-3.azuredatabricks.net
      root_path: /Workspace/Users/11111111-1111-1111-1111-111111111111/churn
    run_as: {service_principal_name: 11111111-1111-1111-1111-111111111111}
    variables: {catalog: prod}
"""
PERSONAL = """\
resources:
  jobs:
    train:
      run_as: {user_name: ann@acme.com}
      tasks:
        - task_key: train
          notebook_task: {notebook_path: /Users/ann@acme.com/train}
"""
CODE = "# Databricks notebook source\nimport mlflow\nmlflow.set_registry_uri('databricks')\n"


def job(path: str) -> str:
    tasks = f"tasks: [{{task_key: train, notebook_task: {{notebook_path: {path}}}}}]"
    return f"resources: {{jobs: {{train: {{{tasks}}}}}}}\n"


def lint(folder: Path, *paths: str, exclude: tuple[str, ...] = (), **wishes: Any) -> Result:
    """What `lakewarden lint` does, without its process."""
    from lakewarden.judge.run import judge_repository

    repository = read([folder / path for path in paths] or [folder], None, exclude)
    return judge_repository(repository, Wishes(**{"show": frozenset({"unknown"}), **wishes}))


def codes(result: Result, verdict: Verdict) -> set[str]:
    return {finding.rule.code for finding in result.findings if finding.verdict is verdict}


def reasons(result: Result) -> str:
    return "\n".join(outcome.gap.reason for outcome in result.gaps)


@pytest.fixture
def repository(tmp_path: Path) -> Callable[..., Path]:
    """A repository with these files; None leaves one out."""

    def make(files: dict[str, str | bytes | None]) -> Path:
        whole: dict[str, str | bytes | None] = {"databricks.yml": BUNDLE, "resources/jobs.yml": PERSONAL, "src/train.py": CODE}
        write(tmp_path, {path: text for path, text in (whole | files).items() if text is not None})
        commit(tmp_path)
        return tmp_path

    return make


def test_the_project_as_it_stands_fails(repository: Callable[..., Path]) -> None:
    result = lint(repository({}))
    assert codes(result, Verdict.FAIL) == {"DEP009", "DEP010", "ENV006", "GIT007", "REG001", "TRK002"}
    assert result.exit_code == ExitCode.FINDINGS


#: What hides the jobs, and words of the reason; with no reason the jobs are found all the same.
HIDDEN: dict[str, tuple[dict[str, str | None], str]] = {
    "behind a broken file": ({"resources/jobs.yml": PERSONAL + "x: [\n"}, "did not find"),
    "included by no list": (
        {"databricks.yml": BUNDLE.replace("include:\n  - ", "include: ")},
        "`include` has to be a list",
    ),
    "included by no path": ({"databricks.yml": BUNDLE.replace("- resources", "- path: resources")}, "has to be a path"),
    "outside the root": ({"databricks.yml": BUNDLE.replace("resources", "../resources")}, "leaves the repository"),
    "in a folder of others": (
        {"databricks.yml": BUNDLE.replace("resources", "vendor"), "resources/jobs.yml": None, "vendor/jobs.yml": PERSONAL},
        "",
    ),
    "in a folder of builds": (
        {"databricks.yml": BUNDLE.replace("resources", "dist"), "resources/jobs.yml": None, "dist/jobs.yml": PERSONAL},
        "",
    ),
    "as a list": ({"resources/jobs.yml": "resources: {jobs: [train]}\n"}, "a map is expected here, and this is a list"),
    "as a word": ({"resources/jobs.yml": "resources: {jobs: {train: here}}\n"}, "a map is expected here"),
    "under tasks that are no list": (
        {"resources/jobs.yml": PERSONAL.replace("- task_key: train\n          ", "train:\n          ")},
        "a list is expected here, and this is a map",
    ),
    "by a variable": ({"resources/jobs.yml": "resources: {jobs: '${var.jobs}'}\n"}, "variable jobs is not declared"),
    "in Python": (
        {
            "databricks.yml": f"{BUNDLE}experimental: {{python: {{resources: ['resources:load']}}}}\n",
            "resources/jobs.yml": None,
            "resources/__init__.py": "",
        },
        "resources are declared in Python",
    ),
    "as a template": ({"resources/jobs.yml": None, "resources/jobs.yml.tmpl": PERSONAL}, "a template that was not rendered"),
}


@pytest.mark.parametrize("how", HIDDEN)
def test_jobs_that_are_hidden(repository: Callable[..., Path], how: str) -> None:
    files, reason = HIDDEN[how]
    result = lint(repository({"src/train.py": "", **files}))
    if reason:
        assert "GIT007" in codes(result, Verdict.UNKNOWN)
        assert reason in reasons(result)
    else:
        assert {"ENV006", "GIT007"} <= codes(result, Verdict.FAIL)


@pytest.mark.parametrize("glob", ["resources", "resources/*.yml", "jobs.yml"])
def test_jobs_that_the_policy_excludes(repository: Callable[..., Path], glob: str) -> None:
    result = lint(repository({}), exclude=(glob,))
    assert {"ENV006", "GIT007"} <= codes(result, Verdict.UNKNOWN)
    assert "resources/jobs.yml is excluded by the policy" in reasons(result)


def test_jobs_that_are_not_checked_out(repository: Callable[..., Path]) -> None:
    folder = repository({})
    git(folder, "sparse-checkout", "set", "--no-cone", "/*", "!/resources")
    result = lint(folder)
    assert {"ENV006", "GIT007"} <= codes(result, Verdict.UNKNOWN)
    assert "resources/jobs.yml is not checked out" in reasons(result)


def test_jobs_behind_links(repository: Callable[..., Path]) -> None:
    folder = repository({"resources/jobs.yml": None, "common/jobs.yml": PERSONAL})
    (folder / "resources").symlink_to("common")
    assert {"ENV006", "GIT007"} <= codes(lint(folder), Verdict.FAIL)
    (folder / "resources").unlink()
    (folder / "resources").mkdir()
    (folder / "resources/jobs.yml").symlink_to("/nowhere/jobs.yml")
    result = lint(folder)
    assert "ENV006" in codes(result, Verdict.UNKNOWN)
    assert "is a link that leads nowhere" in result.incomplete[0]


#: What hides the targets, and words of the reason.
LOST = {
    "targets: [dev, prod]": "`targets` has to be a mapping",
    "targets: prod": "`targets` has to be a mapping",
    "targets: {prod: production}": "target prod has to be a mapping",
}


@pytest.mark.parametrize("text", LOST)
def test_targets_that_are_no_targets(repository: Callable[..., Path], text: str) -> None:
    result = lint(repository({"databricks.yml": f"bundle: {{name: churn}}\ninclude: [resources/*.yml]\n{text}\n"}))
    assert {"ENV001", "ENV006", "GIT003"} <= codes(result, Verdict.UNKNOWN)
    assert LOST[text] in reasons(result)
    assert result.incomplete


def test_a_root_file_that_names_no_bundle_and_no_target(repository: Callable[..., Path]) -> None:
    result = lint(repository({"databricks.yml": PERSONAL, "resources/jobs.yml": None}))
    assert "ENV006" in codes(result, Verdict.UNKNOWN)
    assert result.incomplete == ("databricks.yml: it declares neither `bundle` nor `targets`",)


@pytest.mark.parametrize("text", ["targets:\n  prod: [\n", '{"bundle": {"name": "churn"\n', b"\xff\xfe"])
def test_a_root_file_of_the_old_name_that_cannot_be_read(repository: Callable[..., Path], text: str | bytes) -> None:
    result = lint(repository({"databricks.yml": None, "bundle.yml": text}))
    assert "ENV006" in codes(result, Verdict.UNKNOWN)
    assert result.incomplete


#: What hides the code of a task, with words of the reason.
UNREAD: dict[str, tuple[dict[str, str | None], tuple[str, ...], str]] = {
    "in a folder of others": (
        {"resources/jobs.yml": job("../vendor/train.py"), "vendor/train.py": CODE, "src/train.py": None},
        (),
        "vendor/train.py is run by a task and not read: code of others",
    ),
    "in no known language": (
        {"resources/jobs.yml": job("../src/train"), "src/train": CODE, "src/train.py": None},
        (),
        "src/train is run by a task and not read",
    ),
    "excluded with its folder": ({"resources/jobs.yml": job("../src/train.py")}, ("src",), "src/train.py is run by a task"),
    "excluded by itself": ({"resources/jobs.yml": job("../src/train")}, ("src/*.py",), "src/train is not read (excluded)"),
    "not there": (
        {"resources/jobs.yml": job("../src/train.py"), "src/train.py": None},
        (),
        "src/train.py is not in the repository",
    ),
    "not there, below the root": (
        {"resources/jobs.yml": job('"${workspace.file_path}/src/train"'), "src/train.py": None},
        (),
        "src/train is not in the repository",
    ),
}


@pytest.mark.parametrize("how", UNREAD)
def test_code_that_a_task_runs_and_nobody_reads(repository: Callable[..., Path], how: str) -> None:
    files, exclude, reason = UNREAD[how]
    result = lint(repository(files), exclude=exclude)
    assert {"REG001", "TRK001"} <= codes(result, Verdict.UNKNOWN)
    assert reason in reasons(result)


@pytest.mark.parametrize("magic", ["%%snoop", "%%writefile train_model.py"])
def test_a_cell_that_nobody_reads(repository: Callable[..., Path], magic: str) -> None:
    cell = (
        f"# Databricks notebook source\n# MAGIC {magic}\n# MAGIC import mlflow\n# MAGIC mlflow.set_registry_uri('databricks')\n"
    )
    result = lint(repository({"src/train.py": cell, "resources/jobs.yml": job("../src/train.py")}))
    assert "REG001" in codes(result, Verdict.UNKNOWN)
    assert f"a cell of {magic.split(maxsplit=1)[0]} is not read" in reasons(result)


def test_a_rule_that_is_not_asked_checks_nothing(repository: Callable[..., Path]) -> None:
    folder = repository({})
    assert lint(folder, select=("GIT012",)).exit_code == ExitCode.NOTHING_CHECKED
    assert lint(folder, select=("DEP004",)).exit_code == ExitCode.NOTHING_CHECKED


def test_what_the_store_computes_was_checked(repository: Callable[..., Path]) -> None:
    assert lint(repository({}), select=("ENV001",)).exit_code == ExitCode.CLEAN


def test_findings_that_shall_fail_are_not_hidden(repository: Callable[..., Path]) -> None:
    folder = repository({"databricks.yml": BUNDLE.partition("  staging:")[0]})
    assert lint(folder, select=("ENV001",)).hidden == 2
    result = lint(folder, select=("ENV001",), fail_on=Severity.NOTE, fail_confidence=Confidence.ADVISORY)
    assert (result.exit_code, result.hidden) == (ExitCode.FINDINGS, 0)


@pytest.mark.parametrize("policy", ['[per_path_ignores]\n"**" = ["ENV006"]\n', '[rules.ENV006]\nexclude = ["*"]\n'])
def test_what_the_policy_leaves_out_is_counted(repository: Callable[..., Path], policy: str) -> None:
    result = lint(repository({"lakewarden.toml": policy}))
    assert "ENV006" not in codes(result, Verdict.FAIL)
    assert "the policy leaves out 1 findings by per_path_ignores, or by exclude of a rule" in result.notes
    assert lint(repository({"lakewarden.toml": ""})).notes == ()


def test_paths_under_different_policies_are_not_judged_under_one(repository: Callable[..., Path]) -> None:
    folder = repository({"src/lakewarden.toml": 'ignore = ["REG001"]\n', "resources/lakewarden.toml": ""})
    for paths in (("src", "resources"), ("resources", "src"), ("src", "databricks.yml")):
        with pytest.raises(UsageError, match="under different policies"):
            lint(folder, *paths)
    assert "REG001" in codes(lint(folder), Verdict.FAIL)
    assert lint(folder, "src", "src/train.py").exit_code == ExitCode.CLEAN


def test_a_file_of_owners_that_cannot_be_read_ends_nothing(repository: Callable[..., Path]) -> None:
    result = lint(repository({"CODEOWNERS": "* @té\n".encode("latin-1")}))
    assert {finding.owner for finding in result.findings} == {"unowned"}
    assert [(skip.path, skip.kind) for skip in result.skipped] == [("CODEOWNERS", "unreadable")]


def test_a_comment_holds_where_only_the_other_place_was_asked_about(repository: Callable[..., Path]) -> None:
    shared = BUNDLE.replace("catalog: prod}", "catalog: dev}")
    waived = shared.replace(
        "    variables: {catalog: dev}\n  staging",
        '    # lakewarden: ignore[ENV002] reason="x"\n    variables: {catalog: dev}\n  staging',
    )
    assert waived != shared
    folder = repository({"databricks.yml": waived, "resources/jobs.yml": None})
    whole = lint(folder)
    assert len([f for f in whole.findings if f.verdict is Verdict.WAIVED]) == 1
    assert len([f for f in lint(folder, "databricks.yml").findings if f.verdict is Verdict.WAIVED]) == 1
    assert lint(folder, "src").findings == tuple(f for f in whole.findings if f.origin is None or f.origin.path == "src/train.py")


def test_catalogs_that_only_the_deployment_knows(repository: Callable[..., Path]) -> None:
    parameters = "base_parameters: {catalog: '${bundle.git.branch}_ml'}"
    text = job("../src/train.py").replace("train.py}", f"train.py, {parameters}}}")
    result = lint(repository({"resources/jobs.yml": text}))
    assert "ENV002" in codes(result, Verdict.UNKNOWN)
    assert "known when the bundle is deployed" in reasons(result)


def test_what_an_unknown_mode_decides_is_unknown(repository: Callable[..., Path]) -> None:
    text = BUNDLE.replace("mode: production", "mode: ${var.mode}").replace("variables:\n", "variables:\n  mode: {}\n", 1)
    pipeline = "resources: {pipelines: {p: {name: p, libraries: [{notebook: {path: ../src/train.py}}]}}}\n"
    result = lint(repository({"databricks.yml": text, "resources/jobs.yml": pipeline}))
    assert {f.kind for f in result.findings if f.verdict is Verdict.UNKNOWN and f.rule.code == "ENV004"} == {"jobs", "targets"}


def test_a_role_that_a_job_in_python_may_give(repository: Callable[..., Path]) -> None:
    text = f"{BUNDLE}experimental: {{python: {{resources: ['resources:load']}}}}\n"
    source = "import mlflow\nclient = mlflow.MlflowClient()\nclient.set_registered_model_alias('a.b.c', 'champion', 1)\n"
    files = {"src/steps.py": source, "resources/jobs.yml": None}
    seen = lint(repository(files), select=("REG007",))
    assert "REG007" in codes(seen, Verdict.FAIL)
    hidden = lint(repository({**files, "databricks.yml": text}), select=("REG007",))
    assert "REG007" in codes(hidden, Verdict.UNKNOWN)
    assert "REG007" not in codes(hidden, Verdict.FAIL)


def test_what_is_new_by_an_include_is_said_to_be_left_out(repository: Callable[..., Path]) -> None:
    folder = repository({"databricks.yml": BUNDLE.replace("include:\n  - resources/*.yml\n", "")})
    write(folder, {"databricks.yml": BUNDLE})
    result = lint(folder, changed=changed_lines(str(folder), "HEAD"))
    assert codes(result, Verdict.FAIL) == set()
    assert result.notes == ("7 findings on lines that did not change are not shown",)


@pytest.mark.parametrize("command", [("rm",), ("mv", "resources/other.yml")])
def test_a_file_that_a_change_takes_away_is_missed(repository: Callable[..., Path], command: tuple[str, ...]) -> None:
    folder = repository({"databricks.yml": BUNDLE.replace("resources/*.yml", "resources/jobs.yml")})
    git(folder, command[0], "resources/jobs.yml", *command[1:])
    result = lint(folder, changed=changed_lines(str(folder), "HEAD"))
    assert result.incomplete == ("resources/jobs.yml is not there, and databricks.yml:4 includes it",)
    commit(folder)
    assert lint(folder, changed=changed_lines(str(folder), "HEAD")).incomplete == ()


def test_many_gaps_are_explained_in_time(repository: Callable[..., Path]) -> None:
    import time

    source = "import mlflow\nfrom elsewhere import name\n" + "mlflow.register_model(name(), name())\n" * 3
    folder = repository({f"lib/m{number}.py": source for number in range(600)})
    begin = time.process_time()
    result = lint(folder)
    assert result.count(Verdict.UNKNOWN) >= 1800
    assert time.process_time() - begin < 10
