"""What the project says of itself: the hook, the rules of layout, the fact model that nothing may be idle in."""

from __future__ import annotations

import ast
import re
import string
from typing import TYPE_CHECKING

import pytest
import sqlglot
import yaml
from sqlglot import exp
from tests.running import CHECKOUT

import lakewarden.facts.model  # noqa: F401  (defines the tables)
from lakewarden.facts.fact import TABLES
from lakewarden.judge.catalogue import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lakewarden.rule import Query

RULES = sorted((CHECKOUT / "rules").rglob("*.py"))
MODULES = sorted((CHECKOUT / "src").rglob("*.py"))


@pytest.mark.parametrize(
    ("path", "triggers"),
    [
        ("databricks.yml", True),
        ("bundles/churn/resources/jobs.yaml", True),
        (".github/workflows/deploy.yml", True),
        ("notebooks/train.py", True),
        ("notebooks/train.ipynb", True),
        ("sql/features.sql", True),
        ("infra/main.tf", True),
        ("infra/main.tf.json", True),
        ("infra/prod.tfvars", True),
        ("lakewarden.toml", True),
        ("bundles/churn/lakewarden.toml", True),
        ("pyproject.toml", True),
        ("Cargo.toml", True),
        ("not-lakewarden.toml", True),
        ("README.md", False),
        ("data.csv", False),
        ("train.pyc", False),
        ("yml", False),
        ("train.py.bak", False),
    ],
)
def test_the_hook_runs_for_files_that_lint_reads(path: str, triggers: bool) -> None:
    whole, files = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())
    # pre-commit searches; it does not match from the start. Configuration that code reads may be any TOML.
    assert bool(re.search(whole["files"], path)) is bool(re.search(files["files"], path)) is triggers
    assert (whole["pass_filenames"], files.get("pass_filenames", True)) == (False, True)


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_a_rule_knows_no_part_of_the_program_but_what_a_rule_is(file: Path) -> None:
    tree = ast.parse(file.read_text())
    imports = {
        node.module if isinstance(node, ast.ImportFrom) else name.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in node.names
    }
    assert imports == {"lakewarden.rule"}
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda))]


def broad_excepts(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException")) for kind in caught):
                yield node.lineno


def test_everything_is_caught_in_one_place() -> None:
    found = {str(file.relative_to(CHECKOUT / "src")): list(broad_excepts(ast.parse(file.read_text()))) for file in MODULES}
    assert [path for path, lines in found.items() if lines] == ["lakewarden/cli/main.py"]
    assert len(found["lakewarden/cli/main.py"]) == 1


#: What every table has, and what stands for the place of a row: the store fills it or reads it for all tables alike.
OF_EVERY_ROW = frozenset({"key", "plane", "project", "environment", "stage", "origin", "gap"})

#: Columns that `facts` promises to scripts.
PROMISED = {
    ("targets", name)
    for name in ("path", "name", "mode", "is_default", "host", "profile", "root_path", "run_as_kind", "run_as", "git_branch")
} | {("repositories", name) for name in ("branch", "remote", "shallow")}


def columns_read(query: Query) -> Iterator[tuple[str, str]]:
    """Table and column for everything that a query and its messages name."""
    for column in sqlglot.parse_one(query.query, dialect="duckdb").find_all(exp.Column):
        at: exp.Expr | None = column
        while at is not None:
            sources = (
                [at.args.get("from_") or at.args.get("from"), *(at.args.get("joins") or ())] if isinstance(at, exp.Select) else []
            )
            table = next((s.this.name for s in sources if s is not None and s.this.alias_or_name == column.table), None)
            if table is not None:
                yield table, column.name
                break
            at = at.parent
    for message in query.conditions.values():
        for _, field, _, _ in string.Formatter().parse(message.text):
            if field is not None:
                yield query.subject, field


def used_by_the_store() -> Iterator[tuple[str, str]]:
    """Columns that say where a row belongs, what its list is, or what another column is derived from."""
    for name, table in TABLES.items():
        for parent in table.parents:
            yield name, parent
        if table.place_column is not None:
            yield name, table.place_column
        for _, source in table.derived.values():
            yield name, source
        for column in table.columns.values():
            # A key that points to another table makes a placeholder for what was not listed; a target names its finding.
            if column.references is not None or column.name == "target":
                yield name, column.name


def read_by_closures() -> Iterator[tuple[str, str]]:
    """Columns that a closure over a live estate, or of a version, names beside their table."""
    for file in (*(CHECKOUT / "src/lakewarden/facts/estate").glob("*.py"), CHECKOUT / "src/lakewarden/gate/closure.py"):
        nodes = ast.walk(ast.parse(file.read_text()))
        words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        for name in words & TABLES.keys():
            yield from ((name, column) for column in TABLES[name].columns if column in words)


def test_no_column_is_idle() -> None:
    queries = [query for rule in load_rules().values() for query in rule.queries]
    used = (
        {pair for query in queries for pair in columns_read(query)}
        | set(used_by_the_store())
        | set(read_by_closures())
        | PROMISED
    )
    idle = {(name, column) for name, table in TABLES.items() for column in table.columns.keys() - OF_EVERY_ROW} - used
    assert sorted(f"{name}.{column}" for name, column in idle) == []


def test_what_facts_promises_is_there() -> None:
    assert [pair for pair in PROMISED if pair[1] not in TABLES[pair[0]].columns] == []
