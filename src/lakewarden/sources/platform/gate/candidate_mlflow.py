"""The version itself in a registry without catalogs: a server of MLflow, or the registry of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.registry import Model, ModelVersion
from lakewarden.sources.platform.databricks import legacy_registry
from lakewarden.sources.platform.databricks.approvals import write_tags
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.gate.candidate import ONLY, asked_of, version_named, write_candidate
from lakewarden.sources.platform.gate.reread import ask_first
from lakewarden.sources.platform.mlflow import registry
from lakewarden.sources.platform.mlflow.login import API, FAMILY
from lakewarden.sources.platform.wire.errors import Failed

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate


def collect(estate: Estate) -> None:
    """Read the model, resolve its alias once, and read the version and the one that is live."""
    request = asked_of(estate)
    for table in ("models", "model_versions"):
        estate.facts.otherwise(Gap(Cause.NOT_ASKED, table, ONLY, plane=DEPLOYED))
    name = request.name if request.registry == "mlflow" else request.name.lower()
    model = Model(
        key=f"{estate.workspace}/{name}",
        plane=DEPLOYED,
        origin=estate.at(f"{API}/registered-models/get?name={request.name}"),
        name=name.lower(),
        catalog="none",
        registry="workspace",
    )
    estate.facts.add(model)
    if request.registry == "mlflow":
        ask_first(estate, f"{API}/registered-models/get", {"name": request.name}, family=FAMILY, right=f"READ on {request.name}")
        registry.read_aliases(estate, [(model, request.name)])
    else:
        with estate.facts.listing("model_aliases", plane=DEPLOYED, of=model.key):
            pass  # this registry has none
    number = request.number or version_named(estate, model, request.alias)
    write_candidate(estate, model, number)
    live = [version_named(estate, model, alias) for alias in request.champions]
    for one in dict.fromkeys(one for one in (number, *live) if one is not None):
        _read(estate, model, one)


def _read(estate: Estate, model: Model, number: str) -> None:
    """One version with its tags and signature; what cannot be read is a gap."""
    request = asked_of(estate)
    path, query = f"{API}/model-versions/get", {"name": request.name, "version": number}
    try:
        right = f"READ on the model {request.name}"
        row = ask_first(estate, path, query, family=FAMILY, right=right).get("model_version")
        if not isinstance(row, dict):
            raise Failed(f"the answer about version {number} of {request.name} holds no version", "run again")
        estate.kept.setdefault("version rows", {})[number] = row
        version = _version(estate, model, row)
    except SourceError as problem:
        at = estate.at(path)
        estate.facts.gap(Gap(Cause(problem.cause), "model_versions", problem.reason, problem.remedy, DEPLOYED, origin=at))
        return
    estate.facts.add(version)
    with estate.facts.listing("model_version_tags", plane=DEPLOYED, of=version.key, origin=version.origin):
        write_tags(estate, version, row.get("tags") or [])


def _version(estate: Estate, model: Model, row: dict[str, Any]) -> ModelVersion:
    request = asked_of(estate)
    if request.registry != "mlflow":
        return legacy_registry.version_of(estate, model, row)
    version = registry.version_of(estate, model, request.name, row)
    try:
        version.has_signature = registry.has_signature_of(estate, version, request.name)
    except SourceError as problem:
        estate.unexplained("model_versions", version.key, problem.reason, problem.remedy, version.origin)
    return version


COLLECTOR = Collector(
    "candidate",
    frozenset({"candidates", "models", "model_aliases", "model_versions", "model_version_tags"}),
    (
        Need("MLflow: GET /api/2.0/mlflow/registered-models/get, /model-versions/get", "READ on the model"),
        Need("MLflow: GET /model-versions/get-artifact", "READ on the model"),
    ),
    collect,
)
