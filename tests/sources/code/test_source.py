"""From files to facts: what stands in the tables, and what is told where something could not be read."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.sources.code.reading import gather, rows

from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.model.workloads import Task
from lakewarden.policy.model import Policy
from lakewarden.sources.repository.code.extract import extract
from lakewarden.sources.repository.code.roles_source import RolesSource
from lakewarden.sources.repository.code.source import CodeSource
from lakewarden.sources.repository.layout import Layout
from lakewarden.sources.source import Context
from lakewarden.sources.tree import Tree

if TYPE_CHECKING:
    from lakewarden.facts.gaps import Gap

BUNDLE = "bundle:\n  name: churn\ntargets:\n  dev: {}\n"
TRAIN = """\
# Databricks notebook source
# MAGIC %run ./setup

# COMMAND ----------

import mlflow

model.fit(X, y)
mlflow.sklearn.log_model(model, "m", registered_model_name=f"{catalog}.ml.churn")
"""


def gaps(facts: Facts, table: str, *, value: bool = False) -> list[Gap]:
    return [gap for gap in facts.gaps if gap.facts == table and gap.value is value]


def test_files_of_a_bundle_are_those_of_its_project() -> None:
    facts = gather({"ml/databricks.yml": BUNDLE, "ml/notebooks/Train.py": TRAIN, "tools/a.sql": "SELECT 1", "README.md": "x"})
    assert rows(facts, "files", "key", "project", "path", "language", "is_test") == [
        ("churn/ml/notebooks/Train.py", "churn", "ml/notebooks/Train.py", "python", False),
        ("repository/tools/a.sql", "repository", "tools/a.sql", "sql", False),
    ]


def test_rows_hang_on_their_file_and_say_where_they_stand() -> None:
    facts = gather({"databricks.yml": BUNDLE, "Train.py": TRAIN})
    (fit, logged) = facts.rows["code_calls"]
    assert (fit.key, fit.__dict__["file"], logged.key) == ("churn/Train.py#1", "churn/Train.py", "churn/Train.py#2")
    assert logged.origin is not None
    assert (logged.origin.path, logged.origin.line, logged.origin.cell) == ("Train.py", 9, 1)
    assert rows(facts, "code_calls", "api", "argument", "name_levels", "accepted", "is_test")[1] == (
        "mlflow.log_model",
        None,
        3,
        True,
        False,
    )
    (gap,) = gaps(facts, "code_calls", value=True)
    assert gap.reason == "the model name of mlflow.log_model is not known before the code runs"
    assert gap.origin == logged.origin


def test_lists_are_complete() -> None:
    facts = gather({"a.py": "x = 1"})
    for table in (*CodeSource.fills, *RolesSource.fills):
        assert (table, "declared", Scope()) in facts.complete


def test_what_a_source_writes_is_what_it_says_that_it_fills() -> None:
    facts = gather({"a.py": TRAIN, "b.py": "spark.table('a.b.c')\ncatalog='x'\nFeatureLookup('t')\n%run ./a"})
    declared_by_sql = {"catalog_tables", "securables"}  # the table in which features are looked up
    assert {table for table, found in facts.rows.items() if found} - declared_by_sql == CodeSource.fills | RolesSource.fills


@pytest.mark.parametrize(
    ("content", "path", "reason"),
    [
        (b"def broken(", "a.py", "Python that this interpreter cannot parse"),
        (b"x = '\xff'", "a.py", "not a text in UTF-8"),
        (b"x = 1\n\x00", "a.py", "NUL"),
        (b"{", "a.ipynb", "not valid JSON"),
        (b"\xff\xfe", "a.ipynb", "not a text in UTF-8"),
        (b"(" * 5000 + b")" * 5000, "a.py", ""),
        (b"x = " + b"-" * 20000 + b"1", "a.py", ""),
        (b"x = a" + b"[0]" * 20000, "a.py", ""),
        (b"x = a" + b".b()" * 60000, "a.py", ""),
        (b"\n".join(b" " * n + b"if x:" for n in range(110)) + b" y", "a.py", ""),
    ],
)
def test_a_file_that_cannot_be_read_is_a_gap_in_all_its_lists(content: bytes, path: str, reason: str) -> None:
    facts = gather({path: content, "b.py": "spark.table('a.b.c')"})
    assert len(facts.rows["files"]) == 2
    for table in ("code_calls", "table_access", "code_literals", "code_loads", "feature_lookups", "reached_calls"):
        (gap,) = gaps(facts, table)
        assert (gap.cause, gap.parent, gap.project) == ("failed", f"repository/{path}", "repository")
        assert reason in gap.reason
        assert gap.origin is not None
        assert gap.origin.path == path
    assert len(facts.rows["table_access"]) == 1


def test_a_file_above_the_limit_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "big.py").write_text("x = 1\n" * 100)
    tree = Tree.of_disk(tmp_path, max_bytes=100)
    facts = Facts()
    CodeSource().read(Context(tree, Policy(), Layout.of_tree(tree, Policy())), facts)
    assert rows(facts, "files", "path", "language") == [("big.py", "python")]
    (gap,) = gaps(facts, "code_calls")
    assert "larger than the limit" in gap.reason


def test_a_warning_of_the_compiler_does_not_come_out() -> None:
    facts = gather({"a.py": "import re, mlflow\nx = re.compile('\\d')\ny = 1 is 1\nassert (x, 'y')\nmlflow.autolog()"})
    assert len(facts.rows["code_calls"]) == 1


def test_scala_and_r_are_told_as_not_read() -> None:
    facts = gather({"a.scala": "x", "b.R": "y"})
    assert rows(facts, "files", "path", "language") == [("a.scala", "scala"), ("b.R", "r")]
    assert {(gap.cause, gap.reason) for gap in gaps(facts, "code_calls")} == {
        ("not-asked", "Scala is not read"),
        ("not-asked", "R is not read"),
    }
    assert [skip.path for skip in facts.skipped] == ["a.scala", "b.R"]


def test_an_encoding_that_the_file_names() -> None:
    facts = gather({"a.py": "# -*- coding: latin-1 -*-\nimport mlflow\nmlflow.set_experiment('/Shared/é')\n".encode("latin-1")})
    assert rows(facts, "code_calls", "argument") == [("/Shared/é",)]


def test_half_a_surrogate_in_a_text_does_no_harm() -> None:
    facts = gather({"a.py": "import mlflow\nmlflow.set_experiment('/Shared/\\ud800')\nmlflow.set_experiment('/Shared/\\0')"})
    assert rows(facts, "code_calls", "argument") == [("/Shared/?",), (None,)]


def test_numbers_and_texts_that_are_too_large_are_not_folded() -> None:
    number = "0x" + "f" * 20_000
    doubling = "x = x + x\n" * 60
    facts = gather(
        {"a.py": f"import mlflow\nmlflow.set_experiment(f'/Shared/{{{number}}}')\nx = 'a'\n{doubling}mlflow.set_experiment(x)"}
    )
    assert rows(facts, "code_calls", "argument", "path_place") == [(None, "everyone"), (None, None)]


def test_lists_that_hold_lists_do_not_take_for_ever() -> None:
    nested = "x = [x, x]\ny = {'a': y, 'b': y}\nz = [z, z]\n" * 60
    facts = gather({"a.py": f"x = y = z = 1\n{nested}v = x if c else z\nspark.table('a.b.c')"})
    assert len(facts.rows["table_access"]) == 1


def test_the_same_files_give_the_same_facts_in_any_order() -> None:
    files = {
        "a.py": "import b\nimport mlflow",
        "b.py": "import mlflow\nmlflow.autolog()\nimport a",
        "c.py": "spark.table('x.y.z')",
    }
    one, other = gather(files), gather(dict(reversed(files.items())))
    for table in one.rows:
        assert [row.__dict__ for row in one.rows[table]] == [row.__dict__ for row in other.rows[table]]


def test_an_extract_can_be_kept() -> None:
    found = extract(TRAIN.encode(), "a.py")
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own bytes
    assert hash(found.calls) == hash(extract(TRAIN.encode(), "b.py").calls)


def test_feature_tables_are_known_in_all_files() -> None:
    facts = gather(
        {
            "a.py": "from databricks.feature_engineering import FeatureLookup\nFeatureLookup(table_name='Prod.ml.f')",
            "b.py": "spark.sql('DROP TABLE prod.ml.f')\ndf.write.saveAsTable('prod.ml.f')\nspark.sql('DROP TABLE prod.ml.g')",
            "c.py": "spark.sql(f'DROP TABLE {x}')",
        }
    )
    assert rows(facts, "table_access", "access", "is_feature", "recreated") == [
        ("drop", True, True),
        ("write", True, False),
        ("drop", False, False),
        ("drop", None, False),
    ]
    assert rows(facts, "feature_lookups", "catalog_table", "by_time") == [("repository/prod.ml.f", False)]


def test_a_drop_and_a_write_of_the_same_name_that_is_only_partly_known() -> None:
    facts = gather(
        {
            "a.py": "def f(c):\n    spark.sql(f'DROP TABLE {c}.ml.f')\n    fe.create_table(name=f'{c}.ml.f')\n    df.write.saveAsTable(f'{c}.ml.f')"
        }
    )
    assert rows(facts, "table_access", "access", "recreated") == [("drop", True), ("write", False)]


@pytest.mark.parametrize(
    ("files", "accepted"),
    [
        ({"requirements.txt": "mlflow==2.14.1"}, True),
        ({"requirements.txt": "mlflow>=3.1"}, False),
        ({"requirements.txt": "mlflow>=2.0"}, None),
        ({"requirements.txt": "mlflow>=2.0,<3"}, True),
        ({"requirements.txt": "mlflow-skinny[databricks]~=3.1"}, False),
        ({"requirements.txt": "# mlflow==2.1"}, None),
        ({"requirements.txt": "mlflow"}, None),
        ({"pyproject.toml": '[project]\ndependencies = ["mlflow==2.1.0", "x"]'}, True),
        ({"jobs.yml": "libraries:\n  - pypi:\n      package: mlflow==3.1.4\n"}, False),
        ({"requirements.txt": "mlflow==2.1", "jobs.yml": "- mlflow==3.1"}, None),
        ({"requirements.txt": "mlflow==3.1", "ml/requirements.txt": "mlflow==2.1"}, True),
        ({}, None),
    ],
)
def test_the_version_of_mlflow_decides_on_arguments(files: dict[str, str], accepted: bool | None) -> None:
    facts = gather({**files, "ml/a.py": "import mlflow\nmlflow.evaluate(m, d, validation_thresholds=t)"})
    assert rows(facts, "code_calls", "accepted") == [(accepted,)]
    assert bool(gaps(facts, "code_calls", value=True)) is (accepted is None)


def test_what_a_notebook_installs_comes_first() -> None:
    notebook = "# Databricks notebook source\n# MAGIC %pip install mlflow==3.1.0 pandas\n\n# COMMAND ----------\n\nimport mlflow\nmlflow.evaluate(m, d, baseline_model=b)"
    facts = gather({"requirements.txt": "mlflow==2.1", "a.py": notebook})
    assert rows(facts, "code_calls", "accepted") == [(False,)]


def test_loads() -> None:
    source = """
        import sys
        sys.path.append("../lib")
        sys.path.insert(0, "/Workspace/Users/ann@example.com/lib")
        sys.path.append(f"/Workspace{root}/lib")
        dbutils.notebook.run("/Shared/x", 60)
        dbutils.notebook.run("./y", 60)
        %run /Users/ann@example.com/quickfix
        %run "./a b" $env="prod"
        """
    facts = gather({"n.py": source})
    assert sorted(rows(facts, "code_loads", "how", "path", "path_place"), key=str) == sorted(
        [
            ("sys.path", "../lib", "relative"),
            ("sys.path", "/Workspace/Users/ann@example.com/lib", "person"),
            ("sys.path", None, None),
            ("notebook.run", "/Shared/x", "everyone"),
            ("notebook.run", "./y", "relative"),
            ("%run", "/Users/ann@example.com/quickfix", "person"),
            ("%run", "./a b", "relative"),
        ],
        key=str,
    )
    assert len(gaps(facts, "code_loads", value=True)) == 1


def task(role: str | None, name: str, file: str = "repository/a.py") -> Task:
    return Task(key=f"j/{name}", job="j", project_key="repository", project="repository", name=name, role=role, file=file)


@pytest.mark.parametrize(
    ("path", "source", "tasks", "expected"),
    [
        ("train.py", "", [], {("training", "path")}),
        ("a.py", "", [], {("other", "call")}),
        ("a.py", "client.set_registered_model_alias('n', 'champion', 1)", [], {("deployment", "call")}),
        ("train.py", "client.set_registered_model_alias('n', 'champion', 1)", [], {("training", "path")}),
        ("a.py", "", [task("training", "fit_it")], {("training", "task")}),
        ("churn_prediction.py", "import mlflow\nm.fit(x)\nmlflow.sklearn.log_model(m, 'm')", [], {("training", "call")}),
        ("churn_prediction.py", "import mlflow\nmlflow.pyfunc.load_model('m')", [], {("inference", "path")}),
        ("train.py", "", [task("validation", "check", "repository/train.py")], {("training", "path"), ("validation", "task")}),
        ("a.py", "client.set_registered_model_alias('n', 'x', 1)", [task("deployment", "step_1")], {("deployment", "call")}),
        ("a.py", "client.set_registered_model_alias('n', 'x', 1)", [task("deployment", "deploy")], {("deployment", "task")}),
        ("a.py", "", [task("other", "x"), task("inference", "y")], {("inference", "task")}),
    ],
)
def test_roles_and_what_gives_them(path: str, source: str, tasks: list[Task], expected: set[tuple[str, str]]) -> None:
    tree = Tree.of_files(Path("nowhere"), {path: source})
    context = Context(tree, Policy(), Layout.of_tree(tree, Policy()))
    facts = Facts()
    CodeSource().read(context, facts)
    facts.add(*tasks)
    RolesSource().read(context, facts)
    assert set(rows(facts, "file_roles", "role", "said_by")) == expected
    assert {row.key for row in facts.rows["file_roles"]} == {f"repository/{path}/{role}" for role, _ in expected}


def test_a_task_whose_role_is_not_known_leaves_the_roles_of_its_file_open() -> None:
    tree = Tree.of_files(Path("nowhere"), {"a.py": ""})
    context = Context(tree, Policy(), Layout.of_tree(tree, Policy()))
    facts = Facts()
    CodeSource().read(context, facts)
    facts.add(task(None, "x"))
    RolesSource().read(context, facts)
    (gap,) = gaps(facts, "file_roles")
    assert (gap.cause, gap.parent) == ("unresolved", "repository/a.py")


@pytest.mark.parametrize(
    ("source", "table"),
    [
        ("import mlflow\nmlflow.register_model(u, n)", "code_calls"),
        ("import mlflow\nmlflow.set_experiment(p)", "code_calls"),
        ("import mlflow\nmlflow.sklearn.log_model(m, **k)", "code_calls"),
        ("import mlflow\nmlflow.autolog(disable=x)", "reached_calls"),
        ("import mlflow\ntry:\n    mlflow.evaluate(m, d)\nexcept Odd:\n    pass", "code_calls"),
        ("import mlflow\nmlflow.evaluate(m, d, baseline_model=b)", "code_calls"),
        ("import torch\ntorch.save(m, p)", "code_calls"),
        ("client.copy_model_version(u, n)", "code_calls"),
        ("client.copy_model_version(f'models:/{x}/1', 'a.b.c')", "code_calls"),
        ("client.set_registered_model_alias(n, a, v)", "code_calls"),
        ("client.set_model_version_tag(n, v, k, x)", "code_calls"),
        ("spark.read.load(p)", "table_access"),
        ("spark.table(n)", "table_access"),
        ("spark.sql(f'DROP TABLE {x}')", "table_access"),
        ("df.write.format(f).saveAsTable('a.b.c')", "table_access"),
        ("x = f'models:/{n}/{v}'", "code_literals"),
        ("FeatureLookup(n, **k)", "feature_lookups"),
        ("import sys\nsys.path.append(p)", "code_loads"),
    ],
)
def test_every_null_is_explained(source: str, table: str) -> None:
    facts = gather({"a.py": source})
    told = {gap.origin for gap in facts.gaps if gap.value and gap.facts == table}
    with_null = [row for row in facts.rows[table] if None in row.__dict__.values()]
    assert with_null
    for row in with_null:
        assert row.origin in told
