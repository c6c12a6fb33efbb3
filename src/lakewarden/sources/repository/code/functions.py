"""What a call of a function or class does, by its dotted name."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import access, calls, persisted, pipelines, sessions, texts, workspace_store
from lakewarden.sources.repository.code.apis import FEATURE_CLIENT, MLFLOW_CLIENT, WORKSPACE_CLIENT, canonical
from lakewarden.sources.repository.code.literals import note_default
from lakewarden.sources.repository.code.loads import search_path
from lakewarden.sources.repository.code.result import Given, Import
from lakewarden.sources.repository.code.site import ABSENT
from lakewarden.sources.repository.code.symbols import called_at, keep_default
from lakewarden.sources.repository.code.values import NONE, UNKNOWN, Value, is_foreign, parameter, storable, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.repository.code.site import Site
    from lakewarden.sources.repository.code.state import State

_TRAINERS = frozenset({"xgboost.train", "lightgbm.train", "xgboost.spark.train", "catboost.train"})
_RUNS = frozenset({"start_run", "active_run", "last_active_run", "get_run"})
_SEARCHES = frozenset({"search_runs", "search_logged_models", "list_run_infos"})
_SAME_PATH = frozenset({"os.path.abspath", "os.path.normpath", "os.path.realpath", "os.path.expanduser", "os.fspath"})
_SAME_VALUE = frozenset({"int", "str", "list", "tuple", "next", "reversed"})
#: What a field or an option is when nobody gives another value.
_DEFAULTING = (
    "typer.Option", "typer.Argument", "pydantic.Field", "pydantic.fields.Field", "pydantic_settings.Field", "dataclasses.field", "attr.ib", "attrs.field",
)  # fmt: skip
_BY_VERSION = frozenset({"version", "creation_timestamp", "last_updated_timestamp"})


def function(state: State, ref: str, site: Site) -> Value:
    """Read a call of a function or class of a module."""
    known = _KNOWN.get(ref)
    if known is not None:
        return known(state, site)
    api = canonical(ref)
    if api is not None:
        return persisted.dumped(state, site, api) if api in persisted.DUMPS else calls.record(state, api, site, ref)
    package, _, last = ref.rpartition(".")
    by_package = _PACKAGES.get(package)
    if by_package is not None:
        return by_package(state, last, site)
    if package.startswith("mlflow"):
        return of_mlflow(last, site)
    if package.startswith(access.FRAME_LIBRARIES):
        return access.pandas_read(state, ref, site)
    if last in ("getOrCreate", "master") or ref.endswith("SparkSession.builder"):
        return sessions.mastered(state, site) if last == "master" else Value(type="SparkSession")
    if last == "TrainingArguments":
        _training_arguments(state, site)
    elif last == "create_monitor":
        state.signs.add("monitor")
    if not is_foreign(ref):
        return UNKNOWN
    return Value(name=last, symbol=called_at(state, ("module", ref), site, passes=True))


def of_mlflow(name: str, site: Site) -> Value:
    """A function of MLflow, or a method of its client, that no rule asks about, but whose result matters."""
    if name in _RUNS:
        return Value(source="run")
    if name in _SEARCHES:
        return _found_runs(site)
    return NONE if name == "get_registry_uri" else UNKNOWN


def _found_runs(site: Site) -> Value:
    """What a search for runs finds: another run, unless it is narrowed to this one or its children."""
    wanted = site.given("filter_string", 1)
    narrow = "run" in wanted.sources or any(word in (wanted.text or "") for word in ("parentRunId", "run_id"))
    return Value(source="run" if narrow else "search")


def _builtin(state: State, name: str, site: Site) -> Value:
    first = _first(site)
    if name in ("max", "min"):
        return _picked(state, site)
    if name == "sorted" and first.source == "versions" and _by_version(site):
        return calls.mark_newest(state, first)
    if name in ("enumerate", "zip"):
        return _paired(name, site)
    if name == "str" and first.type == "const":
        return text(str(first.data))
    same = name == "sorted" or (name in _SAME_VALUE and not first.ref)
    return first if same else UNKNOWN


def _picked(state: State, site: Site) -> Value:
    """`max` and `min`: of the versions that a search found, the newest."""
    for value in site.args:
        if value.source == "versions":
            return calls.mark_newest(state, value)
    source = _first(site).source
    return Value(source=source) if source in ("newest", "search", "registered") else UNKNOWN


def _paired(name: str, site: Site) -> Value:
    """`enumerate` and `zip` of lists that are known."""
    lists = [value for value in site.args if value.type == "list"]
    if not lists or (name == "zip" and len(lists) < len(site.args)) or site.spread:
        return UNKNOWN
    columns = [(UNKNOWN,) * len(lists[0].data), lists[0].data] if name == "enumerate" else [value.data for value in lists]
    return Value(type="list", data=tuple(Value(type="list", data=row) for row in zip(*columns)))  # noqa: B905 - as the code does


def _by_version(site: Site) -> bool:
    """Are versions sorted by number or by time?"""
    keys = [keyword.value for keyword in site.node.keywords if keyword.arg == "key"]
    words = {getattr(node, "attr", None) or getattr(node, "value", None) for key in keys for node in ast.walk(key)}
    return not keys or bool(words & _BY_VERSION)


def _first(site: Site) -> Value:
    return site.args[0] if site.args else UNKNOWN


def _training_arguments(state: State, site: Site) -> None:
    """`transformers.TrainingArguments(report_to=…)`: a callback of MLflow when it says so, or says nothing where MLflow is
    used.
    """
    given = site.get(("report_to", -1))
    names = [item.known for item in given.data] if given.type == "list" else [given.known]
    by_default = given is ABSENT and any(found.module.partition(".")[0] == "mlflow" for found in state.imports)
    if "mlflow" in names or "all" in names or by_default:
        calls.record(state, "mlflow.callback", site)


def _client(state: State, site: Site) -> Value:
    calls.record(state, MLFLOW_CLIENT, site)
    return Value(type=MLFLOW_CLIENT)


def _lookup(state: State, site: Site) -> Value:
    calls.lookup(state, site)
    return Value(type="lookup", data=site.given("table_name", 0))


def _environment(state: State, site: Site) -> Value:
    note_default(state, site.node, _first(site), site.given("default", 1))
    keep_default(state, "env", _first(site).known, site.get(("default", 1)))
    return parameter(_first(site).known or "", "env")


def _argument(state: State, site: Site) -> Value:
    keep_default(state, "widget", _first(site).known, site.get(("defaultValue", 1)))
    return parameter(_first(site).known or "", "widget")


def _click(state: State, site: Site) -> Value:
    """An option of a command: its longest flag is the name of the parameter."""
    flags = [value.known or "" for value in site.args]
    name = max(flags, key=len, default="").lstrip("-").replace("-", "_")
    note_default(state, site.node, text(name), site.given("default", -1))
    keep_default(state, "option", name, site.get(("default", -1)))
    return UNKNOWN


def _loaded(_state: State, site: Site) -> Value:
    """What a configuration file holds."""
    first = _first(site)
    return of_file(first.data if first.type == "file" else first if first.text is not None else UNKNOWN)


def of_file(path: Value) -> Value:
    """What the file at a path holds."""
    kept = storable(path)
    return Value(symbol=("file", Given((("0", kept),)))) if kept is not None else UNKNOWN


def _set_environment(state: State, site: Site) -> Value:
    if _first(site).known == "MLFLOW_REGISTRY_URI":
        known = site.given("value", 1).known
        calls.plain(state, "mlflow.set_registry_uri", site.node, known, () if known is not None else ("its value",))
    return UNKNOWN


def _append_path(state: State, site: Site) -> Value:
    search_path(state, site, site.args[-1] if site.args else UNKNOWN)
    return UNKNOWN


def _folder(_state: State, site: Site) -> Value:
    return texts.parent(_first(site))


def _import(state: State, site: Site) -> Value:
    """A module that is loaded by its name; without a name where that is not known."""
    if not state.silent:
        name = _first(site).known or ""
        state.imports.append(Import("" if name.startswith(".") else name, (), state.span(site.node)))
    return UNKNOWN


def _execute(state: State, site: Site) -> Value:
    """Code that is run as a text or from a file."""
    if not state.silent:
        state.imports.append(Import("", (), state.span(site.node)))
    return UNKNOWN


def _path(_state: State, site: Site) -> Value:
    whole = texts.path_join(site.args) if site.args and not site.spread else UNKNOWN
    return whole._replace(type="Path") if whole.text is not None else UNKNOWN


_KNOWN: dict[str, Callable[[State, Site], Value]] = {
    MLFLOW_CLIENT: _client,
    FEATURE_CLIENT: workspace_store.made,
    WORKSPACE_CLIENT: lambda _state, _site: Value(type=WORKSPACE_CLIENT),
    "DBUtils": lambda _state, _site: Value(type="dbutils"),
    "FeatureLookup": _lookup,
    "builtins.open": access.opened,
    "builtins.sql": lambda state, site: access.of_sql(state, site.node, _first(site)),
    "builtins.__import__": _import,
    "importlib.import_module": _import,
    "builtins.exec": _execute,
    "runpy.run_path": _execute,
    "runpy.run_module": _import,
    "builtins.getArgument": _argument,
    "mlflow.set_tracking_uri": calls.server,
    "configparser.ConfigParser": lambda _state, _site: Value(type="configparser"),
    "configparser.RawConfigParser": lambda _state, _site: Value(type="configparser"),
    "click.option": _click,
    "click.argument": _click,
    **{name: lambda _state, site: site.given("default", 0) for name in _DEFAULTING},
    "omegaconf.OmegaConf.load": _loaded,
    **{
        f"{module}.{name}": _loaded
        for module in ("yaml", "json", "toml", "tomllib", "tomli")
        for name in ("load", "loads", "safe_load", "full_load")
    },
    "os.getenv": _environment,
    "os.environ.get": _environment,
    "os.environ.setdefault": _set_environment,
    "os.path.join": lambda _state, site: texts.path_join(site.args) if not site.spread else UNKNOWN,
    "sys.path.append": _append_path,
    "sys.path.insert": _append_path,
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "pathlib.PosixPath": _path,
    "pathlib.Path.cwd": lambda _state, _site: Value(type="Path", text="."),
    "os.getcwd": lambda _state, _site: text("."),
    "os.path.dirname": _folder,
    **dict.fromkeys(persisted.COPIES, partial(persisted.copied, spark=False)),
    **dict.fromkeys(persisted.SAVERS, persisted.saved_by),
    "io.BytesIO": lambda _state, _site: Value(type="buffer"),
    "io.StringIO": lambda _state, _site: Value(type="buffer"),
    **{name: partial(pipelines.pipeline_made, ref=name) for name in pipelines.PIPELINE_CALLS},
    **{name: lambda _state, site: _first(site) for name in _SAME_PATH},
    **{name: lambda state, site: calls.record(state, "fit", site) for name in _TRAINERS},
}
_PACKAGES: dict[str, Callable[[State, str, Site], Value]] = {
    "builtins": _builtin,
    "delta.DeltaTable": access.delta_class,
}
