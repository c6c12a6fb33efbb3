from __future__ import annotations

import pytest
from tests.sources.code.reading import read

from lakewarden.sources.repository.code.cells import blank_magics, split_source

NOTEBOOK = """\
# Databricks notebook source
# MAGIC %md
# MAGIC # Title with mlflow.register_model("models:/x/Production")

# COMMAND ----------

# MAGIC %run ./setup $env="dev"

# COMMAND ----------

# DBTITLE 1,Train
import mlflow
mlflow.set_registry_uri("databricks-uc")

# COMMAND ----------

# MAGIC %sql
# MAGIC SELECT * FROM prod.ml.features;
# MAGIC DROP TABLE prod.ml.features

# COMMAND ----------

# MAGIC %python
# MAGIC mlflow.autolog(
# MAGIC   disable=True)
"""


def test_a_notebook_is_split_at_its_commands() -> None:
    document = split_source(NOTEBOOK, "python")
    assert document.is_notebook
    assert [(cell.language, cell.number) for cell in document.cells] == [
        ("text", 0),
        ("run", 1),
        ("python", 2),
        ("sql", 3),
        ("python", 4),
    ]
    assert document.cells[2].line == 10


def test_each_cell_is_read_in_its_language_with_lines_of_the_file() -> None:
    found = read(NOTEBOOK)
    assert [(c.api, c.span.line, c.span.cell) for c in found.calls] == [
        ("mlflow.set_registry_uri", 13, 2),
        ("mlflow.autolog", 24, 4),
    ]
    assert [(a.access, a.name, a.span.line, a.span.cell) for a in found.accesses] == [
        ("read", "prod.ml.features", 18, 3),
        ("drop", "prod.ml.features", 19, 3),
    ]
    assert [(load.how, load.path, load.span.line) for load in found.loads] == [("%run", "./setup", 7)]
    assert found.literals[0].named == "prod"
    assert all(literal.kind == "table" for literal in found.literals)


def test_columns_of_magic_cells_are_those_of_the_file() -> None:
    span = read(NOTEBOOK).calls[1].span
    assert NOTEBOOK.split("\n")[(span.line or 0) - 1][(span.column or 0) - 1 :].startswith("mlflow.autolog(")
    assert (span.end_line, span.end_column) == (25, 24)


def test_carriage_returns_and_a_byte_order_mark_do_no_harm() -> None:
    found = read("\ufeff" + NOTEBOOK.replace("\n", "\r\n"))
    assert found.is_notebook
    assert [c.span.line for c in found.calls] == [13, 24]


def test_one_bad_cell_costs_one_cell() -> None:
    source = NOTEBOOK.replace('mlflow.set_registry_uri("databricks-uc")', "this is no python")
    found = read(source)
    assert [c.api for c in found.calls] == ["mlflow.autolog"]
    (problem,) = found.problems
    assert (problem.cause, problem.span.line, problem.span.cell) == ("failed", 13, 2)
    assert problem.reason.startswith("Python that this interpreter cannot parse")
    assert len(found.accesses) == 2


def test_raw_magics_of_a_script_are_read_around() -> None:
    source = """\
        import mlflow
        %cd ..
        !pip install \\
            mlflow==2.9.0
        %run ./common
        %pip install -r requirements.txt
        if True:
            %matplotlib inline
        mlflow.autolog()
        df?
        """
    found = read(source)
    assert not found.problems
    assert [(c.api, c.span.line) for c in found.calls] == [("mlflow.autolog", 9)]
    assert [(load.path, load.span.line) for load in found.loads] == [("./common", 5)]


def test_a_line_of_a_string_that_looks_like_a_magic_stays() -> None:
    source = 'import mlflow\nQUERY = """\n%run x\n"""\nmlflow.autolog()\n'
    assert not read(source).loads
    assert [c.span.line for c in read(source).calls] == [5]


def test_blanking_keeps_the_number_of_lines() -> None:
    source = "a = 1\n%pip install \\\n  x \\\n  y\nb = 2"
    blanked, magics = blank_magics(source)
    assert blanked.split("\n") == ["a = 1", "", "", "", "b = 2"]
    assert magics == [(1, "%pip install \\")]


@pytest.mark.parametrize(
    ("magic", "reads"),
    [("%%time", True), ("%%capture out", True), ("%%writefile a.py", False), ("%sh", False), ("%md", False), ("%fs ls /", False)],
)
def test_cell_magics(magic: str, reads: bool) -> None:
    cell = f"# MAGIC {magic}\n# MAGIC mlflow.autolog()"
    text = f"# Databricks notebook source\nimport mlflow\n\n# COMMAND ----------\n\n{cell}\n"
    assert ("mlflow.autolog" in [c.api for c in read(text).calls]) is reads


