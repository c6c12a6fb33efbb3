"""Models in Unity Catalog, and their aliases, which lists leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.registry import Model, ModelAlias
from lakewarden.sources.platform.databricks.catalogs import securable
from lakewarden.sources.platform.databricks.rights import FAMILY, UNITY
from lakewarden.sources.platform.databricks.system_tables import WITH_WAREHOUSE
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, field_of
from lakewarden.sources.platform.wire.errors import Refused
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.estate import Estate

#: Catalogs of the platform: nobody's models.
PLATFORM = frozenset({"system", "samples", "__databricks_internal"})
#: The largest page of a list over the metastore (SDK, `registered_models.list`).
_PAGE = 1000
_LEVELS = ("catalog_name", "schema_name", "name")


def collect(estate: Estate) -> None:
    """List the models of the metastore, then ask for each: only the answer about one model has its aliases."""
    if estate.metastore in (None, "none"):
        return
    models = estate.kept["models"] = _models(estate)
    if estate.wants("model_aliases"):
        read_aliases(estate, models)


def _models(estate: Estate) -> list[Fact]:
    path = f"{UNITY}/models"
    rows: dict[str, list[dict[str, Any]]] = {}
    trouble: SourceError | None = None
    try:
        for row in estate.api.pages(path, "registered_models", {"include_browse": "true", "max_results": _PAGE}, family=FAMILY):
            rows.setdefault(_full_name(row).partition(".")[0], []).append(row)
    except SourceError as problem:
        trouble = problem
    owners = {row.key: row.__dict__.get("owner") for row in estate.facts.rows["securables"]}
    mine = [row for row in estate.facts.rows["catalogs"] if row.plane == DEPLOYED and row.key.startswith(f"{estate.metastore}/")]
    here = dict(gather(lambda row: _reach(estate, row.__dict__["name"]), mine))
    for catalog in mine:
        name = catalog.__dict__["name"]
        if estate.is_whole("models", catalog.key):
            continue
        with estate.facts.listing("models", plane=DEPLOYED, of=catalog.key, origin=estate.at(path)):
            if name in PLATFORM:
                continue
            # A catalog that is bound to other workspaces only is asked about there; a list may leave out its models.
            here[catalog].get()
            for row in rows.get(name, ()):
                model_of(estate, row)
            if trouble is not None:
                raise trouble
            estate.rights.require_objects("catalog", name, owners.get(catalog.key))
    _tell_strays(estate, rows.keys() - {row.__dict__["name"] for row in mine} - PLATFORM)
    # With those of another workspace: what it may not see of them this one may.
    return [row for row in estate.facts.rows["models"] if row.plane == DEPLOYED and row.key.startswith(f"{estate.metastore}/")]


def _tell_strays(estate: Estate, catalogs: AbstractSet[str]) -> None:
    """Say of a list of catalogs that it leaves out one that has models."""
    if catalogs:
        reason = f"catalog {min(catalogs)} has models and is not in the list of catalogs"
        origin = estate.at(f"{UNITY}/catalogs")
        estate.facts.gap(Gap(Cause.FAILED, "catalogs", reason, "run again", DEPLOYED, parent=estate.metastore, origin=origin))


def _reach(estate: Estate, catalog: str) -> None:
    if catalog not in PLATFORM:
        estate.api.get(f"{UNITY}/catalogs/{catalog}", {"include_browse": "true"}, family=FAMILY, right=f"BROWSE on {catalog}")


def path_of(name: str) -> str:
    """The path of a model."""
    return f"{UNITY}/models/{quote(name, safe='.')}"


def _full_name(row: dict[str, Any]) -> str:
    said = row.get("full_name") or ".".join(field_of(row, part, "a model of the list") for part in _LEVELS)
    return str(said).lower()


def model_of(estate: Estate, row: dict[str, Any]) -> Model | None:
    """A model as the catalog tells it, written with its securable; None for one that another workspace has shown."""
    name = _full_name(row)
    key, catalog = f"{estate.metastore}/{name}", name.partition(".")[0]
    path = path_of(name)
    model = Model(
        key=key, plane=DEPLOYED, origin=estate.at(path), name=name, catalog=catalog, target=None, registry="unity_catalog"
    )
    return model if estate.add(model, securable(estate, "model", key, catalog, row, path)) else None


def read_aliases(estate: Estate, models: list[Fact]) -> None:
    """Write the aliases of each model, by one question for each."""

    def ask(model: Fact) -> dict[str, Any]:
        name = model.__dict__["name"]
        right = f"EXECUTE on the model {name}"
        said = estate.api.get(path_of(name), {"include_aliases": "true"}, family=FAMILY, right=right)
        if said.get("browse_only") is True:
            raise Refused(f"of model {name} only what BROWSE shows was told, without aliases", f"grant {right}")
        return said

    unread = [model for model in models if not estate.is_whole("model_aliases", model.key)]
    for model, answer in gather(ask, unread):
        with estate.facts.listing("model_aliases", plane=DEPLOYED, of=model.key, origin=model.origin):
            for alias in answer.get().get("aliases") or ():
                name, number = (field_of(alias, field, f"an alias of {model.key}") for field in ("alias_name", "version_num"))
                reason = f"who set the alias {name} of {model.key} stands in the audit log alone"
                remedy = f"{WITH_WAREHOUSE}, which reads system.access.audit; let the promotion alone hold MANAGE on the model"
                estate.unexplained("model_aliases", f"{model.key}@{name}", reason, remedy, model.origin)
                estate.add(
                    ModelAlias(
                        key=f"{model.key}@{name}",
                        plane=DEPLOYED,
                        origin=model.origin,
                        model=model.key,
                        catalog=model.__dict__["catalog"],
                        alias=name,
                        version_key=f"{model.key}/{number}",
                    )
                )


COLLECTOR = Collector(
    "models",
    frozenset({"models", "model_aliases", "securables"}),
    (
        Need("GET /api/2.1/unity-catalog/models", "BROWSE on the catalog"),
        Need("GET /api/2.1/unity-catalog/catalogs/{name}", "BROWSE on the catalog, and a workspace that it is bound to"),
        Need("GET /api/2.1/unity-catalog/models/{full_name}", "EXECUTE on the model; one request for each"),
    ),
    collect,
)
