"""Code that a file runs or puts on its path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.places import path_place
from lakewarden.sources.repository.code.result import Load, Span
from lakewarden.sources.repository.code.values import Value, text

if TYPE_CHECKING:
    import ast

    from lakewarden.sources.repository.code.site import Site
    from lakewarden.sources.repository.code.state import State


def keep(state: State, how: str, path: Value, node: ast.AST | Span) -> None:
    """Keep a load. What IPython and Databricks read as a path of the notebook's own folder is `relative`."""
    if not state.silent:
        state.opened = state.opened or how == "%run"
        state.loads.append(Load(how, path.known, path_place(path), state.span(node)))


def run_magic(state: State, line: str, span: Span) -> None:
    """A line `%run path $widget=value`."""
    rest = line.strip().removeprefix("%run").strip()
    if rest[:1] in ("'", '"'):
        path = rest[1:].partition(rest[0])[0]
    else:
        path = rest.split(" $", 1)[0].split("\t", 1)[0].strip()
        if path.endswith((".py", ".ipynb")) is False and " " in path and not path.startswith((".", "/")):
            path = path.split(" ", 1)[0]
    path = path.replace("$", "") if path.startswith("$") else path
    if path:
        keep(state, "%run", text(path), span)


def notebook_run(state: State, site: Site) -> None:
    """`dbutils.notebook.run`."""
    keep(state, "notebook.run", site.given("path", 0), site.node)


def search_path(state: State, site: Site, path: Value) -> None:
    """`sys.path.append` and `insert`."""
    keep(state, "sys.path", path, site.node)
