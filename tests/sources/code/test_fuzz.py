"""Whatever stands in a file, it is read to its end or told as a problem."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.code.reading import gather

from lakewarden.sources.repository.code.cells import blank_magics, split_source
from lakewarden.sources.repository.code.extract import extract
from lakewarden.sources.repository.code.result import Extract

LINES = st.sampled_from(
    [
        "# COMMAND ----------",
        "# MAGIC %sql SELECT * FROM a.b.c",
        "# MAGIC %run ./x",
        "# MAGIC",
        "%run",
        "%run ''",
        "%pip install x \\",
        "!ls",
        "import mlflow",
        "c = mlflow.MlflowClient()",
        "for v in c.search_model_versions('x'):",
        "    if v.version > best: best = v.version",
        "try:",
        "    mlflow.evaluate(m, *a, **k)",
        "except:",
        "    pass",
        "x = f'models:/{n}@{a!r:>{w}}'",
        "x = 'a' + x % (1, *y)",
        "def f(a, /, b='x.y.z', *c, d=1, **e): return f(a)(b)",
        "class A(A): catalog = self.x = 'a.b.c'",
        "with open(p) as (a, *b): del a, b[0], c.d",
        "x = [y := z for y in x if (lambda q=y: q)(z)]",
        "match x:",
        "    case {'a': 1, **r} | [*_]: yield",
        "df.write.format(f).saveAsTable(*t)",
        "spark.sql(f'DROP TABLE {a}.{b}' if c else \"LOCATION '\")",
        "x.y.z[1:2, ...] += await q",
        "'\\ud800\\0'.format(1)",
        "global x; nonlocal y",
        "from . import *",
        "from ...... import a",
        "import a.b.c as d, e",
        "@(yield)",
        "'{0.a[1]}{}{{'.format(x)",
        "'%(a)s %d %%' % {'a': 1}",
        "print(*x, sep='')",
        "\tx = 1",
        "",
        '"""',
    ]
)
SOURCES = st.lists(LINES | st.text(max_size=20), max_size=14).map("\n".join)


@given(st.sampled_from(["", "# Databricks notebook source\n"]), SOURCES)
@settings(max_examples=200)
def test_any_cells(first: str, source: str) -> None:
    found = extract((first + source).encode("utf-8", "replace"), "a.py")
    lines = source.count("\n") + source.count("\r") + 2
    spans = [c.span for c in found.calls] + [lit.span for lit in found.literals] + [a.span for a in found.accesses]
    for span in spans + [load.span for load in found.loads]:
        assert span.line is None or 1 <= span.line <= lines
    for problem in found.problems:
        assert problem.reason


@given(st.binary(max_size=200), st.sampled_from(["a.py", "a.ipynb", "a.sql", "a.r", "a"]))
def test_any_bytes(data: bytes, path: str) -> None:
    assert isinstance(extract(data, path), Extract)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "source", "cell_type", "metadata", "worksheets", "input", "language_info", "name"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
CELL = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown"]) | JSON, "source": st.lists(LINES, max_size=5) | SOURCES | JSON}
)
NOTEBOOKS = JSON | st.fixed_dictionaries({"cells": st.lists(CELL | JSON, max_size=5) | JSON, "metadata": JSON})


@given(NOTEBOOKS, st.sampled_from([None, 1]))
@settings(max_examples=200)
def test_any_json(content: object, indent: int | None) -> None:
    found = extract(json.dumps(content, indent=indent).encode(), "a.ipynb")
    assert found.is_notebook
    for problem in found.problems:
        assert problem.reason


@given(SOURCES)
def test_cells_hold_every_line(source: str) -> None:
    text = f"# Databricks notebook source\n{source}"
    lines = text.split("\n")
    for cell in split_source(text, "python").cells:
        if cell.language == "python" and cell.column == 0 and cell.line is not None:
            body = cell.source.split("\n")
            assert lines[cell.line - 1 : cell.line - 1 + len(body)] == body or cell.source == ""


@given(SOURCES)
def test_blanked_text_has_the_same_lines(source: str) -> None:
    blanked, magics = blank_magics(source)
    assert blanked.count("\n") == source.count("\n")
    for number, magic in magics:
        assert source.split("\n")[number].strip() == magic


@given(
    st.dictionaries(st.sampled_from(["a.py", "b.py", "p/a.py", "p/__init__.py", "p/b.ipynb", "tests/a.py"]), SOURCES, max_size=4)
)
@settings(max_examples=60)
def test_any_files_link(files: dict[str, str]) -> None:
    facts = gather({path: text.encode("utf-8", "replace") for path, text in files.items()})
    for table, found in facts.rows.items():
        keys = [row.key for row in found]
        assert len(keys) == len(set(keys)), table
    assert len(facts.rows["files"]) == len(files)


def test_no_source_opens_files_itself() -> None:
    folder = Path(__file__).parents[3] / "src/lakewarden/sources/repository/code"
    for module in folder.glob("*.py"):
        text = module.read_text(encoding="utf-8")
        assert not any(word in text for word in (" open(", "read_text(", "read_bytes(", "import os\n", "from pathlib")), (
            module.name
        )
