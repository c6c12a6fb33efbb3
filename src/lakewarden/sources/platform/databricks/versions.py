"""Versions of models in Unity Catalog: where they were trained, what they are copies of, their signatures and tags."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.facts.estate.apart import READ_IT_TOO, outside
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.registry import ModelVersion
from lakewarden.sources.platform.databricks.approvals import ask_version, write_tags
from lakewarden.sources.platform.databricks.models import path_of
from lakewarden.sources.platform.databricks.names import named
from lakewarden.sources.platform.databricks.rights import FAMILY
from lakewarden.sources.platform.databricks.run_inputs import write_features
from lakewarden.sources.platform.databricks.uses import NOT_IN_USE, Uses, is_used, uses
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, field_of
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.estate import Estate

#: `models:/catalog.schema.model/7`, `…@alias`, or a model of the workspace registry; a registry may be named before it.
_COPY = re.compile(r"models:(?://[^/]*)?/(?P<name>[^/@]+)(?:/(?P<version>[^/@]+)|@(?P<alias>[^/]+))")
#: A logged model, which is no registered version.
_LOGGED = re.compile(r"models:(?://[^/]*)?/m-[^/@]+")
_LEVELS = 3
#: A model's description of itself; a registered version's files are under `/Models` (MLflow, `DatabricksSDKModelsArtifactRepository`).
_FILE = "/api/2.0/fs/files/Models/{}/MLmodel"
_MOST = 2**20


class Seen(NamedTuple):
    """A version as a list tells it."""

    key: str
    model: Fact
    number: str
    row: dict[str, Any]


def collect(estate: Estate) -> None:
    """List the versions of every model; read signature and tags of those that are in use."""
    seen = _versions(estate, estate.kept.get("models", []))
    known = uses(estate)
    used = [one for one in seen if is_used(estate, known, one.key, one.model.key, None)]
    signed = {one.key: answer for one, answer in gather(lambda one: has_signature_of(estate, one), used)}
    _sign(estate, known)
    facts: dict[str, ModelVersion] = {}
    for one in seen:
        has_signature: bool | None = None
        if one.key in signed:
            try:
                has_signature = signed[one.key].get()
            except SourceError as problem:
                estate.unexplained("model_versions", one.key, problem.reason, problem.remedy, _at(estate, one))
        facts[one.key] = version_of(estate, one, has_signature)
        estate.add(facts[one.key])
    if estate.wants("model_version_tags"):
        read_tags(estate, used, facts)


def _versions(estate: Estate, models: list[Fact]) -> list[Seen]:
    def ask(model: Fact) -> list[dict[str, Any]]:
        name = str(model.__dict__["name"])
        path, right = f"{path_of(name)}/versions", f"EXECUTE on the model {name}"
        return list(estate.api.pages(path, "model_versions", {"max_results": 1000}, family=FAMILY, right=right))

    found: list[Seen] = []
    for model, answer in gather(ask, [one for one in models if not estate.is_whole("model_versions", one.key)]):
        path = f"{path_of(str(model.__dict__['name']))}/versions"
        with estate.facts.listing("model_versions", plane=DEPLOYED, of=model.key, origin=estate.at(path)):
            for row in answer.get():
                number = field_of(row, "version", f"a version of {model.key}")
                found.append(Seen(f"{model.key}/{number}", model, number, row))
    return found


def _sign(estate: Estate, known: Uses) -> None:
    """Ask for the signatures that another workspace of the metastore could not read."""
    unread = [
        Seen(row.key, estate.placed["models", row.__dict__["model"]], row.key.rpartition("/")[2], {})
        for row in estate.facts.rows["model_versions"]
        if row.key.startswith(f"{estate.metastore}/")
        and row.__dict__.get("has_signature") is None
        and ("models", row.__dict__["model"]) in estate.placed
        and is_used(estate, known, row.key, row.__dict__["model"], None)
    ]
    for one, answer in gather(lambda one: has_signature_of(estate, one), unread):
        with contextlib.suppress(SourceError):  # the first problem was told
            estate.placed["model_versions", one.key].__dict__["has_signature"] = answer.get()


def _at(estate: Estate, one: Seen) -> Any:
    return estate.at(f"{path_of(str(one.model.__dict__['name']))}/versions/{one.number}")


def version_of(estate: Estate, one: Seen, has_signature: bool | None) -> ModelVersion:
    """A version as the catalog tells it; what its answer leaves open is explained."""
    row, origin = one.row, _at(estate, one)
    copied, catalog = copied_from(estate, row.get("source"))
    if copied is None:
        reason = f"version {one.key} does not say in a form that is known where it comes from"
        estate.unexplained("model_versions", one.key, reason, "register it from a run", origin)
    run, workspace = _run(estate, one, origin)
    if run not in (None, "none"):
        write_features(estate, str(run), row, origin)
    return ModelVersion(
        key=one.key,
        plane=DEPLOYED,
        origin=origin,
        model=one.model.key,
        catalog=one.model.__dict__["catalog"],
        status=row.get("status"),
        run=run,
        run_workspace=workspace,
        copied_from=copied,
        copied_catalog=catalog,
        created_by=named(row.get("created_by")).key,
        has_signature=has_signature,
        has_description=None if row.get("browse_only") is True else bool(str(row.get("comment") or "").strip()),
    )


def copied_from(estate: Estate, source: Any) -> tuple[str | None, str | None]:
    """Key and catalog of the version that a source URI names, `none` for any other source; None where it cannot be read."""
    if not isinstance(source, str) or not source:
        return None, None
    found = _COPY.fullmatch(source)
    if found is None:
        return ("none", "none") if not source.startswith("models:") or _LOGGED.fullmatch(source) else (None, None)
    name = found["name"].lower()
    levels = name.split(".")
    place = estate.metastore if len(levels) == _LEVELS else estate.workspace
    catalog = levels[0] if len(levels) == _LEVELS else "none"
    return f"{place}/{name}/{found['version'] or '@' + str(found['alias'])}", catalog


def _run(estate: Estate, one: Seen, origin: Any) -> tuple[str | None, str | None]:
    """Key of the run and URL of its workspace. Who registered a version without the right to read its run left no link to
    the workspace; a run in a workspace that nobody asked about has the number in its place.
    """
    run, number = one.row.get("run_id"), one.row.get("run_workspace_id")
    if one.row.get("browse_only") is True:
        return None, None
    if not run:
        estate.unexplained("model_versions", one.key, f"version {one.key} names no run", "register it from a run", origin)
        return "none", None
    if not number:
        reason = f"version {one.key} does not say in which workspace it was trained"
        remedy = "let the identity that registers versions read the run, so that the registry keeps the link"
        estate.unexplained("model_versions", one.key, reason, remedy, origin)
        return f"?/{run}", None
    workspace = estate.numbers.get(str(number))
    if workspace is None:
        reason = f"version {one.key} was trained in {outside(number)}"
        estate.unexplained("model_versions", one.key, reason, READ_IT_TOO, origin)
        return f"{number}/{run}", None
    return f"{workspace}/{run}", workspace


def has_signature_of(estate: Estate, one: Seen) -> bool | None:
    """Does the version's `MLmodel` have a signature? Raises a SourceError where the file cannot be read."""
    name = str(one.model.__dict__["name"])
    path = _FILE.format("/".join(quote(part, safe="") for part in (*name.split("."), one.number)))
    raw = estate.api.download(path, family="files", right=f"EXECUTE on the model {name}", most=_MOST)
    return signature_of(raw, one.key)


