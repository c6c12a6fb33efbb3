"""Which heavy packages a command imports: start-up is kept short by what is not there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from tests.running import run, write

if TYPE_CHECKING:
    from pathlib import Path

LIVE = frozenset({"databricks", "mlflow", "pandas", "git"})
SIGN = frozenset({"securesystemslib", "sigstore", "model_signing", "cryptography"})
HEAVY = LIVE | SIGN | {"tree_sitter", "tree_sitter_hcl", "duckdb", "sqlglot", "pydantic", "pydantic_core", "rich", "jsonschema"}

#: Runs the command line and writes the root of every module that anything tried to import, installed or not.
PROGRAM = """
import importlib.abc, sys

tried = set()

class Recorder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        tried.add(name.partition(".")[0])

sys.meta_path.insert(0, Recorder())
record = sys.argv.pop(1)
sys.argv[0] = "lakewarden"
from lakewarden.cli.main import main
try:
    main()
finally:
    with open(record, "w") as file:
        file.write("\\n".join(tried))
"""

BUNDLE = """\
bundle:
  name: churn
targets:
  prod:
    mode: production
    workspace:
      host: https://adb-1.azuredatabricks.net
resources:
  jobs:
    train:
      name: train
      tasks:
        - task_key: train
          notebook_task:
            notebook_path: train.py
"""
NOTEBOOK = """\
# Databricks notebook source
import mlflow

with mlflow.start_run():
    mlflow.log_metric("auc", 0.9)
"""


def imported(folder: Path, *arguments: str) -> frozenset[str]:
    record = folder.parent / "imported"
    done = run(folder, sys.executable, "-c", PROGRAM, record, *arguments)
    assert done.code in range(5), done.err
    return frozenset(record.read_text().split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    write(folder, {"databricks.yml": BUNDLE, "train.py": NOTEBOOK})
    return folder


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("lint", "--help"), ("explain", "ENV006"), ("rules",), ("rules", "--output-format", "json")],
    ids=" ".join,
)
def test_what_reads_no_repository_imports_nothing_heavy(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert not imported(folder, *arguments) & HEAVY


def test_lint_of_a_small_repository_imports_nothing_heavy(folder: Path) -> None:
    assert not imported(folder, "lint") & HEAVY


def test_no_format_imports_more(folder: Path) -> None:
    files = [f"--output={name}={folder.parent / name}" for name in ("concise", "json", "sarif", "github")]
    assert imported(folder, "lint", *files) & HEAVY == set()


def test_facts_imports_nothing_heavy(folder: Path) -> None:
    assert not imported(folder, "facts") & HEAVY


def test_sql_is_read_without_a_parser_of_all_dialects(folder: Path) -> None:
    write(folder, {"features.sql": "CREATE TABLE main.churn.features (id BIGINT);\n"})
    assert imported(folder, "lint") & HEAVY == set()


def test_terraform_brings_its_parser_where_it_speaks_of_databricks(folder: Path) -> None:
    write(folder, {"main.tf": 'resource "aws_s3_bucket" "b" {}\n'})
    assert imported(folder, "lint") & HEAVY == set()
    write(folder, {"main.tf": 'resource "databricks_job" "j" {}\n'})
    assert imported(folder, "lint") & HEAVY == {"tree_sitter", "tree_sitter_hcl"}


def test_a_policy_is_validated_by_the_core_of_pydantic_alone(folder: Path) -> None:
    write(folder, {"lakewarden.toml": 'profile = "core"\n'})
    assert imported(folder, "lint") & HEAVY == {"pydantic_core"}


def test_colour_is_what_needs_rich(folder: Path) -> None:
    assert imported(folder, "lint", "--color", "always") & HEAVY == {"rich"}
