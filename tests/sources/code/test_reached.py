from __future__ import annotations

import pytest
from tests.sources.code.reading import gather, rows

LOGS = "import mlflow\nmlflow.start_run()"


def reached(files: dict[str, str], path: str) -> set[str]:
    facts = gather(files)
    return {str(row.__dict__["api"]) for row in facts.rows["reached_calls"] if row.__dict__["file"] == f"repository/{path}"}


def open_lists(files: dict[str, str]) -> dict[str, str]:
    return {str(gap.parent).removeprefix("repository/"): gap.reason for gap in gather(files).gaps if gap.facts == "reached_calls"}


@pytest.mark.parametrize(
    ("importing", "statement", "target"),
    [
        ("a.py", "import b", "b.py"),
        ("a.py", "from b import x", "b.py"),
        ("src/a.py", "from pkg.b import x", "src/pkg/b.py"),
        ("src/pkg/a.py", "from .b import x", "src/pkg/b.py"),
        ("src/pkg/a.py", "from . import b", "src/pkg/b.py"),
        ("src/pkg/sub/a.py", "from ..b import x", "src/pkg/b.py"),
        ("src/pkg/a.py", "from pkg import b", "src/pkg/b.py"),
        ("notebooks/a.py", "from pkg.b import x", "src/pkg/b.py"),
        ("notebooks/a.py", "import pkg.b as c", "src/pkg/b.py"),
        ("notebooks/a.py", "from pkg import x", "pkg/__init__.py"),
        ("x/notebooks/a.py", "from training.steps.b import x", "x/training/steps/b.py"),
        ("deep/a.py", "import sys\nsys.path.append('../lib')\nimport b", "lib/b.py"),
        ("deep/a.py", "if x:\n    def f():\n        import b", "deep/b.py"),
        ("notebooks/a.py", "%run ./b", "notebooks/b.py"),
        ("notebooks/a.py", "%run ../shared/b $env='x'", "shared/b.py"),
        ("notebooks/a.py", "%run ./b.py", "notebooks/b.py"),
        ("notebooks/a.py", "dbutils.notebook.run('./b', 60)", "notebooks/b.py"),
        ("a.py", "import far", "some/where/far.py"),
    ],
)
def test_calls_are_reached_through(importing: str, statement: str, target: str) -> None:
    assert reached({importing: statement, target: LOGS}, importing) == {"mlflow.start_run"}


def test_a_package_that_passes_on_what_it_imports() -> None:
    files = {"a.py": "from pkg import train", "pkg/__init__.py": "from .core import train", "pkg/core.py": LOGS}
    assert reached(files, "a.py") == {"mlflow.start_run"}


def test_what_is_far_and_what_goes_in_circles() -> None:
    files = {f"m{n}.py": f"import m{(n + 1) % 60}" for n in range(60)}
    files["m30.py"] += f"\n{LOGS}"
    assert reached(files, "m0.py") == {"mlflow.start_run"}
    assert reached(files, "m31.py") == {"mlflow.start_run"}


def test_what_nobody_imports_is_not_reached() -> None:
    assert reached({"a.py": "import c", "b.py": LOGS, "c.py": "x = 1"}, "a.py") == set()


def test_a_notebook_that_a_notebook_reaches() -> None:
    cell = '{"cells": [{"cell_type": "code", "source": ["%run ./b"]}]}'
    assert reached({"a.ipynb": cell, "b.ipynb": cell.replace("%run ./b", "mlflow.autolog()")}, "a.ipynb") == {"mlflow.autolog"}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("disable=True", "disable=True", True),
        ("disable=True", "", False),
        ("disable=True", "disable=x", None),
        ("", "disable=x", False),
    ],
)
def test_a_feature_is_off_when_every_call_switches_it_off(one: str, other: str, expected: bool | None) -> None:
    facts = gather(
        {"a.py": f"import b, mlflow\nmlflow.autolog({one})", "b.py": f"import mlflow\nmlflow.sklearn.autolog({other})"}
    )
    assert ("repository/a.py", expected) in rows(facts, "reached_calls", "file", "disables")


def test_one_row_for_each_api() -> None:
    facts = gather({"a.py": f"{LOGS}\n{LOGS}\nimport b", "b.py": LOGS})
    assert rows(facts, "reached_calls", "key") == [("repository/a.py/mlflow.start_run",), ("repository/b.py/mlflow.start_run",)]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import acme_ml", "the module acme_ml is not in the repository"),
        ("from .missing import x", "the module .missing is not in the repository"),
        ("%run ./missing", "the notebook ./missing is not in the repository"),
        ("%run /Shared/setup", "the notebook /Shared/setup is not in the repository"),
        ("dbutils.notebook.run(path, 60)", "the notebook that it runs is not in the repository"),
    ],
)
def test_what_is_not_there_leaves_the_list_open_for_all_who_reach_it(source: str, reason: str) -> None:
    found = open_lists({"a.py": source, "b.py": "import a", "c.py": "x = 1"})
    assert found == {"a.py": reason, "b.py": f"a.py: {reason}"}


