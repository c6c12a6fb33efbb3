"""The hooks, run by the real pre-commit in real repositories."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.running import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for hook in yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
}
GOOD = "bundle:\n  name: churn\ntargets:\n  dev:\n    mode: development\n    default: true\n"
BAD = GOOD + "  prod:\n    run_as:\n      user_name: ann@example.com\n"


@pytest.mark.parametrize("hook", sorted(HOOKS))
@pytest.mark.parametrize(
    ("name", "triggers"),
    [
        ("databricks.yml", True),
        ("bundles/churn/resources/jobs.yaml", True),
        (".github/workflows/ci.yml", True),
        ("notebooks/train.ipynb", True),
        ("src/train.py", True),
        ("sql/grants.sql", True),
        ("infra/main.tf", True),
        ("infra/prod.tfvars.json", True),
        ("infra/main.tofu", True),
        ("lakewarden.toml", True),
        ("conf/prod.json", True),
        ("scripts/deploy.sh", True),
        ("Makefile", True),
        ("CODEOWNERS", True),
        (".github/CODEOWNERS", True),
        ("README.md", False),
        ("docs/images/flow.png", False),
        ("data/customers.csv", False),
        ("notes.python", False),
        ("Makefile.bak", False),
        ("src/train.pyc", False),
    ],
)
def test_a_change_of_what_is_read_triggers_the_hooks(hook: str, name: str, triggers: bool) -> None:
    assert (re.search(HOOKS[hook]["files"], name) is not None) is triggers


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.com", *words], check=True)


def commit_of_this_tree(folder: Path) -> str:
    """A repository with the files of this checkout as they are, also those that are not committed yet."""
    listed = subprocess.run(
        ["git", "-C", CHECKOUT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True
    )
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        if (CHECKOUT / name).is_file() and name.split("/")[0] not in ("tests", "docs", "benchmarks"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "hooks")
    return subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, check=True, text=True).stdout.strip()


@pytest.mark.slow
def test_the_hooks_in_a_repository(tmp_path: Path) -> None:
    hooks, project = tmp_path / "hooks", tmp_path / "project"
    hooks.mkdir()
    project.mkdir()
    chosen = [{"id": name, "args": ["--select", "ENV006"]} for name in HOOKS]
    config = {"repos": [{"repo": str(hooks), "rev": commit_of_this_tree(hooks), "hooks": chosen}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (project / "databricks.yml").write_text(BAD, encoding="utf-8")
    (project / "clean.py").write_text("print(1)\n", encoding="utf-8")
    git(project, "init", "-q")
    git(project, "add", "-A")

    def run(hook: str, *files: str) -> tuple[int, str]:
        given = ["--files", *files] if files else ["--all-files"]
        ran = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", hook, *given, "--color", "never"],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home"), "LAKEWARDEN_CACHE_DIR": str(tmp_path / "cache")},
        )
        return ran.returncode, ran.stdout + ran.stderr

    code, said = run("lakewarden-lint", "clean.py")
    assert (code, "ENV006" in said, "exit code: 1" in said) == (1, True, True), said
    code, said = run("lakewarden-lint-files", "clean.py")
    assert (code, "Passed" in said) == (0, True), said
    code, said = run("lakewarden-lint-files", "databricks.yml", "clean.py")
    assert (code, "ENV006" in said) == (1, True), said
    code, said = run("lakewarden-lint", "README.md")
    assert (code, "no files to check" in said) == (0, True), said
    (project / "databricks.yml").write_text(GOOD, encoding="utf-8")
    git(project, "add", "-A")
    code, said = run("lakewarden-lint-files")
    assert (code, "Passed" in said) == (0, True), said
