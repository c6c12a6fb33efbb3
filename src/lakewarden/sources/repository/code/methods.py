"""What a call does, by what is known of what is called."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import (
    access,
    calls,
    containers,
    declared,
    literals,
    persisted,
    sessions,
    texts,
    touched,
    training,
    workspace_store,
)
from lakewarden.sources.repository.code.apis import (
    APIS,
    FEATURE_CLIENT,
    MLFLOW_CLIENT,
    OLD_FEATURE_CLIENT,
    UNMISTAKABLE,
    UNMISTAKABLE_FEATURE,
    WORKSPACE_CLIENT,
    canonical_class,
    canonical_method,
)
from lakewarden.sources.repository.code.functions import function, of_file, of_mlflow
from lakewarden.sources.repository.code.loads import notebook_run
from lakewarden.sources.repository.code.site import ABSENT, Site, is_given
from lakewarden.sources.repository.code.symbols import called_at, keep_default
from lakewarden.sources.repository.code.values import NONE, UNKNOWN, Value, is_foreign, parameter, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.repository.code.state import Function, State

_LOGGING = frozenset({"info", "debug", "warning", "warn", "error", "exception", "critical", "log", "print", "echo", "secho"})
_SHOWS = ("logging.", "warnings.", "click.echo", "builtins.display", "builtins.print")
#: Methods that call a function, which they are given first, with the arguments behind it.
_STARTS = frozenset({"run", "submit", "apply_async"})
#: Methods of `w.model_registry` that work on stages.
_OF_STAGES = {
    "transition_stage": "mlflow.transition_model_version_stage",
    "create_transition_request": "mlflow.transition_model_version_stage",
    "approve_transition_request": "mlflow.transition_model_version_stage",
    "get_latest_versions": "mlflow.get_latest_versions",
}
#: What a class of a library that trains has for those that extend it.
_INHERITED = frozenset({"fit", "train", "save", "save_model", "save_pretrained"})
_WIDGETS = frozenset({"text", "dropdown", "combobox", "multiselect"})
_KEEPS_SOURCE = frozenset({"search", "versions", "newest", "user", "registered", "logged", "run", "alias", "parameter"})


def is_shown(base: Value, name: str) -> bool:
    """Is the call one that only shows its arguments to people?"""
    if base.ref:
        logs = name in _LOGGING and base.ref.rpartition(".")[2].lower().lstrip("_") in ("log", "logger")
        return logs or (f"{base.ref}.{name}" if name else base.ref).startswith(_SHOWS)
    if base.type == "dbutils.notebook":
        return name == "exit"
    return name in _LOGGING and base.type in ("", "self") and base.source not in ("run", "search")


def call(state: State, base: Value, name: str, site: Site) -> Value:
    """Read a call of `base.name`, or of `base` where the name is empty."""
    if base.ref:
        if name and is_foreign(base.ref):
            found = _of_other_file(state, base, name, site)
            if found is not None:
                return found
        return function(state, canonical_class(f"{base.ref}.{name}") if name else base.ref, site)
    if not name:
        return _value_called(state, base, site)
    if base.text is not None and base.type != "Path":
        made = texts.method(base, name, site)
        literals.note_text(state, site.node, made)
        return made
    handler = _METHODS.get(base.type) or _PARTS.get(base.type.partition(".")[0])
    return handler(state, base, name, site) if handler is not None else UNKNOWN


def _of_other_file(state: State, base: Value, name: str, site: Site) -> Value | None:
    """A method of an object that another file makes, where its name leaves no doubt; None where it may be a function."""
    if name == "get" and site.args and site.args[0].known:
        return Value(name=site.args[0].known, symbol=step(base.place, site.args[0].known))
    if not base.ref.rpartition(".")[2][:1].islower():
        return None  # a class
    api = _unmistakable(name, site)
    if api is not None:
        return calls.record(state, api, site)
    if name in ("fit", "save_pretrained"):
        return _BY_NAME[name](state, name, site)
    return None


def _value_called(state: State, base: Value, site: Site) -> Value:
    if base.type == "function":
        return call_function(state, base.data, site)
    if base.type in ("class", "self"):
        return _made(state, base, site)
    called = called_at(state, base.symbol, site, passes=True) if base.symbol else ()
    if base.source in _KEEPS_SOURCE or called:
        return Value(source=base.source if base.source in _KEEPS_SOURCE else "", name=base.name, symbol=called)
    return UNKNOWN


def _made(state: State, base: Value, site: Site) -> Value:
    """An object of a class of the file."""
    name = base.data if base.type == "class" else state.scope.name.rpartition(".")[0]
    return Value(type="instance", data=name, symbol=called_at(state, ("local", name), site, passes=True))


def call_function(state: State, called: Function, site: Site) -> Value:
    """A call of a function of the file: note how it is called, and return what it returns."""
    if not state.silent:
        state.sites.setdefault(called.name, []).append((state.scope.name, state.swallowed))
        called_at(state, ("local", called.name), site, passes=True)
    return state.summarise(called, site)


def _instance(state: State, base: Value, name: str, site: Site) -> Value:
    """A method of an object of a class of the file, or of a library's class that it extends."""
    if name in _INHERITED and _is_inherited(state, base.data, name):
        return _BY_NAME[name](state, name, site)
    return Value(name=name, symbol=called_at(state, step(base.symbol, name), site, passes=True))


