"""What tasks install: files of requirements, constraints, notebooks, runtimes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.sources.repository.bundle.installs import installs_of
from lakewarden.sources.tree import Tree

HEAD = (
    "bundle: {name: b}\ntargets: {prod: {}}\nresources: {jobs: {j: {tasks: [{task_key: t, notebook_task: {notebook_path: nb.py}"
)


def tree(files: dict[str, str]) -> Tree:
    from pathlib import Path

    return Tree.of_files(Path("repository"), files)


def pip(line: str) -> list[tuple[str | None, str | None]]:
    found = installs_of(tree({"nb.py": f"# Databricks notebook source\n# MAGIC %pip install {line}\n"}), "nb.py")
    return [(install.text, install.file) for install in found]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mlflow==3.1 pandas", [("mlflow==3.1", None), ("pandas", None)]),
        ("-U --quiet 'mlflow>=3,<4'", [("mlflow>=3,<4", None)]),
        ("-r ../requirements.txt", [("../requirements.txt", "-r")]),
        ("--requirement req.txt -c constraints.txt x", [("req.txt", "-r"), ("x", None)]),
        ("--index-url https://h/simple x", [("x", None)]),
        ("$package {name} git+https://h/r@main", [(None, None), (None, None), ("git+https://h/r@main", None)]),
        ("'unbalanced", []),
        ("", []),
    ],
)
def test_arguments_of_pip(line: str, expected: list[tuple[str | None, str | None]]) -> None:
    assert pip(line) == expected


@given(st.text(max_size=60))
def test_no_line_is_a_crash(line: str) -> None:
    for install in installs_of(tree({"nb.py": f"%pip install {line}"}), "nb.py"):
        assert install.text != ""


def notebook(*sources: Any) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": source} for source in sources]}, indent=1)


def test_a_jupyter_notebook_tells_the_cell_and_the_line() -> None:
    text = notebook(["import os\n"], ["%pip install pandas\n", "%pip install numpy==1.0"])
    found = installs_of(tree({"nb.ipynb": text}), "nb.ipynb")
    lines = text.splitlines()
    assert [(i.text, i.origin.cell, "%pip" in lines[(i.origin.line or 0) - 1]) for i in found] == [
        ("pandas", 1, True),
        ("numpy==1.0", 1, True),
    ]
    on_one_line = installs_of(tree({"nb.ipynb": json.dumps(json.loads(text))}), "nb.ipynb")
    assert [(i.text, i.origin.cell, i.origin.line) for i in on_one_line] == [("pandas", 1, None), ("numpy==1.0", 1, None)]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 1}', '{"cells": [1, {"cell_type": "code"}]} %pip', "%pip" * 3])
def test_what_is_no_notebook_installs_nothing(text: str) -> None:
    assert installs_of(tree({"nb.ipynb": text}), "nb.ipynb") == []


def libraries(read: Any, files: dict[str, str], task: str = "") -> list[tuple[str | None, bool | None, str | None]]:
    seen = read({"databricks.yml": f"{HEAD}{task}}}]}}}}}}\n", **files})
    return [(row.spec, row.pinned, row.path_place) for row in seen.rows("task_libraries")]


def test_what_a_notebook_installs_is_installed_by_its_task(read: Any) -> None:
    source = "# Databricks notebook source\n# MAGIC %pip install -r req/all.txt ./dist/x-1.0-py3-none-any.whl $p\n"
    files = {"nb.py": source, "req/all.txt": "pandas\nnumpy==1.0\n"}
    assert libraries(read, files) == [
        ("pandas", False, "index"),
        ("numpy==1.0", True, "index"),
        ("./dist/x-1.0-py3-none-any.whl", True, "deployed"),
        (None, None, "index"),
    ]


def test_the_newest_runtime_is_no_pinned_one(read: Any) -> None:
    assert libraries(read, {"nb.py": ""}, ", new_cluster: {spark_version: 'auto:latest-ml'}") == [
        ("runtime auto:latest-ml", False, "index")
    ]
    assert libraries(read, {"nb.py": ""}, ", new_cluster: {spark_version: 16.4.x-cpu-ml-scala2.12}") == []
    assert libraries(read, {"nb.py": ""}, ", new_cluster: {spark_version: '${var.unset}'}") == [(None, None, "index")]


def test_constraints_pin_what_they_name(read: Any) -> None:
    files = {
        "nb.py": "",
        "r.txt": "-c c.txt\npandas\nScikit_Learn>=1\nnumpy\n",
        "c.txt": "pandas==2.2\nscikit-learn==1.5\nnumpy>=1\n",
    }
    assert libraries(read, files, ", libraries: [{requirements: r.txt}]") == [
        ("pandas", True, "index"),
        ("Scikit_Learn>=1", True, "index"),
        ("numpy", False, "index"),
    ]


def test_constraints_that_are_not_there_leave_it_open(read: Any) -> None:
    files = {"nb.py": "", "r.txt": "-c c.txt\npandas\nnumpy==1.0\n"}
    assert libraries(read, files, ", libraries: [{requirements: r.txt}]") == [
        ("pandas", None, "index"),
        ("numpy==1.0", True, "index"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!pip install a\n", ["a"]),
        ("! pip3 install a==1 > log.txt\n", ["a==1"]),
        ("# MAGIC %sh pip install a && echo done\n", ["a"]),
        (
            "# MAGIC %sh\n# MAGIC sudo /databricks/python/bin/pip install a; pip install b\n# MAGIC python -m pip install c\n",
            ["a", "c"],
        ),
        ("# MAGIC %sh\n# MAGIC ls\n# COMMAND ----------\n# MAGIC pip install a\n", []),
        ("# MAGIC %md\n# MAGIC pip install a\n", []),
        ("# pip install a\n", []),
        ("print('pip install a')\n", []),
        ("# MAGIC %uv pip install a\n", ["a"]),
    ],
)
def test_other_ways_to_call_pip(text: str, expected: list[str]) -> None:
    found = installs_of(tree({"nb.py": f"# Databricks notebook source\n{text}"}), "nb.py")
    assert [install.text for install in found] == expected


def test_cells_of_a_jupyter_notebook_that_run_a_shell() -> None:
    text = notebook(["%sh\n", "pip install a\n"], ["!pip install b\n"], ["%md\n", "pip install c\n"])
    assert [install.text for install in installs_of(tree({"nb.ipynb": text}), "nb.ipynb")] == ["a", "b"]