def signature_of(raw: bytes, key: str) -> bool:
    """Does an `MLmodel` file, that of the version of this key, have a signature? Raises a SourceError for one that is none."""
    import yaml

    try:
        said = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both are safe)
    except yaml.YAMLError:
        said = None
    if not isinstance(said, dict):
        raise SourceError(Cause.FAILED.value, f"the MLmodel file of {key} is no YAML mapping", "log the model again")
    return bool(said.get("signature"))


def read_tags(
    estate: Estate, used: list[Seen], facts: dict[str, ModelVersion], get: Callable[..., dict[str, Any]] | None = None
) -> None:
    """Write the tags of each version that is in use, by one question for each; `get` asks in place of the estate's own."""
    reason = NOT_IN_USE.format("tags")
    estate.facts.otherwise(Gap(Cause.NOT_ASKED, "model_version_tags", reason, plane=DEPLOYED))
    for one, answer in gather(lambda one: ask_version(estate, str(one.model.__dict__["name"]), one.number, get), used):
        with estate.facts.listing("model_version_tags", plane=DEPLOYED, of=one.key, origin=facts[one.key].origin):
            write_tags(estate, facts[one.key], answer.get().get("tags") or [])


COLLECTOR = Collector(
    "model versions",
    frozenset({"model_versions", "model_version_tags", "run_inputs"}),
    (
        Need("GET /api/2.1/unity-catalog/models/{full_name}/versions", "EXECUTE on the model"),
        Need("GET /api/2.0/mlflow/unity-catalog/model-versions/get", "EXECUTE on the model; one request for each version in use"),
        Need("GET /api/2.0/fs/files/Models/…/MLmodel", "EXECUTE on the model; one request for each version in use"),
    ),
    collect,
)
