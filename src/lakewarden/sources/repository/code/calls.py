"""Turns a call of a known API into a row of `code_calls`, and says what the call returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code import literals
from lakewarden.sources.repository.code.apis import (
    APIS,
    FEATURE_CLIENT,
    MLFLOW_CLIENT,
    REFUSED_SINCE_3,
    Api,
)
from lakewarden.sources.repository.code.copies import catalogs
from lakewarden.sources.repository.code.places import path_place, workspace_place
from lakewarden.sources.repository.code.result import Call, Lookup
from lakewarden.sources.repository.code.site import ABSENT, Site, is_given
from lakewarden.sources.repository.code.values import HOLE, UNKNOWN, Value, levels

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from lakewarden.sources.repository.code.state import State

_RETURNS = {
    "mlflow.log_model": "logged",
    f"{FEATURE_CLIENT}.log_model": "logged",
    "mlflow.register_model": "registered",
    "mlflow.create_model_version": "registered",
    "mlflow.copy_model_version": "registered",
    "mlflow.get_latest_versions": "newest",
    "mlflow.start_run": "run",
}
_VERSION_FROM = {
    "newest": "newest",
    "registered": "run",
    "logged": "run",
    "run": "run",
    "alias": "alias",
    "parameter": "parameter",
}
_URI_FROM = {
    "alias": "alias",
    "number": "literal",
    "stage": "literal",
    "latest": "newest",
    "run": "run",
    "parameter": "parameter",
}
_MODEL_FROM = {"search": "search", "run": "run", "logged": "run", "parameter": "parameter"}
_OF_REGISTRY = frozenset({"mlflow.set_registry_uri", MLFLOW_CLIENT})
_LOGGERS = frozenset({"mlflow.log_model", f"{FEATURE_CLIENT}.log_model"})
#: Flavors whose models have a signature by their kind, and those of which only some have one.
_SIGNING = frozenset({"transformers", "sentence_transformers", "openai"})
_SOMETIMES_SIGNING = frozenset({"langchain"})
_COMMIT = "mlflow.source.git.commit"
#: A flavor's `log_model` takes the signature by position only far behind.
_FAR = 6


def record(state: State, api: str, site: Site, ref: str = "") -> Value:
    """Keep a call of an API, look at its arguments for names of objects, and return what is known of its result.

    `ref` is the dotted name that the code calls it by, where that is known: it tells the flavor of MLflow.
    """
    about = APIS[api]
    if about.sign:
        state.signs.add(about.sign)
    if api == MLFLOW_CLIENT and not is_given(site.get(about.argument)):
        return UNKNOWN
    unclear: list[str] = []
    columns = _columns(api, about, site, unclear)
    if api in _LOGGERS:
        columns["has_signature"] = _has_signature(state, api, ref, site, unclear)
    if about.model is not None and site.get(about.model).text:
        literals.note_model_name(state, site.node, site.get(about.model))
    if about.model_uri is not None:
        columns["version_from"] = _loaded(state, site, about.model_uri, unclear)
    result = Value(source=_RETURNS.get(api, ""))
    further = _FURTHER.get(api)
    if further is not None:
        result = further(state, site, columns, unclear) or result
    number = state.call(
        Call(
            api,
            state.span(site.node),
            swallowed=state.swallowed,
            doubtful=_doubtful(api, site),
            unclear=tuple(unclear),
            function=state.scope.name,
            **columns,
        )
    )
    return result._replace(data=number) if result.source == "versions" else result


def _columns(api: str, about: Api, site: Site, unclear: list[str]) -> dict[str, Any]:
    """The columns that the table of APIs tells how to read."""
    columns: dict[str, Any] = {}
    if about.argument is not None:
        registry = _registry(site.get(about.argument)) if api in _OF_REGISTRY else None
        what = "the argument" if about.model is None else "the model name"
        columns["argument"] = registry or _argument(site.get(about.argument), unclear, what)
    if about.path:
        columns["path_place"] = _path(site.get(about.argument), about.path, unclear)
        if about.path == "file":
            columns["is_checkpoint"] = _is_checkpoint(site.get(about.argument))
    if about.model is not None:
        columns["name_levels"] = _levels(site.get(about.model), unclear)
    if api in _LOGGERS:
        columns["model_from"] = {True: "run", False: "none", None: None}[is_given(site.get(about.model))]
    elif about.model_source is not None:
        model_from = columns["model_from"] = _model_from(site, about, unclear)
        columns["from_catalog"], columns["to_catalog"] = catalogs(site, about, model_from)
        if model_from == "copy" and None in (columns["from_catalog"], columns["to_catalog"]):
            unclear.append("the catalog of a model")
    if about.version is not None:
        columns["version_from"] = _version_from(site.get(about.version), unclear)
    return columns


def _newest(_state: State, _site: Site, columns: dict[str, Any], _unclear: list[str]) -> None:
    columns["version_from"] = "newest"


def _search(_state: State, site: Site, columns: dict[str, Any], _unclear: list[str]) -> Value:
    columns["version_from"], source = _searched(site)
    return Value(source=source)


def _autolog(_state: State, site: Site, columns: dict[str, Any], unclear: list[str]) -> None:
    columns["disables"] = _truth(site.get(("disable", -1)), unclear)


def _tag(_state: State, site: Site, columns: dict[str, Any], unclear: list[str]) -> None:
    columns["is_approval"] = _is_approval(site, unclear)


def _tags(state: State, site: Site, _columns: dict[str, Any], _unclear: list[str]) -> None:
    tags = site.given("tags", 0)
    if tags.type == "dict" and _COMMIT in tags.data:
        plain(state, "mlflow.set_tag", site.node, _COMMIT)


def _experiment(state: State, site: Site, _columns: dict[str, Any], _unclear: list[str]) -> None:
    literals.note_experiment(state, site.node, site.given("experiment_name", 0), is_write=True)


def _evaluate(state: State, site: Site, _columns: dict[str, Any], _unclear: list[str]) -> None:
    if is_given(site.get(("validation_thresholds", -1))):
        state.signs.add("validation")


def plain(state: State, api: str, node: ast.AST, argument: str | None = "none", unclear: tuple[str, ...] = ()) -> None:
    """Keep something that has the effect of a call: an attribute, an assignment to the environment."""
    state.call(Call(api, state.span(node), argument, swallowed=state.swallowed, unclear=unclear, function=state.scope.name))


def mark_newest(state: State, value: Value) -> Value:
    """The newest of the versions that a search found was picked: say so of the search."""
    if isinstance(value.data, int) and not state.silent and value.data < len(state.calls):
        call = state.calls[value.data]
        state.calls[value.data] = call._replace(version_from="newest")
    return Value(source="newest")


def lookup(state: State, site: Site) -> None:
    """Keep a look-up of features."""
    table = site.given("table_name", 0)
    literals.note_table(state, site.node, table, is_write=False)
    when = is_given(site.get(("timestamp_lookup_key", -1)))
    if not state.silent:
        state.signs.add("lookup")
        state.lookups.append(Lookup(table.known, when, state.span(site.node)))


def _registry(value: Value) -> str | None:
    """The registry that a URI chooses, without the profile or the workspace: `databricks://prod` is `databricks`."""
    name, found, _ = (value.text or "").partition("://")
    return name if found and name in ("databricks", "databricks-uc") else None


def _argument(value: Value, unclear: list[str], what: str) -> str | None:
    if value is ABSENT:
        return "none"
    if value.type == "const":
        return "none" if value.data is None else str(value.data)
    if value.type == "file":
        value = value.data
    if value.known is None:
        unclear.append(what)
    return value.known


def _path(value: Value, of: str, unclear: list[str]) -> str | None:
    if value is ABSENT or (value.type == "const" and value.data is None):
        return "none"
    place = workspace_place(value) if of == "workspace" else path_place(value.data if value.type == "file" else value)
    if place is None:
        unclear.append("its path")
    return place


def _is_checkpoint(value: Value) -> bool | None:
    """Does a path name a checkpoint?"""
    if value is ABSENT:
        return False
    path = value.data if value.type == "file" else value
    if path.text is None:
        return None
    if "ckpt" in path.text.lower() or "checkpoint" in path.text.lower():
        return True
    return None if path.holes else False


def _levels(value: Value, unclear: list[str]) -> int | None:
    given = is_given(value)
    if given is False:
        return 0
    count = levels(value.text) if value.text else None
    if count is None:
        unclear.append("the model name")
    return count


def _has_signature(state: State, api: str, ref: str, site: Site, unclear: list[str]) -> bool | None:
    keywords = ["signature", "input_example"]
    if api != "mlflow.log_model":
        keywords.append("training_set")
    answers = [is_given(site.get((keyword, -1))) for keyword in keywords]
    if True not in answers:
        answers.append(_signed_by_flavor(state, ref, site))
    if True in answers:
        return True
    if None in answers or site.spread or len(site.args) >= _FAR:
        unclear.append("whether it has a signature")
        return None
    return False


def _signed_by_flavor(state: State, ref: str, site: Site) -> bool | None:
    """Does MLflow know the signature from the model itself: from its kind, or from the type hints of its `predict`?"""
    flavor = ref.removeprefix("mlflow.").partition(".")[0]
    if flavor in _SIGNING:
        return True
    if flavor in _SOMETIMES_SIGNING:
        return None
    if flavor == "dspy":
        return is_given(site.get(("task", -1)))
    if flavor != "pyfunc":
        return False
    model = site.get(("python_model", -1))
    if model.type in ("instance", "class"):
        return state.signed.get(model.data)
    if model.type == "function":
        return state.signed.get(model.data.name)
    return False if is_given(model) is False else None


def _truth(value: Value, unclear: list[str]) -> bool | None:
    if value is ABSENT:
        return False
    if value.type == "const":
        return bool(value.data)
    unclear.append("whether it switches logging off")
    return None


def _model_from(site: Site, about: Api, unclear: list[str]) -> str | None:
    value = site.get(about.model_source)
    answer = _MODEL_FROM.get(value.source)
    if value.text is not None:
        answer = "copy" if _is_version_uri(value) else _of_holes(value)
    if answer is None and value.source in ("registered", "newest", "versions", "alias"):
        answer = "copy"
    if answer is None:
        unclear.append("which model it registers")
    return answer


def _is_version_uri(value: Value) -> bool:
    """Is it `models:/name/version` or `models:/name@alias`, and not the URI of a model that a run logged?"""
    rest = (value.text or "").removeprefix("models:/")
    return rest != value.text and ("/" in rest or "@" in rest)


def _of_holes(value: Value) -> str | None:
    found = [_MODEL_FROM[hole.source] for hole in value.holes if hole.source in _MODEL_FROM]
    return "search" if "search" in found else next(iter(found), None)


def _version_from(value: Value, unclear: list[str]) -> str | None:
    if value is ABSENT:
        return "none"
    if value.type == "const":
        return "literal" if value.data is not None else "none"
    if value.text is not None and not value.holes:
        return "literal"
    for source in value.sources:
        if source in _VERSION_FROM:
            return _VERSION_FROM[source]
    unclear.append("where its version comes from")
    return None


def _loaded(state: State, site: Site, place: tuple[str, int], unclear: list[str]) -> str | None:
    value = site.get(place)
    literals.note_loaded(state, site.node, value)
    by = literals.version_of(value)
    if by is not None:
        return _URI_FROM[by]
    if value.source in _VERSION_FROM:
        return _VERSION_FROM[value.source]
    unclear.append("which version it loads")
    return None


def _searched(site: Site) -> tuple[str | None, str]:
    """What a search for versions picks: the newest when its order says so, this run's when it asks for the run."""
    order = site.get(("order_by", 2))
    terms = [item.text or "" for item in order.data] if order.type == "list" else [order.text or ""]
    if any("version" in term.lower() and "desc" in term.lower() for term in terms):
        return "newest", "newest"
    wanted = site.given("filter_string", 0).text or ""
    if "run_id" in wanted:
        return "run", "registered"
    if "version_number" in wanted or "version=" in wanted.replace(" ", ""):
        return "parameter" if HOLE in wanted else "literal", "parameter"
    return "none", "versions"


def _is_approval(site: Site, unclear: list[str]) -> bool | None:
    key, value = site.given("key", 2), site.given("value", 3)
    if value.known is not None:
        return value.known.strip().lower() in ("approved", "approve")
    if value.type == "const":
        return value.data is True and "approv" in (key.known or "").lower()
    if key.known is not None and "approv" not in key.known.lower():
        return False
    unclear.append("whether it writes an approval")
    return None


def _doubtful(api: str, site: Site) -> tuple[str, ...]:
    refused = REFUSED_SINCE_3.get(api)
    if refused is None:
        return ()
    found = sorted(refused & site.keywords.keys())
    return tuple([*found, "**"] if site.keywords_spread else found)


_FURTHER: dict[str, Callable[[State, Site, dict[str, Any], list[str]], Value | None]] = {
    "mlflow.get_latest_versions": _newest,
    "mlflow.search_model_versions": _search,
    "mlflow.autolog": _autolog,
    "mlflow.set_model_version_tag": _tag,
    "mlflow.set_tags": _tags,
    "mlflow.set_experiment": _experiment,
    "mlflow.evaluate": _evaluate,
}