def _is_inherited(state: State, kind: str, name: str) -> bool:
    """Does a class of the file have a method from a library, as a `Trainer` of one's own has `train`?"""
    todo, seen, libraries = [Value(type="class", data=kind)], set(), False
    while todo:
        base = todo.pop()
        if base.type != "class":
            libraries = libraries or (bool(base.ref) and not is_foreign(base.ref) and not base.ref.startswith("builtins."))
        elif name in state.owners.get(base.data, {}):
            return False
        elif base.data not in seen:
            seen.add(base.data)
            todo.extend(state.bases.get(base.data, ()))
    return libraries


def _mlflow_client(state: State, base: Value, name: str, site: Site) -> Value:
    api = canonical_method(base.type, name) or _unmistakable(name, site)
    return calls.record(state, api, site) if api is not None else of_mlflow(name, site)


def _feature_client(state: State, base: Value, name: str, site: Site) -> Value:
    api = canonical_method(base.type, name)
    result = calls.record(state, api, site) if api is not None else UNKNOWN
    if base.data == OLD_FEATURE_CLIENT:
        workspace_store.used(state, name, site)
    touched = access.feature_method(state, name, site)
    return result if result is not UNKNOWN else touched


def _workspace_client(state: State, base: Value, name: str, site: Site) -> Value:
    if base.type == f"{WORKSPACE_CLIENT}.current_user":
        return Value(source="user")
    if base.type == f"{WORKSPACE_CLIENT}.model_registry" and name in _OF_STAGES:
        calls.plain(state, _OF_STAGES[name], site.node)
    api = canonical_method(base.type, name)
    return calls.record(state, api, site) if api is not None else UNKNOWN


def _dbutils(state: State, base: Value, name: str, site: Site) -> Value:
    part = base.type
    if part == "dbutils.widgets":
        return _widget(state, name, site)
    if part == "dbutils.notebook" and name == "run":
        notebook_run(state, site)
    elif part == "dbutils.fs" and name == "mount":
        access.mount(state, site)
    elif part == "dbutils.fs" and name in ("cp", "mv"):
        persisted.copied(state, site, spark=True)
    elif part == "dbutils.jobs.taskValues" and name == "get":
        return parameter(site.given("key", 1).known or "", "value")
    if name == "userName" or any(value.known in ("user", "userName") for value in site.args):
        return Value(source="user")
    return Value(type="dbutils.context")


