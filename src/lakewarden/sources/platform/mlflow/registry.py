"""The registry of an MLflow server: models, versions, aliases, tags and webhooks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from lakewarden.errors import SourceError
from lakewarden.facts.model.registry import Model, ModelAlias, ModelVersion, RegistryHook
from lakewarden.sources.platform.databricks.approvals import write_tags
from lakewarden.sources.platform.databricks.uses import is_used, uses
from lakewarden.sources.platform.databricks.versions import signature_of
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, field_of, name_of, stage_of
from lakewarden.sources.platform.mlflow.login import API, FAMILY
from lakewarden.sources.platform.mlflow.server import login, require_admin
from lakewarden.sources.platform.wire.errors import Missing
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate

#: `models:/name/7` or `models:/name@alias`; `models:/m-…` is a logged model.
_COPY = re.compile(r"models:/+(?P<name>[^/@]+)(?:/(?P<version>[^/@]+)|@(?P<alias>[^/]+))")
#: A model that carries this is a prompt, which is kept in the same registry.
_PROMPT = "mlflow.prompt.is_prompt"
_PRODUCTION = "Production"
_HOOKS_SINCE = (3, 3)
_MOST = 2**20


def collect(estate: Estate) -> None:
    """List models, versions and webhooks. Names are told apart by case, as the server does."""
    if estate.wants("models"):
        models = _models(estate)
        if estate.wants("model_aliases"):
            read_aliases(estate, models)
        if estate.wants("model_versions"):
            _versions(estate, models)
    if estate.wants("registry_hooks"):
        _hooks(estate)


def _models(estate: Estate) -> list[tuple[Model, str]]:
    path, found = f"{API}/registered-models/search", list[tuple[Model, str]]()
    with estate.facts.listing("models", plane=DEPLOYED, of=estate.workspace, origin=estate.at(path)):
        for row in estate.api.pages(path, "registered_models", {"max_results": 1000}, family=FAMILY):
            name = name_of(row)
            if any(tag.get("key") == _PROMPT for tag in row.get("tags") or ()):
                continue
            model = Model(
                key=f"{estate.workspace}/{name}",
                plane=DEPLOYED,
                origin=estate.at(f"{API}/registered-models/get?name={quote(name)}"),
                name=name.lower(),
                catalog="none",
                registry="workspace",
            )
            found.append((model, name))
            estate.facts.add(model)
        require_admin(estate, "models")
    return found


def read_aliases(estate: Estate, models: list[tuple[Model, str]]) -> None:
    """The aliases of each model, from the answer about it alone: lists of some versions leave them out."""

    def ask(one: tuple[Model, str]) -> list[dict[str, Any]]:
        query = {"name": one[1]}
        said = estate.api.get(f"{API}/registered-models/get", query, family=FAMILY, right=f"READ on the model {one[1]}")
        return list((said.get("registered_model") or {}).get("aliases") or ())

    for (model, _), answer in gather(ask, models):
        with estate.facts.listing("model_aliases", plane=DEPLOYED, of=model.key, origin=model.origin):
            for one in answer.get():
                alias, number = (field_of(one, field, f"an alias of {model.key}") for field in ("alias", "version"))
                estate.facts.add(
                    ModelAlias(
                        key=f"{model.key}@{alias}",
                        plane=DEPLOYED,
                        origin=model.origin,
                        model=model.key,
                        catalog="none",
                        alias=alias,
                        version_key=f"{model.key}/{number}",
                    )
                )


def _versions(estate: Estate, models: list[tuple[Model, str]]) -> None:
    path = f"{API}/model-versions/search"

    def ask(one: tuple[Model, str]) -> list[dict[str, Any]]:
        mark = '"' if "'" in one[1] else "'"
        query = {"filter": f"name = {mark}{one[1]}{mark}", "max_results": 1000}
        return list(estate.api.pages(path, "model_versions", query, family=FAMILY, right=f"READ on the model {one[1]}"))

    known = uses(estate)
    signed: list[tuple[ModelVersion, str]] = []
    for (model, name), answer in gather(ask, models):
        with estate.facts.listing("model_versions", plane=DEPLOYED, of=model.key, origin=estate.at(path)):
            for row in answer.get():
                version = version_of(estate, model, name, row)
                estate.facts.add(version)
                with estate.facts.listing("model_version_tags", plane=DEPLOYED, of=version.key):
                    write_tags(estate, version, row.get("tags") or [])
                if is_used(estate, known, version.key, model.key, version.live):
                    signed.append((version, name))
    for (version, _), signature in gather(lambda one: has_signature_of(estate, *one), signed):
        try:
            version.has_signature = signature.get()
        except SourceError as problem:  # noqa: PERF203
            estate.unexplained("model_versions", version.key, problem.reason, problem.remedy, version.origin)


def version_of(estate: Estate, model: Model, name: str, row: dict[str, Any]) -> ModelVersion:
    """A version as the server tells it."""
    number, run = field_of(row, "version", f"a version of the model {name}"), row.get("run_id")
    copied = _COPY.fullmatch(str(row.get("source") or ""))
    return ModelVersion(
        key=f"{model.key}/{number}",
        plane=DEPLOYED,
        origin=estate.at(f"{API}/model-versions/get?name={quote(name)}&version={number}"),
        model=model.key,
        catalog="none",
        status=row.get("status"),
        live=True if stage_of(row) == _PRODUCTION else None,
        run=f"{estate.workspace}/{run}" if run else "none",
        run_workspace=estate.workspace if run else None,
        copied_from=f"{estate.workspace}/{copied['name']}/{copied['version'] or '@' + copied['alias']}" if copied else "none",
        copied_catalog="none",
        has_description=bool(str(row.get("description") or "").strip()),
    )


def has_signature_of(estate: Estate, version: ModelVersion, name: str) -> bool:
    """Does its MLmodel file have a signature? Raises a SourceError where the file cannot be read."""
    query = {"name": name, "version": version.key.rpartition("/")[2], "path": "MLmodel"}
    right = f"READ on the model {name}"
    raw = estate.api.download("/model-versions/get-artifact", query, family=FAMILY, right=right, most=_MOST)
    return signature_of(raw, version.key)


def _hooks(estate: Estate) -> None:
    path = f"{API}/webhooks"
    with estate.facts.listing("registry_hooks", plane=DEPLOYED, of=estate.workspace, origin=estate.at(path)):
        try:
            rows = list(estate.api.pages(path, "webhooks", {"max_results": 100}, family=FAMILY, right="admin of the server"))
        except Missing:
            if not _is_before_hooks(login(estate).version):
                raise
            rows = []
        for row in rows:
            url, number = urlsplit(str(row.get("url") or "")), field_of(row, "webhook_id", "a webhook")
            estate.facts.add(
                RegistryHook(
                    key=f"{estate.workspace}/{number}",
                    plane=DEPLOYED,
                    origin=estate.at(f"{path}/{number}"),
                    model_name="none",
                    on_unity_catalog=False,
                    tls_verified=url.scheme == "https",  # the server has no way to leave it out
                    # It tells nobody the secret by which it signs; one in the address is told to everybody.
                    secret_literal=url.password is not None,
                )
            )
        require_admin(estate, "webhooks")


def _is_before_hooks(version: str | None) -> bool:
    found = re.match(r"(\d+)\.(\d+)", version or "")
    return found is not None and (int(found[1]), int(found[2])) < _HOOKS_SINCE


COLLECTOR = Collector(
    "MLflow registry",
    frozenset({"models", "model_aliases", "model_versions", "model_version_tags", "registry_hooks"}),
    (
        Need("MLflow: GET /api/2.0/mlflow/registered-models/search, /registered-models/get", "admin of the server"),
        Need("MLflow: GET /api/2.0/mlflow/model-versions/search", "admin of the server"),
        Need("MLflow: GET /model-versions/get-artifact", "READ on the model; one request for each version in use"),
        Need("MLflow: GET /api/2.0/mlflow/webhooks", "admin of the server; MLflow 3.3 or later"),
    ),
    collect,
)
