"""Which jobs are deployment jobs: the model names its job, the job names no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.facts.completeness import Completeness
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.estate import Estate

#: Only this API tells it (MLflow, `ModelRegistry` of Unity Catalog); the one of Unity Catalog leaves it out.
_PATH = "/api/2.0/mlflow/unity-catalog/registered-models/get"
#: Names under which `Estate.seen` keeps the ids, and that some are not known.
_LINKED, _UNSEEN = "deployment jobs", "deployment jobs not seen"


def collect(estate: Estate) -> None:
    """Ask each model of the metastore for its deployment job, whatever workspace that is in."""
    if not estate.wants("job_params") or estate.metastore == "none":
        return
    if estate.metastore is None:  # it was not told: any model of it may name a job here
        estate.first(_UNSEEN, "a metastore")
        return
    models = [
        row for row in estate.facts.rows["models"] if row.key.startswith(f"{estate.metastore}/") and estate.first(_PATH, row.key)
    ]

    def ask(model: Fact) -> dict[str, Any]:
        name = model.__dict__["name"]
        return estate.api.get(_PATH, {"name": name}, family="mlflow-tracking", right=f"EXECUTE on the model {name}")

    linked = estate.seen.setdefault(_LINKED, set())
    for _, answer in gather(ask, models):
        try:
            said = answer.get().get("registered_model")
        except SourceError:
            said = None
        if not isinstance(said, dict):
            estate.first(_UNSEEN, "a model")
        elif said.get("deployment_job_id"):
            linked.add(str(said["deployment_job_id"]))
    complete = Completeness(estate.facts, frozenset({"models"}), "audit")
    catalogs = [row.key for row in estate.facts.rows["catalogs"] if row.key.startswith(f"{estate.metastore}/")]
    lists = [("catalogs", str(estate.metastore)), *(("models", key) for key in catalogs)]
    if any(complete.gap_of(table, DEPLOYED, None, key) is not None for table, key in lists):
        estate.first(_UNSEEN, "a list of models")


def is_linked(estate: Estate, number: str) -> bool | None:
    """Does a model name this job as its deployment job? None where models were not all seen."""
    if number in estate.seen.get(_LINKED, ()):
        return True
    return None if estate.seen.get(_UNSEEN) or not estate.wants("job_params") else False


COLLECTOR = Collector(
    "deployment jobs",
    frozenset({"jobs"}),
    (Need("GET /api/2.0/mlflow/unity-catalog/registered-models/get", "EXECUTE on the model; one request for each"),),
    collect,
)