def _widget(state: State, name: str, site: Site) -> Value:
    if name in ("get", "getArgument"):
        return parameter(site.given("name", 0).known or "", "widget")
    if name in _WIDGETS:
        keep_default(state, "widget", site.given("name", 0).known, site.given("defaultValue", 1))
        literals.note_default(state, site.node, site.given("name", 0), site.given("defaultValue", 1))
    return Value(type="namespace", symbol=("widget",)) if name == "getAll" else UNKNOWN


def _session(state: State, base: Value, name: str, site: Site) -> Value:
    """A Spark session and its parts: its configuration, its catalog, its builder."""
    if base.type == "SparkSession":
        return access.session_method(state, name, site)
    if base.type == "SparkSession.conf":
        return _configuration(state, name, site)
    if base.type == "SparkSession.sparkContext" and name in ("textFile", "wholeTextFiles"):
        return access.lines_of(state, name, site)
    if base.type == "SparkSession.catalog" and name in ("createTable", "createExternalTable"):
        access.created(state, site)
    if base.type == "SparkSession.catalog" and name == "setCurrentCatalog":
        literals.note_catalog(state, site.node, site.given("catalogName", 0))
        touched.used(state, site.node, site.given("catalogName", 0))
        declared.chosen(state, site.node, "catalog", site.given("catalogName", 0))
    if base.type == "SparkSession.catalog" and name == "setCurrentDatabase":
        declared.chosen(state, site.node, "schema", site.given("dbName", 0))
    if not base.type.startswith("SparkSession.builder"):
        return UNKNOWN
    return Value(type="SparkSession") if name == "getOrCreate" else base


def _configuration(state: State, name: str, site: Site) -> Value:
    key = site.given("key", 0)
    if name == "get":
        literals.note_default(state, site.node, key, site.given("default", 1))
        keep_default(state, "conf", key.known, site.get(("default", 1)))
        return parameter(key.known or "", "conf")
    if name == "set" and key.known == "spark.mlflow.modelRegistryUri":
        known = site.given("value", 1).known
        calls.plain(state, "mlflow.set_registry_uri", site.node, known, () if known is not None else ("its value",))
    return UNKNOWN


def _unknown(state: State, base: Value, name: str, site: Site) -> Value:
    """A method of something of unknown class: followed where its name leaves no doubt."""
    api = _unmistakable(name, site)
    if api is not None:
        return calls.record(state, api, site)
    handler = _BY_NAME.get(name)
    if handler is not None:
        return handler(state, name, site)
    if name in _STARTS and site.args and site.args[0].type == "function":
        _started(state, site)
    if name in access.FRAME_WRITES:
        access.frame_write(state, name, site)
    elif name == "sql" and not base.source and len(site.args) == 1 and site.args[0].text is not None:
        return access.of_sql(state, site.node, site.args[0])
    if name == "get" and site.args and site.args[0].known == "current_stage":
        calls.stage_read(state, site.node)
    if base.symbol and name == "get" and site.args and site.args[0].known:
        keys = [value.known or "*" for value in site.args[:2]] if base.symbol[0] == "file" else [site.args[0].known]
        return Value(source=base.source, name=str(keys[-1]), symbol=step(base.symbol, *keys))
    symbol = called_at(state, step(base.symbol, name), site, passes=True) if base.symbol else ()
    if base.source in _KEEPS_SOURCE:
        data = base.data if base.source == "versions" else None
        return Value(source=base.source, name=base.name, data=data, symbol=symbol)
    return Value(name=name, symbol=symbol) if symbol else UNKNOWN


def _unmistakable(name: str, site: Site) -> str | None:
    """The API that no other library has, by the name of the method and the arguments that it needs."""
    api = f"mlflow.{name}"
    if name in UNMISTAKABLE and api in APIS and site.get(APIS[api].model) is not ABSENT:
        return api
    if name == "search_model_versions":
        return api
    if name == "update_model_version" and is_given(site.get(("stage", -1))):
        return "mlflow.transition_model_version_stage"
    if name in UNMISTAKABLE_FEATURE or (name == "log_model" and is_given(site.get(("training_set", -1)))):
        return f"{FEATURE_CLIENT}.{name}"
    return None


