"""The columns of a call of a known API, by what is known of its arguments."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from lakewarden.sources.repository.code import literals, signatures
from lakewarden.sources.repository.code.apis import APIS, FEATURE_CLIENT, MLFLOW_CLIENT, OLD_FEATURE_CLIENT, Api
from lakewarden.sources.repository.code.copies import catalogs
from lakewarden.sources.repository.code.places import path_place, workspace_place
from lakewarden.sources.repository.code.site import ABSENT, Site, is_given
from lakewarden.sources.repository.code.values import HOLE, Value, levels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.repository.code.result import Call

LOGGERS = frozenset({"mlflow.log_model", f"{FEATURE_CLIENT}.log_model"})
#: The argument that a model in Python is logged by.
PYTHON_MODEL = "python_model"
#: What the name of a database is called in code.
_DATABASE = re.compile(r"(?i)(?:^|_)(?:database|db|schema)(?:[_ ]?name)?$")
#: What a checkpoint is called, and the part of a path that counts the steps of a training.
_CHECKPOINT = re.compile(r"(?i)ckpt|checkpoint")
_OF_A_STEP = re.compile(r"(?i)ckpt|checkpoint|epoch|(?:^|_)(?:step|steps|iter|iteration)$")
#: What a part of a name is called that may hold several levels.
_HOLDS_LEVELS = re.compile(r"(?i)full|catalog|schema|uc|namespace|fq|qualified|path")
#: And what is called so that it holds none.
_NO_LEVELS = re.compile(r"(?i)user|email|env|stage|region|date|time")
SIGNATURE, APPROVAL, OFF = "whether it has a signature", "whether it writes an approval", "whether it switches logging off"
#: What is not clear for other reasons than the arguments that `again` looks at.
_OTHERS = frozenset({SIGNATURE, APPROVAL, OFF})
_OF_REGISTRY = frozenset({"mlflow.set_registry_uri", MLFLOW_CLIENT})
_NOWHERE = ast.Call(ast.Name("_", ast.Load()), [], [])
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
    "foreign": "literal",
}
_MODEL_FROM = {"search": "search", "run": "run", "logged": "run", "parameter": "parameter"}


def again(call: Call, given: Mapping[str, Value]) -> Call:
    """The call, now that more is known of its arguments. A version that was found in the file stays that."""
    about = APIS[call.api]
    site = Site(_NOWHERE, (), dict(given), False, False)
    unclear: list[str] = []
    columns = columns_of(call.api, about, site, unclear)
    if about.model_uri is not None:
        columns["version_from"] = loaded(site.get(about.model_uri), unclear)
    if PYTHON_MODEL in given and call.has_signature is None:
        columns["has_signature"] = signatures.of_kept(given[PYTHON_MODEL].text)
    unclear.extend(
        what for what in call.unclear if what in _OTHERS and (what != SIGNATURE or columns.get("has_signature") is None)
    )
    if call.version_from == "found":
        columns["version_from"] = "found"
    return call._replace(unclear=tuple(unclear), **columns)


def columns_of(api: str, about: Api, site: Site, unclear: list[str]) -> dict[str, Any]:
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
        count = _levels_of_table if api.startswith(OLD_FEATURE_CLIENT) else _levels
        columns["name_levels"] = count(site.get(about.model), unclear)
    if api in LOGGERS:
        columns["model_from"] = {True: "run", False: "none", None: None}[is_given(site.get(about.model))]
    elif about.model_source is not None:
        is_copy = api == "mlflow.copy_model_version"
        model_from = columns["model_from"] = "copy" if is_copy else _model_from(site, about, unclear)
        columns["from_catalog"], columns["to_catalog"] = catalogs(site, about, model_from)
        if model_from == "copy" and None in (columns["from_catalog"], columns["to_catalog"]):
            unclear.append("the catalog of a model")
    if about.version is not None:
        columns["version_from"] = _version_from(site.get(about.version), unclear)
    return columns


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
    if _CHECKPOINT.search(path.text) or any(_OF_A_STEP.search(hole.name) for hole in path.holes):
        return True
    names_file = "." in path.text.rpartition("/")[2]
    return False if names_file or all(hole.name for hole in path.holes) else None


def _levels(value: Value, unclear: list[str]) -> int | None:
    given = is_given(value)
    if given is False:
        return 0
    count = levels(value.text) if value.text else None
    if count is None and _is_short(value):
        count = 1
    if count is None:
        unclear.append("the model name")
    return count


def _is_short(value: Value) -> bool:
    """Is it one level with a part that varies, `churn_{region}`, rather than a name of which a part holds the levels?"""
    template = value.text or ""
    fixed = template.partition(HOLE)[0].strip() or any(_NO_LEVELS.search(hole.name or hole.source) for hole in value.holes[:1])
    return bool(fixed) and "." not in template and not any(_HOLDS_LEVELS.search(hole.name) for hole in value.holes)


def _levels_of_table(value: Value, unclear: list[str]) -> int | None:
    """How many levels of Unity Catalog the name of a table has: a database, or `hive_metastore`, is no catalog."""
    first, dot, rest = (value.text or "").replace("`", "").partition(".")
    if dot and rest.count(".") == 1 and first.lower() == "hive_metastore":
        return 2
    if dot and "." not in rest and HOLE not in rest and first == HOLE and _DATABASE.search(value.holes[0].name):
        return 2
    return _levels(value, unclear)


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


def loaded(value: Value, unclear: list[str]) -> str | None:
    """Where the version comes from of the model that a URI names."""
    by = literals.version_of(value)
    if by is not None:
        return _URI_FROM[by]
    if value.source in _VERSION_FROM:
        return _VERSION_FROM[value.source]
    unclear.append("which version it loads")
    return None
