"""The workspace registry, which Models in Unity Catalog replaces: models with stages, their versions, permissions and webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lakewarden.facts.model.registry import Model, ModelVersion, RegistryHook, RegistryRight
from lakewarden.sources.platform.databricks import access_lists
from lakewarden.sources.platform.databricks.approvals import write_tags
from lakewarden.sources.platform.databricks.names import named
from lakewarden.sources.platform.databricks.versions import copied_from
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, field_of, name_of, stage_of
from lakewarden.sources.platform.wire.errors import Disabled
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.estate import Estate

_MLFLOW = "/api/2.0/mlflow"
_FAMILY = "mlflow-search"
#: What newer accounts and workspaces answer that have no such registry; any other answer is none.
_SWITCHED_OFF = frozenset({"FEATURE_DISABLED", "ENDPOINT_NOT_FOUND"})
#: Models in Unity Catalog have names of three levels.
_LEVELS = 3


def collect(estate: Estate) -> None:
    """List models, versions, permissions and webhooks of the workspace registry; where it is switched off there are none."""
    if estate.wants("models"):
        models = _models(estate)
        if estate.wants("model_versions"):
            _versions(estate, models)
        if estate.wants("registry_rights"):
            _rights(estate, models)
    if estate.wants("registry_hooks"):
        _hooks(estate)


def _rows(estate: Estate, path: str, items: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        yield from estate.api.pages(path, items, query, family=_FAMILY)
    except Disabled as problem:
        if problem.code not in _SWITCHED_OFF:
            raise
    else:
        estate.rights.require_admin("models and webhooks of the workspace registry")


def _models(estate: Estate) -> list[tuple[Model, str]]:
    path, found = f"{_MLFLOW}/registered-models/search", list[tuple[Model, str]]()
    with estate.facts.listing("models", plane=DEPLOYED, of=estate.workspace, origin=estate.at(path)):
        for row in _rows(estate, path, "registered_models", {"max_results": 1000}):
            name = name_of(row)
            if len(name.split(".")) == _LEVELS:
                continue  # of Unity Catalog, which is asked by its own API
            model = Model(
                key=f"{estate.workspace}/{name.lower()}",
                plane=DEPLOYED,
                origin=estate.at(f"{_MLFLOW}/databricks/registered-models/get?name={name}"),
                name=name.lower(),
                catalog="none",
                target=None,
                registry="workspace",
            )
            found.append((model, name))
            estate.facts.add(model)
            # This registry has no aliases.
            with estate.facts.listing("model_aliases", plane=DEPLOYED, of=model.key):
                pass
    return found


def _versions(estate: Estate, models: list[tuple[Model, str]]) -> None:
    path = f"{_MLFLOW}/model-versions/search"

    def ask(one: tuple[Model, str]) -> list[dict[str, Any]]:
        quote = '"' if "'" in one[1] else "'"
        query = {"filter": f"name = {quote}{one[1]}{quote}", "max_results": 1000}
        return list(estate.api.pages(path, "model_versions", query, family=_FAMILY, right=f"CAN_READ on the model {one[1]}"))

    for (model, _), answer in gather(ask, models):
        with estate.facts.listing("model_versions", plane=DEPLOYED, of=model.key, origin=estate.at(path)):
            for row in answer.get():
                version = version_of(estate, model, row)
                estate.facts.add(version)
                with estate.facts.listing("model_version_tags", plane=DEPLOYED, of=version.key):
                    write_tags(estate, version, row.get("tags") or [])


def _rights(estate: Estate, models: list[tuple[Model, str]]) -> None:
    """What everybody may do with each model: asked for by its id, which only the answer about it alone tells."""

    def ask(one: tuple[Model, str]) -> dict[str, Any]:
        path, right = f"{_MLFLOW}/databricks/registered-models/get", f"CAN_READ on the model {one[1]}"
        said = estate.api.get(path, {"name": one[1]}, family=_FAMILY, right=right).get("registered_model_databricks") or {}
        number = field_of(said, "id", f"the model {one[1]}")
        path = f"{access_lists.PATH}/registered-models/{number}"
        return estate.api.get(path, family=access_lists.FAMILY, right=f"CAN_MANAGE on the model {one[1]}")

    for (model, name), answer in gather(ask, models):
        origin = estate.at(f"{_MLFLOW}/databricks/registered-models/get?name={name}")
        with estate.facts.listing("registry_rights", plane=DEPLOYED, of=model.key, origin=origin):
            for entry in access_lists.entries(answer.get(), f"model {name}"):
                right = RegistryRight(
                    key=f"{model.key}/{entry.key}",
                    plane=DEPLOYED,
                    origin=origin,
                    model=model.key,
                    principal=entry.principal,
                    level=entry.level,
                )
                estate.facts.add(right)


def version_of(estate: Estate, model: Model, row: dict[str, Any]) -> ModelVersion:
    """A version as the registry tells it."""
    number, run = field_of(row, "version", f"a version of the model {model.name}"), row.get("run_id")
    key = f"{model.key}/{number}"
    origin = estate.at(f"{_MLFLOW}/model-versions/get?name={model.name}&version={number}")
    workspace = _workspace_of(estate, row.get("run_link")) if run else None
    copied, catalog = copied_from(estate, row.get("source") or "none")
    in_production = stage_of(row) == "Production"
    if in_production:
        reason = f"files of {key}, a version of the workspace registry, are not read"
        estate.unexplained("model_versions", key, reason, "register the model in Unity Catalog", origin)
    return ModelVersion(
        key=key,
        created_by=_creator_of(estate, key, row.get("user_id"), origin),
        plane=DEPLOYED,
        origin=origin,
        model=model.key,
        catalog="none",
        status=row.get("status"),
        live=True if in_production else None,
        run="none" if not run else f"{workspace or '?'}/{run}",
        run_workspace=workspace,
        copied_from=copied,
        copied_catalog=catalog,
        has_description=bool(str(row.get("description") or "").strip()),
    )


def _creator_of(estate: Estate, key: str, user: object, origin: Origin) -> str | None:
    """Who registered a version: a user by mail, or a service principal by application id; None for any other text."""
    who = named(user)
    if who.kind in ("user", "service_principal"):
        return who.key
    estate.unexplained(
        "model_versions", key, f"the registry does not say who registered {key}", "ask who trains the model", origin
    )
    return None


def _workspace_of(estate: Estate, link: Any) -> str | None:
    """The workspace of a run: this one, unless the version links to another; None for one that the audit does not read."""
    if not isinstance(link, str) or not link:
        return estate.workspace
    parts = urlsplit(link)
    url = f"{parts.scheme}://{parts.netloc}".lower()
    return url if url == estate.workspace or url in estate.numbers.values() else None


def _hooks(estate: Estate) -> None:
    path = f"{_MLFLOW}/registry-webhooks/list"
    with estate.facts.listing("registry_hooks", plane=DEPLOYED, of=estate.workspace, origin=estate.at(path)):
        for row in _rows(estate, path, "webhooks", {}):
            target = row.get("http_url_spec") or {}
            name = str(row.get("model_name") or "none")
            estate.facts.add(
                RegistryHook(
                    key=f"{estate.workspace}/{field_of(row, 'id', 'a webhook')}",
                    plane=DEPLOYED,
                    origin=estate.at(path),
                    model_name=name,
                    on_unity_catalog=len(name.split(".")) == _LEVELS,
                    tls_verified=target.get("enable_ssl_verification") is not False,
                    # The registry keeps tokens to itself; what it tells anybody is in clear text.
                    secret_literal=bool(target.get("authorization") or target.get("secret")),
                )
            )


COLLECTOR = Collector(
    "workspace registry",
    frozenset({"models", "model_aliases", "model_versions", "model_version_tags", "registry_rights", "registry_hooks"}),
    (
        Need("GET /api/2.0/mlflow/registered-models/search", "workspace admin"),
        Need("GET /api/2.0/mlflow/model-versions/search", "CAN_READ on the model"),
        Need("GET /api/2.0/mlflow/databricks/registered-models/get", "CAN_READ on the model"),
        Need("GET /api/2.0/permissions/registered-models/{id}", "CAN_MANAGE on the model, or workspace admin"),
        Need("GET /api/2.0/mlflow/registry-webhooks/list", "workspace admin"),
    ),
    collect,
)
