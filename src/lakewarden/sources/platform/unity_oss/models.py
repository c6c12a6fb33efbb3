"""Registered models of a server and their versions. It keeps neither aliases nor tags of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.registry import Model, ModelVersion
from lakewarden.sources.platform.databricks.rights import UNITY
from lakewarden.sources.platform.databricks.versions import copied_from
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, name_of
from lakewarden.sources.platform.unity_oss.login import FAMILY, OWNER
from lakewarden.sources.platform.unity_oss.server import login, require_owner, securable
from lakewarden.sources.platform.wire.errors import Truncated
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.estate import Estate

_PATH = f"{UNITY}/models"
_ALIASES = "open-source Unity Catalog keeps no aliases of models, so that nothing tells which version of {} is deployed"
_TAGS = "open-source Unity Catalog keeps no tags of versions, such as {}"
_FILES = "the files of {} are given out for credentials that allow to read them, which an audit does not ask for"


def collect(estate: Estate) -> None:
    """List the models of each schema: over the whole metastore, pages of some releases leave out models of equal names."""
    if login(estate) is None:
        return
    models = _models(estate)
    if estate.wants("model_versions", "model_version_tags"):
        _versions(estate, models)


def _models(estate: Estate) -> list[tuple[Model, str]]:
    def ask(full: str) -> list[dict[str, Any]]:
        catalog, _, schema = full.partition(".")
        query = {"catalog_name": catalog, "schema_name": schema, "max_results": 0}
        return list(estate.api.pages(_PATH, "registered_models", query, family=FAMILY, right=f"USE SCHEMA on {full}"))

    schemas: dict[str, list[str]] = {key: [] for key in estate.kept.get("catalogs", {})}
    for key, full in estate.kept.get("schemas", {}).items():
        schemas[key.partition(".")[0]].append(full)
    answers = dict(gather(ask, [full for found in schemas.values() for full in found]))
    models: list[tuple[Model, str]] = []
    for of, found in schemas.items():
        with estate.facts.listing("models", plane=DEPLOYED, of=of, origin=estate.at(_PATH)):
            for full in found:
                models += [_model(estate, f"{full}.{name_of(row)}", row) for row in answers[full].get()]
            catalog = of.partition("/")[2]
            if not estate.is_whole("schemas", of):
                raise Truncated(f"models are listed by schema, and those of {catalog} were not all listed", f"ask with {OWNER}")
            require_owner(estate, f"models of {catalog}")
    return models


def _model(estate: Estate, full: str, row: dict[str, Any]) -> tuple[Model, str]:
    key, catalog, path = f"{estate.metastore}/{full}", full.partition(".")[0].lower(), f"{_PATH}/{quote(full, safe='.')}"
    origin = estate.at(path)
    model = Model(key=key, plane=DEPLOYED, origin=origin, name=full.lower(), catalog=catalog, registry="unity_catalog")
    estate.facts.gap(Gap(Cause.UNRESOLVED, "model_aliases", _ALIASES.format(full), "", DEPLOYED, None, key, origin))
    estate.add(model, securable(estate, "model", key, catalog, row, path))
    return model, full


def _versions(estate: Estate, models: list[tuple[Model, str]]) -> None:
    def ask(one: tuple[Model, str]) -> list[dict[str, Any]]:
        path = f"{_PATH}/{quote(one[1], safe='.')}/versions"
        right = f"EXECUTE on the model {one[1]}"
        return list(estate.api.pages(path, "model_versions", {"max_results": 0}, family=FAMILY, right=right))

    for (model, full), answer in gather(ask, models):
        path = f"{_PATH}/{quote(full, safe='.')}/versions"
        # Who may execute the model is told all of its versions.
        with estate.facts.listing("model_versions", plane=DEPLOYED, of=model.key, origin=estate.at(path)):
            for row in answer.get():
                _version(estate, model, row, estate.at(f"{path}/{row.get('version')}"))


def _version(estate: Estate, model: Model, row: dict[str, Any], origin: Origin) -> None:
    key, run, by = f"{model.key}/{row.get('version')}", row.get("run_id"), row.get("created_by")
    copied, catalog = copied_from(estate, row.get("source"))
    why = (
        (True, _FILES.format(key)),
        (True, f"version {key} does not say in which MLflow server it was trained" if run else f"version {key} names no run"),
        (copied is None, f"version {key} does not say in a form that is known where it comes from"),
        (not by, f"version {key} was registered while authorization was off, so nothing tells by whom"),
    )
    for holds, reason in why:
        if holds:
            estate.unexplained("model_versions", key, reason, "", origin)
    estate.facts.gap(Gap(Cause.UNRESOLVED, "model_version_tags", _TAGS.format(key), "", DEPLOYED, None, key, origin))
    estate.add(
        ModelVersion(
            key=key,
            plane=DEPLOYED,
            origin=origin,
            model=model.key,
            catalog=model.catalog,
            status=row.get("status"),
            run=f"?/{run}" if run else "none",
            copied_from=copied,
            copied_catalog=catalog,
            created_by=f"user:{by}" if by else None,
            has_description=bool(str(row.get("comment") or "").strip()),
        )
    )


COLLECTOR = Collector(
    "Unity Catalog models",
    frozenset({"models", "model_aliases", "model_versions", "model_version_tags", "securables"}),
    (
        Need("Unity Catalog OSS: GET /api/2.1/unity-catalog/models", OWNER),
        Need("Unity Catalog OSS: GET /api/2.1/unity-catalog/models/{full_name}/versions", "EXECUTE on the model"),
    ),
    collect,
)