def test_other_languages_are_told_as_not_read() -> None:
    text = '# Databricks notebook source\n# MAGIC %scala\n# MAGIC spark.table("x")\n\n# COMMAND ----------\n\nx = 1\n'
    (problem,) = read(text).problems
    assert (problem.cause, problem.reason, problem.span.cell) == ("not-asked", "Scala is not read", 0)


def test_a_sql_notebook_with_python_in_it() -> None:
    text = (
        "-- Databricks notebook source\nUSE CATALOG prod;\n\n-- COMMAND ----------\n\n-- MAGIC %python\n"
        "-- MAGIC import mlflow\n-- MAGIC mlflow.autolog()\n\n-- COMMAND ----------\n\n-- MAGIC %run ./a\n"
    )
    found = read(text, "a.sql")
    assert found.language == "sql"
    assert found.is_notebook
    assert [(c.api, c.span.line, c.span.cell) for c in found.calls] == [("mlflow.autolog", 8, 1)]
    assert [(literal.kind, literal.named) for literal in found.literals] == [("catalog", "prod")]
    assert [load.path for load in found.loads] == ["./a"]


def test_a_script_that_does_not_parse_is_read_between_its_fences() -> None:
    source = "# %%\nimport mlflow\n# %%\nbroken here\n# %%\nmlflow.autolog()\n"
    found = read(source)
    assert [(c.api, c.span.line) for c in found.calls] == [("mlflow.autolog", 6)]
    assert [problem.span.line for problem in found.problems] == [4]


def test_a_cell_that_is_indented_as_a_whole() -> None:
    text = (
        "# Databricks notebook source\nimport mlflow\n\n# COMMAND ----------\n\n  mlflow.autolog(\n    disable=True)\n  x = 1\n"
    )
    found = read(text)
    assert not found.problems
    assert [(c.api, c.span.line, c.span.cell) for c in found.calls] == [("mlflow.autolog", 6, 1)]


def test_a_cell_that_is_indented_below_what_databricks_puts_first() -> None:
    text = (
        '# Databricks notebook source\n# /// script\n# [tool.databricks.environment]\n# environment_version = "5"\n# ///\n'
        " import mlflow\n mlflow.autolog()\n"
    )
    found = read(text)
    assert not found.problems
    assert [(c.api, c.span.line) for c in found.calls] == [("mlflow.autolog", 7)]


@pytest.mark.parametrize("line", ["pip freeze", "pip install mlflow==3.1.0", "conda list", "pip install \\\n  mlflow"])
def test_a_magic_without_its_sign(line: str) -> None:
    found = read(f"# Databricks notebook source\n{line}\nimport mlflow\nmlflow.autolog()\n")
    assert not found.problems
    assert [c.api for c in found.calls] == ["mlflow.autolog"]


def test_a_name_that_sounds_like_a_magic() -> None:
    found = read("# Databricks notebook source\npip = run(\npip install)\nimport mlflow\n")
    assert found.problems


def test_a_magic_without_its_comment() -> None:
    text = "# Databricks notebook source\n%md\n# It's a title\n\n# COMMAND ----------\n\n%sql\nDROP TABLE a.b.c\n"
    found = read(text)
    assert not found.problems
    assert [(a.name, a.span.line) for a in found.accesses] == [("a.b.c", 8)]


@pytest.mark.parametrize("magic", ["%sh", "%md", "%%bash", "%fs"])
def test_a_magic_below_comments_is_that_of_the_whole_cell(magic: str) -> None:
    found = read(f"# Databricks notebook source\n# Step 4: download\n\n{magic}\ncd /tmp && kaggle datasets download\n")
    assert found.problems == ()


def test_sql_below_comments_keeps_its_line() -> None:
    found = read("# Databricks notebook source\n# Step 5\n%sql\nSELECT * FROM prod.ml.f\n")
    assert [(access.name, access.span.line) for access in found.accesses] == [("prod.ml.f", 4)]


def test_comments_above_python_stay_python() -> None:
    found = read("# Databricks notebook source\n# Step 6\n%pip install mlflow\nimport mlflow\nmlflow.start_run()\n")
    assert [call.api for call in found.calls] == ["mlflow.start_run"]