@pytest.mark.parametrize(
    "source", ["import os, sys, json", "import pandas as pd", "from sklearn.linear_model import X", "import mlflow.sklearn"]
)
def test_public_libraries_leave_nothing_open(source: str) -> None:
    assert open_lists({"a.py": source}) == {}


def test_a_broken_file_leaves_the_list_open_for_all_who_reach_it() -> None:
    found = open_lists({"a.py": "import b", "b.py": "def broken("})
    assert set(found) == {"a.py", "b.py"}
    assert found["a.py"].startswith("b.py: Python that this interpreter cannot parse")


def test_libraries_are_what_other_code_imports_or_runs() -> None:
    facts = gather(
        {
            "a.py": "import lib\n%run ./setup\ndbutils.notebook.run('./job', 1)",
            "lib.py": "import lib",
            "setup.py": "",
            "job.py": "",
            "only_tested.py": "",
            "tests/test_a.py": "import only_tested",
        }
    )
    assert [path for path, library in rows(facts, "files", "path", "is_library") if library] == ["lib.py", "setup.py"]


@pytest.mark.parametrize(
    "load",
    [
        "import importlib\nimportlib.import_module('steps')",
        "from importlib import import_module\nsteps = import_module('steps')",
        "__import__('steps')",
        "import runpy\nrunpy.run_module('steps')",
    ],
)
def test_a_module_that_is_loaded_by_its_name_is_reached(load: str) -> None:
    facts = gather({"a.py": load, "steps.py": "import mlflow\nmlflow.autolog()\n"})
    assert ("repository/a.py", "mlflow.autolog") in rows(facts, "reached_calls", "file", "api")
    assert [gap.reason for gap in facts.gaps if gap.facts == "reached_calls"] == []


@pytest.mark.parametrize(
    "load",
    [
        "import importlib\nimportlib.import_module(name)",
        "import importlib\nimportlib.import_module('.steps', 'pkg')",
        "__import__(name)",
        "exec(open('steps.py').read())",
        "import runpy\nrunpy.run_path(path)",
    ],
)
def test_what_is_loaded_under_a_name_that_is_not_known_may_call_anything(load: str) -> None:
    facts = gather({"a.py": load})
    told = [(gap.reason, gap.parent, gap.value) for gap in facts.gaps if gap.facts == "reached_calls"]
    assert told == [("code is loaded by a name that is known only when it runs", "repository/a.py", False)]


SETUP = """# Databricks notebook source
import mlflow

def tracked_training(data):
    with mlflow.start_run():
        mlflow.log_metric("auc", 1)

class Tracker:
    def log(self):
        mlflow.log_params({})
"""


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("model.fit(X, y)", {"fit"}),
        ("model.fit(X, y)\ntracked_training(X)", {"fit", "mlflow.start_run", "mlflow.log_metric"}),
        ("model.fit(X, y)\nrun(tracked_training, X)", {"fit", "mlflow.start_run", "mlflow.log_metric"}),
        ("model.fit(X, y)\nTracker().log()", {"fit", "mlflow.log_params"}),
    ],
)
def test_functions_that_nobody_names_are_not_reached(use: str, expected: set[str]) -> None:
    notebook = f"# Databricks notebook source\n# MAGIC %run ./setup\n\n# COMMAND ----------\n\n{use}\n"
    assert reached({"train.py": notebook, "setup.py": SETUP}, "train.py") == expected
    assert reached({"train.py": f"from setup import *\n{use}", "setup.py": SETUP}, "train.py") == expected


def test_what_runs_when_it_is_loaded_is_reached() -> None:
    for setup in (f"{SETUP}\ntracked_training(1)", f"{SETUP}\ndef main():\n    tracked_training(1)\nmain()"):
        assert "mlflow.start_run" in reached({"train.py": "%run ./setup", "setup.py": setup}, "train.py")


def test_a_function_that_is_imported_or_handed_on_is_reached() -> None:
    assert "mlflow.start_run" in reached({"a.py": "from setup import tracked_training", "setup.py": SETUP}, "a.py")
    assert "mlflow.start_run" in reached({"a.py": "import setup\nsetup.tracked_training(1)", "setup.py": SETUP}, "a.py")
    through = {
        "a.py": "import b\nb.go()",
        "b.py": "from setup import tracked_training\ndef go():\n    tracked_training(1)",
        "setup.py": SETUP,
    }
    assert "mlflow.start_run" in reached(through, "a.py")
    decorated = SETUP.replace("def tracked", "@task\ndef tracked")
    assert "mlflow.start_run" in reached({"a.py": "%run ./setup", "setup.py": decorated}, "a.py")


def test_a_file_reaches_its_own_functions_whoever_calls_them() -> None:
    assert reached({"setup.py": SETUP}, "setup.py") == {"mlflow.start_run", "mlflow.log_metric", "mlflow.log_params"}