def _frame(state: State, base: Value, name: str, site: Site) -> Value:
    """A method of a Spark data frame: what stems from the user who asks stays so."""
    found = _unknown(state, Value(), name, site)
    return Value(source="user") if found is UNKNOWN and base.source == "user" else found


def _started(state: State, site: Site) -> None:
    """`distributor.run(train, path)`: a function of the file that is called with the arguments behind it."""
    name = site.args[0].data.name
    if name in state.functions:
        called_at(state, ("local", name), site._replace(args=site.args[1:]), passes=True)


def _file(state: State, base: Value, name: str, site: Site) -> Value:
    """A method of a file that is open."""
    if name == "write":
        persisted.written(state, base, site)
    return base if name in ("read", "readlines") else UNKNOWN


def _path(_state: State, base: Value, name: str, site: Site) -> Value:
    """A method of a path: the path itself in another form, or one below it."""
    if name in ("resolve", "absolute", "expanduser"):
        return base
    if name in ("read_text", "open"):
        return Value(type="file", data=base._replace(type=""))
    if name == "joinpath" and not site.spread:
        return texts.path_join((base, *site.args))._replace(type="Path")
    return UNKNOWN


def _parser(state: State, base: Value, name: str, site: Site) -> Value:
    """`configparser`: once it has read a file, its name stands for what the file holds."""
    func = site.node.func
    if name in ("read", "read_file") and site.args and isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        first = site.args[0]
        state.scope.bind(func.value.id, of_file(first.data if first.type == "file" else first))
    return base


def _option(state: State, _name: str, site: Site) -> Value:
    literals.note_default(state, site.node, site.given("dest", 0), site.given("default", -1))
    flag = next((value.known for value in reversed(site.args) if value.known and value.known.startswith("--")), None)
    name = site.given("dest", -1).known or flag or (site.args[0].known if site.args else None)
    keep_default(state, "option", (name or "").lstrip("-").replace("-", "_"), site.get(("default", -1)))
    return UNKNOWN


def _monitored(state: State, _name: str, _site: Site) -> Value:
    state.signs.add("monitor")
    return UNKNOWN


_OPTIONS = Value(type="namespace", symbol=("option",))
_BY_NAME: dict[str, Callable[[State, str, Site], Value]] = {
    **dict.fromkeys(("textFile", "wholeTextFiles", "saveAsTextFile"), access.lines_of),
    "writeTo": lambda _state, _name, site: Value(type=access.WRITER2, data=(NONE, site.given("table", 0))),
    "fit": training.fitted,
    "backward": training.stepped,
    "train": training.fitted,
    "save": persisted.saved,
    "save_model": persisted.saved,
    "save_pretrained": persisted.saved,
    "add_argument": _option,
    "add_option": _option,
    "parse_args": lambda _state, _name, _site: _OPTIONS,
    "parse_known_args": lambda _state, _name, _site: Value(type="list", data=(_OPTIONS, UNKNOWN)),
    "getOrCreate": lambda _state, _name, _site: Value(type="SparkSession"),
    "master": lambda state, _name, site: sessions.mastered(state, site),
    "create_monitor": _monitored,
}
_METHODS: dict[str, Callable[[State, Value, str, Site], Value]] = {
    "": _unknown,
    "instance": _instance,
    "dict": containers.method,
    "list": containers.changed,
    "file": _file,
    "configparser": _parser,
    "pandas": _unknown,
    "Path": _path,
    MLFLOW_CLIENT: _mlflow_client,
    FEATURE_CLIENT: _feature_client,
    access.READER: access.reader_method,
    access.WRITER: access.writer_method,
    access.WRITER2: access.writer2_method,
    access.DELTA: access.delta_method,
    access.BUILDER: access.delta_method,
    access.FRAME: _frame,
}
_PARTS: dict[str, Callable[[State, Value, str, Site], Value]] = {
    "SparkSession": _session,
    WORKSPACE_CLIENT: _workspace_client,
    "dbutils": _dbutils,
}
