"""Tables that the code of a pipeline defines: by decorators, or by calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import declared, roles
from lakewarden.sources.repository.code.site import ABSENT, HIDDEN, Site
from lakewarden.sources.repository.code.touched import of_table
from lakewarden.sources.repository.code.values import NONE, UNKNOWN, Value, text

if TYPE_CHECKING:
    import ast

    from lakewarden.sources.repository.code.state import State

PIPELINE_TABLE = "pipeline table"
_PIPELINES = ("dlt", "pyspark.pipelines")
_VIEWS = frozenset({"view", "temporary_view"})
#: Decorators of functions that define a table or a view of a pipeline; with functions that make a table.
PIPELINE_TABLES = frozenset(
    f"{module}.{name}" for module in _PIPELINES for name in ("table", "create_table", "materialized_view", *_VIEWS)
)
PIPELINE_CALLS = PIPELINE_TABLES | {
    f"{module}.{name}"
    for module in _PIPELINES
    for name in ("create_streaming_table", "create_streaming_live_table", "create_target_table")
}


def pipeline_made(state: State, site: Site, ref: str) -> Value:
    """A call of a function of pipelines: a decorator that makes a table, or the table itself."""
    name = site.get(("name", 0))
    if ref in PIPELINE_TABLES:
        return Value(type=PIPELINE_TABLE, data=(ref, name, declared.keys_of_schema(site.get(("schema", -1)))))
    if name is not ABSENT and name is not HIDDEN:
        of_table(state, site.node, "write", name, NONE)
        declared.made_by_pipeline(state, site.node, name, declared.keys_of_schema(site.get(("schema", -1))))
    return UNKNOWN


def pipeline_table(state: State, node: ast.AST, function: str, made: Value) -> None:
    """A function that defines a table of a pipeline, which has the function's name unless another is given."""
    ref, name, keys = made.data if made.type == PIPELINE_TABLE else (made.ref, ABSENT, ())
    if roles.is_raw(function):
        state.signs.add("ingestion")
    if ref.rpartition(".")[2] not in _VIEWS:
        own = text(function) if name is ABSENT else UNKNOWN if name is HIDDEN else name
        of_table(state, node, "write", own, NONE)
        declared.made_by_pipeline(state, node, own, keys)
