"""Turns a call of a known API into a row of `code_calls`, and says what the call returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code import experiments, literals, signatures
from lakewarden.sources.repository.code.apis import (
    APIS,
    FEATURE_CLIENT,
    MLFLOW_CLIENT,
    READS,
    REFUSED_SINCE_3,
    Api,
)
from lakewarden.sources.repository.code.columns import APPROVAL, LOGGERS, OFF, PYTHON_MODEL, SIGNATURE, columns_of, loaded
from lakewarden.sources.repository.code.result import Call, Known, Lookup
from lakewarden.sources.repository.code.site import ABSENT, HIDDEN, Site, is_given
from lakewarden.sources.repository.code.values import HOLE, UNKNOWN, Value, is_late, step, storable

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
    "mlflow.get_model_version_by_alias": "alias",
    "mlflow.start_run": "run",
}
#: The sign of a file whose models and versions are none of Databricks.
OTHER_SERVER = "other server"
#: Flavors whose models have a signature by their kind, and those of which only some have one.
_SIGNING = frozenset({"transformers", "sentence_transformers", "openai"})
_SOMETIMES_SIGNING = frozenset({"langchain"})
_COMMIT = "mlflow.source.git.commit"
#: The stages of versions that have been promoted.
_LIVE = frozenset({"production", "archived"})
#: Words of a tag about an approval that only ask for one; values that give it, and words of values that do without.
_ASKING = ("require", "request", "need", "pending")
_YES = frozenset({"true", "yes", "passed", "granted"})
_WAIVED = frozenset({"skipped", "skip", "bypassed", "bypass", "waived"})
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
    columns = columns_of(api, about, site, unclear)
    if about.version is not None and columns["version_from"] == "newest":
        columns["version_from"] = "found"
    if api in LOGGERS:
        columns["has_signature"] = _has_signature(state, api, ref, site, unclear)
    if about.model is not None and api not in READS and site.get(about.model).text:
        literals.note_model_name(state, site.node, site.get(about.model))
    if about.model_uri is not None:
        literals.note_loaded(state, site.node, site.get(about.model_uri))
        columns["version_from"] = loaded(site.get(about.model_uri), unclear)
        if columns["version_from"] == "newest" and "newest" in site.get(about.model_uri).sources:
            columns["version_from"] = "found"
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
            late=_late(about, site, of_model=columns.get("has_signature", False) is None),
            **columns,
        )
    )
    return result._replace(data=number) if result.source == "versions" else result


def _late(about: Api, site: Site, *, of_model: bool) -> tuple[tuple[str, Known], ...]:
    """The arguments that the table of APIs names, where other files may tell more of one of them. With `of_model` the class of
    the model may tell its signature.
    """
    places = (about.argument, about.model, about.version, about.model_source, about.model_uri)
    given = {place[0]: site.get(place) for place in places if place is not None}
    given = {name: value.data if value.type == "file" else value for name, value in given.items() if value.type != "absent"}
    if of_model:
        symbol = step(site.get((PYTHON_MODEL, -1)).place, signatures.KEPT)
        given |= {PYTHON_MODEL: Value(symbol=symbol)} if symbol else {}
    if HIDDEN in given.values() or not any(is_late(value) for value in given.values()):
        return ()
    return tuple((name, storable(value) or Known()) for name, value in given.items())


def _newest(_state: State, site: Site, columns: dict[str, Any], _unclear: list[str]) -> Value | None:
    stages = site.given("stages", 1)
    named = [(one.known or "").lower() for one in stages.data] if stages.type == "list" else []
    if named and _LIVE.issuperset(named):
        columns["version_from"] = "alias"  # what is live was picked before
        return Value(source="alias")
    columns["version_from"] = "newest"
    return None


def _search(state: State, site: Site, columns: dict[str, Any], _unclear: list[str]) -> Value:
    columns["version_from"], source = _searched(site)
    if "current_stage" in (site.given("filter_string", 0).text or ""):
        stage_read(state, site.node, sure=True)
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
    name = site.keywords.get("name") or site.given("experiment_name", 0)
    literals.note_experiment(state, site.node, name, is_write=True)


def _evaluate(state: State, site: Site, _columns: dict[str, Any], _unclear: list[str]) -> None:
    _no_thresholds(state, site, {}, [])
    if is_given(site.get(("validation_thresholds", -1))):
        state.signs.add("validation")
        state.check()


def _no_thresholds(state: State, site: Site, _columns: dict[str, Any], _unclear: list[str]) -> None:
    """Validation that is told to ask for nothing."""
    given = site.get(("validation_thresholds", -1))
    if given.type == "dict" and not given.data:
        plain(state, "validation.no_thresholds", site.node)


def server(state: State, site: Site) -> Value:
    """`mlflow.set_tracking_uri`: kept where it chooses, in any case, a server that is none of Databricks."""
    _server(state, site)
    return UNKNOWN


def _server(state: State, site: Site) -> None:
    uri = site.given("uri", 0).known
    inside = uri is None or uri.lower().startswith(("databricks", "uc:")) or ".databricks." in uri or "azuredatabricks" in uri
    if not inside and not state.branches and not state.silent:
        state.signs.add(OTHER_SERVER)


def _chosen(state: State, site: Site, _columns: dict[str, Any], _unclear: list[str]) -> None:
    _server(state, site)


def plain(state: State, api: str, node: ast.AST, argument: str | None = "none", unclear: tuple[str, ...] = ()) -> None:
    """Keep something that has the effect of a call: an attribute, an assignment to the environment."""
    state.call(Call(api, state.span(node), argument, swallowed=state.swallowed, unclear=unclear, function=state.scope.name))


def stage_read(state: State, node: ast.AST, api: str = "mlflow.current_stage", *, sure: bool = False) -> None:
    """Keep that the stage of a version is read, once a line; under a name of others too only in a file that uses MLflow."""
    line = state.span(node).line
    told = line is not None and any(call.api == api and call.span.line == line for call in state.calls[-2:])
    if not told and (sure or any(found.module.partition(".")[0] == "mlflow" for found in state.imports)):
        plain(state, api, node)


def stage_attribute(state: State, node: ast.Attribute) -> None:
    """Keep that an attribute is read that the workspace registry alone fills."""
    if node.attr == "current_stage":
        stage_read(state, node, sure=True)
    elif node.attr == "latest_versions":
        stage_read(state, node, "mlflow.get_latest_versions")


def mark_newest(state: State, value: Value) -> Value:
    """The newest of the versions that a search found was picked: say so of the search, unless that is only shown to people."""
    if isinstance(value.data, int) and not state.silent and not state.dead and value.data < len(state.calls):
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
        state.lookups.append(Lookup(table.known, when, state.span(site.node), storable(table) if is_late(table) else None))


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
        unclear.append(SIGNATURE)
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
    model = site.get((PYTHON_MODEL, -1))
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
    unclear.append(OFF)
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
        return _approves((key.known or "").lower(), value.known.strip().lower())
    if value.type == "const":
        return value.data is True and "approv" in (key.known or "").lower()
    if key.known is not None and "approv" not in key.known.lower():
        return False
    unclear.append(APPROVAL)
    return None


def _approves(key: str, value: str) -> bool:
    """Does a tag say that a version is approved, or that nobody needs to approve it?"""
    if value in ("approved", "approve"):
        return True
    if "approv" not in key or any(word in key for word in _ASKING):
        return False
    words = value.replace("-", "_").replace(" ", "_").split("_")
    return value in _YES or not _WAIVED.isdisjoint(words) or words[:2] == ["auto", "approved"]


def _doubtful(api: str, site: Site) -> tuple[str, ...]:
    refused = REFUSED_SINCE_3.get(api)
    if refused is None:
        return ()
    found = sorted(refused & site.keywords.keys())
    return tuple([*found, "**"] if site.keywords_spread else found)


_FURTHER: dict[str, Callable[[State, Site, dict[str, Any], list[str]], Value | None]] = {
    "mlflow.set_registry_uri": _chosen,
    "mlflow.get_latest_versions": _newest,
    "mlflow.search_model_versions": _search,
    "mlflow.start_run": experiments.opened,
    "databricks.automl": experiments.opened,
    "mlflow.autolog": _autolog,
    "mlflow.set_model_version_tag": _tag,
    "mlflow.set_tags": _tags,
    "mlflow.set_experiment": _experiment,
    "mlflow.create_experiment": _experiment,
    "mlflow.evaluate": _evaluate,
    "mlflow.validate_evaluation_results": _no_thresholds,
}
