from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lakewarden.sources.repository.code.extract import extract

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.result import Extract


def code(*lines: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "outputs": [], "source": list(lines), **more}


def notebook(*cells: dict[str, Any], language: str = "python") -> dict[str, Any]:
    metadata = {"language_info": {"name": language}}
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def read(content: dict[str, Any], indent: int | None = 1) -> Extract:
    return extract(json.dumps(content, indent=indent).encode(), "a.ipynb")


CELLS = (
    {"cell_type": "markdown", "metadata": {}, "source": ["mlflow.autolog()"]},
    code("import mlflow\n", "mlflow.autolog()"),
    code("%sql\n", "DROP TABLE dev.ml.x"),
    code("%%sql\n", "SELECT * FROM dev.ml.y"),
    code("%run ./setup"),
    code("%pip install mlflow==2.14.1\n", "mlflow.set_experiment('/Shared/x')"),
)


def test_cells_with_the_lines_of_a_file_that_is_pretty_printed() -> None:
    content = notebook(*CELLS)
    found = read(content)
    lines = json.dumps(content, indent=1).split("\n")
    assert [(c.api, c.span.cell) for c in found.calls] == [("mlflow.autolog", 1), ("mlflow.set_experiment", 5)]
    for call, text in zip(found.calls, ("mlflow.autolog()", "mlflow.set_experiment"), strict=True):
        assert text in lines[(call.span.line or 0) - 1]
    assert [(a.access, a.name, a.span.cell) for a in found.accesses] == [("drop", "dev.ml.x", 2), ("read", "dev.ml.y", 3)]
    for access in found.accesses:
        assert access.name is not None
        assert access.name in lines[(access.span.line or 0) - 1]
    assert [(load.path, load.span.cell) for load in found.loads] == [("./setup", 4)]
    assert found.pins == ("mlflow==2.14.1",)


def test_a_file_of_one_line_has_cells_and_no_lines() -> None:
    found = read(notebook(*CELLS), indent=None)
    assert [(c.api, c.span.cell, c.span.line) for c in found.calls] == [
        ("mlflow.autolog", 1, None),
        ("mlflow.set_experiment", 5, None),
    ]


def test_no_line_is_told_where_the_file_does_not_show_it() -> None:
    content = notebook(code("import mlflow\n", "mlflow.autolog()"))
    content["cells"][0]["outputs"] = [{"data": {"application/json": {"source": ["fake"]}}}]
    (call,) = read(content).calls
    assert (call.span.line, call.span.cell) == (None, 0)


def test_a_source_that_is_one_text() -> None:
    cell = {"cell_type": "code", "source": "import mlflow\nmlflow.autolog()\n"}
    (call,) = read(notebook(cell)).calls
    assert call.span.cell == 0


def test_outputs_are_not_read() -> None:
    output = {"output_type": "stream", "text": ["models:/churn/Production https://adb-1.2.azuredatabricks.net"]}
    found = read(notebook(code("x = 1", outputs=[output])))
    assert not found.literals


def test_the_language_of_the_notebook_is_that_of_its_cells() -> None:
    found = read(notebook(code("DROP TABLE a.b.c"), code("%python\n", "import mlflow\n", "mlflow.autolog()"), language="sql"))
    assert [a.name for a in found.accesses] == ["a.b.c"]
    assert [c.api for c in found.calls] == ["mlflow.autolog"]


def test_the_old_format_with_worksheets() -> None:
    content = {
        "worksheets": [{"cells": [{"cell_type": "code", "input": ["import mlflow\n", "mlflow.autolog()"]}]}],
        "nbformat": 3,
    }
    assert [c.api for c in read(content).calls] == ["mlflow.autolog"]


def test_one_bad_cell_costs_one_cell() -> None:
    found = read(notebook(code("import mlflow"), code("def broken("), code("mlflow.autolog()")))
    assert [c.api for c in found.calls] == ["mlflow.autolog"]
    assert [(p.cause, p.span.cell) for p in found.problems] == [("failed", 1)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"cells": [', "not valid JSON"),
        ("[1, 2]", "not a notebook"),
        ('{"cells": {}}', "not a notebook"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_notebook_is_told(text: str, reason: str) -> None:
    found = extract(text.encode(), "a.ipynb")
    (problem,) = found.problems
    assert problem.cause == "failed"
    assert reason in problem.reason
    assert problem.remedy


def test_broken_json_is_told_with_its_line() -> None:
    found = extract(b'{\n "cells": [\n  oops\n ]\n}', "a.ipynb")
    assert found.problems[0].span.line == 3


@pytest.mark.parametrize(
    "cell", [7, None, "text", [], {"cell_type": "code", "source": [1, 2]}, {"cell_type": "code", "source": {}}]
)
def test_what_is_no_cell_is_told(cell: Any) -> None:
    found = read({"cells": [cell, code("import mlflow\n", "mlflow.autolog()")]})
    assert [(p.cause, p.span.cell) for p in found.problems] == [("failed", 0)]
    assert [c.api for c in found.calls] == ["mlflow.autolog"]


def test_an_empty_file_is_an_empty_notebook() -> None:
    assert extract(b"", "a.ipynb").problems == ()


def test_half_a_surrogate_does_no_harm() -> None:
    found = read(notebook(code("import mlflow\n", "mlflow.set_experiment('/Shared/\ud800')")))
    assert found.calls[0].argument == "/Shared/?"
