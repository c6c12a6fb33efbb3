"""Names of objects that are written out: catalogs, tables, hosts, experiments, URIs of models."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import declared, experiments, routes
from lakewarden.sources.repository.code.result import Hole, Literal, Span
from lakewarden.sources.repository.code.values import HOLE, UNKNOWN, Value, fill, storable

if TYPE_CHECKING:
    import ast

    from lakewarden.sources.repository.code.state import State

_STAGES = frozenset({"production", "staging", "archived", "none"})
_NOT_TABLES = frozenset({
    "com", "net", "org", "io", "ai", "py", "json", "csv", "yaml", "yml", "txt", "md", "html", "jar", "whl", "zip", "parquet",
    "sql", "ipynb", "pkl", "png", "jpg", "log", "conf", "cfg", "toml", "gz",
})  # fmt: skip
#: How many dots a full name has, and how long a name may be.
_DOTS, _MAX_NAME = 2, 200
_JUST_NOTED = 8
_BY_SOURCE = {"parameter": "parameter", "newest": "latest", "registered": "run", "logged": "run", "alias": "alias"}


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """Compiled on first use: most files need none of them."""
    return re.compile(_PATTERNS[name])


_PATTERNS = {
    "name": r"[A-Za-z_][\w-]*",
    "table": r"[A-Za-z_][\w-]*\.[A-Za-z_][\w-]*\.[A-Za-z_][\w-]*",
    "catalog words": r"(?:^|[_\-. ])(?:catalog|uc)(?:[_\-. ]?name)?$|^(?:catalog|uc_catalog)",
    "table words": r"table|model|feature|dataset|source|target|view|input|output|prediction|volume",
    "host": r"(?:https?://)?[A-Za-z0-9][\w.-]*\.(?:cloud\.databricks\.com|gcp\.databricks\.com|azuredatabricks\.net|databricks\.azure\.(?:us|cn))",
    "volume": r"(?:dbfs:|/dbfs)?/Volumes/([A-Za-z_][\w-]*)/",
    # Catalogs of models that Databricks ships, by itself or through its Marketplace.
    "shipped": r"(?i:system|databricks_\w+_models?)\.",
    # Strings and names in turn, the first of which begins a URI.
    "joined": r"'models:/[^']*'(?:\s*(?:,|\|\|)\s*[\w.`]+\s*(?:,|\|\|)\s*'[^']*')+",
    "string": r"'([^']*)'",
    "uri": r"models:/([\w$\0][\w .\-$<>\0]*?)(?:/([\w.\-\0]+)|@([\w.\-\0]+))",
}


def note_text(state: State, node: ast.AST | Span, value: Value) -> None:
    """Look at a text wherever it stands: URIs of models and hosts of workspaces."""
    template = value.text
    if template is None or state.dead or state.silent:
        return
    declared.noted(state, node, value)
    if "-" in template and "/" in template:
        routes.noted(state, node, value)
    if "models:/" in template:
        note_model_uri(state, node, value)
    if "/Volumes/" in template:
        note_volume(state, node, value)
    if ".databricks." in template or "azuredatabricks" in template:
        _note_hosts(state, node, template)


def note_model_uri(state: State, node: ast.AST | Span, value: Value) -> None:
    """Keep the URI of a model version when it is one: `models:/name/version` or `models:/name@alias`."""
    named = _model_catalog(value)
    if named == "" and not value.holes:
        joined = _joined(value.text or "")
        named = _model_catalog(joined)
        value = joined
    if named == "":
        return
    if named == "none" and not (value.text or "").lstrip().startswith("models:/"):
        named = "given"  # a sentence about a URI names no model of its own
    late = storable(value) if any(hole.symbol for hole in value.holes) else None
    state.literal(Literal("model_uri", _shown(value), named, False, version_of(value), state.span(node), False, late=late))


def _joined(template: str) -> Value:
    """The URI that SQL joins from strings and columns, by `concat` or `||`."""
    found = _pattern("joined").search(template)
    if found is None:
        return UNKNOWN
    parts = _pattern("string").split(found[0])
    texts, columns = parts[1::2], parts[2:-1:2]
    return Value(
        text="".join(text + (HOLE if column else "") for text, column in zip(texts, (*columns, ""), strict=True)),
        holes=tuple(Hole(name=column.strip(" ,|\n\t")) for column in columns),
    )


def _model_catalog(value: Value) -> str | None:
    """The catalog of the model that a URI names; `none` for a name of one level, `given` for a full name whose catalog is
    not written there, empty for what is no such URI.
    """
    found = _pattern("uri").search(value.text or "")
    if found is None:
        return ""
    first, dot, _ = found[1].partition(".")
    if dot and HOLE not in first:
        return first.lower()
    if found[1].count(".") >= _DOTS:
        return "given"
    return None if HOLE in found[1] else "none"


def uri_again(literal: Literal, value: Value) -> Literal:
    """The URI of a model, now that more is known of it. A catalog that stands elsewhere is told there."""
    named = _model_catalog(value)
    if named not in (None, "", "none") and named != literal.named:
        named = "given"
    return literal._replace(named=named, version_by=version_of(value)) if named != "" else literal


def version_of(value: Value) -> str | None:
    """How a `models:/` or `runs:/` URI picks the version; None where it is not known or the text is no such URI."""
    template = value.text or ""
    if template.startswith("runs:/"):
        return "parameter" if value.holes and value.holes[0].source == "parameter" else "run"
    found = _pattern("uri").search(template)
    if found is None:
        return None
    if found[3] is not None:
        return "alias"
    version = found[2]
    if _pattern("shipped").match(found[1]):
        return "foreign"
    if version.isdigit():
        return "number"
    if version.lower() == "latest":
        return "latest"
    if version.lower() in _STAGES:
        return "stage"
    if version == HOLE:
        hole = value.holes[template[: found.start(2)].count(HOLE)]
        # Where a version is asked for, the only other word that MLflow takes is a stage.
        return "stage" if hole.name.lower().rpartition("_")[2] == "stage" else _BY_SOURCE.get(hole.source)
    return None


def note_loaded(state: State, node: ast.AST | Span, value: Value) -> None:
    """Keep a `runs:/` URI that a model is loaded by."""
    if value.text is not None and value.text.startswith("runs:/"):
        state.literal(Literal("model_uri", _shown(value), "given", False, version_of(value), state.span(node), False))


def note_table(state: State, node: ast.AST | Span, value: Value, *, default: bool = False, is_write: bool | None = None) -> None:
    """Keep a name of three levels whose catalog is written out."""
    template = (value.text or "").replace("`", "").strip()
    parts = template.split(".")
    if len(parts) == _DOTS + 1 and parts[0] and HOLE not in parts[0] and _pattern("name").fullmatch(parts[0]):
        state.literal(Literal("table", _shown(value), parts[0].lower(), default, "none", state.span(node), is_write))


def note_model_name(state: State, node: ast.AST | Span, value: Value) -> None:
    """Keep the name of a model whose catalog is written out."""
    template = (value.text or "").strip()
    catalog = template.split(".", 1)[0]
    if template.count(".") >= _DOTS and HOLE not in catalog and _pattern("name").fullmatch(catalog):
        state.literal(Literal("table", _shown(value), catalog.lower(), False, "none", state.span(node), True))


def note_catalog(state: State, node: ast.AST | Span, value: Value, *, default: bool = False) -> None:
    """Keep the name of a catalog."""
    known = value.known
    if known is not None:
        name = known.strip("` ")
        if _pattern("name").fullmatch(name):
            state.literal(Literal("catalog", name, name.lower(), default, "none", state.span(node)))


def note_experiment(
    state: State, node: ast.AST | Span, value: Value, *, default: bool = False, is_write: bool | None = None
) -> None:
    """Keep the path of an experiment, when all of it is known."""
    known = value.known
    if known:
        state.literal(Literal("experiment", known, known, default, "none", state.span(node), is_write))


def note_named(state: State, node: ast.AST | Span, name: str, value: Value, *, default: bool = False) -> None:
    """Look at a text that something is called by: a variable, a keyword, a widget, a key of a dictionary."""
    known = value.known
    lower = name.lower()
    if "experiment" in lower and not default and not state.dead:
        experiments.named(state, node, value)
    if not known or state.dead or state.silent or len(known) > _MAX_NAME:
        return
    if "catalog" in lower or lower.startswith("uc") or lower.endswith("uc"):
        if _pattern("catalog words").search(lower):
            note_catalog(state, node, value, default=default)
    elif "experiment" in lower and known.startswith("/") and "/" in known[1:]:
        note_experiment(state, node, value, default=default)
    elif _pattern("table words").search(lower) and _is_table_name(known):
        note_table(state, node, value, default=default)


def _is_table_name(text: str) -> bool:
    """Does a text look like a name of three levels, rather than like a host or a file?"""
    if text.count(".") != _DOTS or _pattern("table").fullmatch(text) is None:
        return False
    return text.rpartition(".")[2].lower() not in _NOT_TABLES


def note_default(state: State, node: ast.AST | Span, name: Value, default: Value) -> None:
    """Look at the default of a widget, an option, a setting: it counts where nobody gives another value."""
    if default.text is not None:
        _mark_default(state, node, default)
        note_named(state, node, name.known or "", default, default=True)


def _mark_default(state: State, node: ast.AST | Span, default: Value) -> None:
    """What was just noted of the text itself, a URI or a host, is a default too."""
    span, shown = state.span(node), _shown(default).lower()
    for at in range(max(0, len(state.literals) - _JUST_NOTED), len(state.literals)):
        literal = state.literals[at]
        same = literal.value.lower().removeprefix("https://") in shown
        if literal.kind in ("model_uri", "host", "volume") and same and span.holds(literal.span):
            state.literals[at] = literal._replace(is_default=True)


def note_volume(state: State, node: ast.AST | Span, value: Value, *, is_write: bool | None = None) -> None:
    """Keep a path on a volume whose catalog is written out."""
    found = _pattern("volume").match((value.text or "").strip())
    if found is not None:
        state.literal(Literal("volume", _shown(value), found[1].lower(), False, "none", state.span(node), is_write))


def _note_hosts(state: State, node: ast.AST | Span, template: str) -> None:
    for found in _pattern("host").finditer(template):
        host = found[0].lower().removeprefix("https://").removeprefix("http://")
        if not host.startswith(("accounts.", "community.")):
            url = f"https://{host}"
            state.literal(Literal("host", url, url, False, "none", state.span(node)))


def _shown(value: Value) -> str:
    return fill(value.text or "", value.holes)
