"""Experiments of an MLflow server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.tracking import Experiment
from lakewarden.sources.platform.databricks.experiments import experiment_key
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, field_of
from lakewarden.sources.platform.mlflow.login import API, FAMILY
from lakewarden.sources.platform.mlflow.server import require_admin

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate

_PATH = f"{API}/experiments/search"


def collect(estate: Estate) -> None:
    """List the experiments that were not deleted."""
    body = {"max_results": 1000, "view_type": "ACTIVE_ONLY"}
    with estate.facts.listing("experiments", plane=DEPLOYED, of=estate.workspace, origin=estate.at(_PATH)):
        for row in estate.api.pages(_PATH, "experiments", family=FAMILY, method="POST", body=body):
            number = field_of(row, "experiment_id", "an experiment of the list")
            estate.facts.add(
                Experiment(
                    key=experiment_key(estate, number),
                    plane=DEPLOYED,
                    origin=estate.at(f"{API}/experiments/get?experiment_id={number}"),
                    place=estate.workspace,
                    host=estate.workspace,
                    path=row.get("name"),
                    path_place="other",  # a server has no folders, of persons or of anybody
                )
            )
        require_admin(estate, "experiments")


COLLECTOR = Collector(
    "MLflow experiments",
    frozenset({"experiments"}),
    (Need("MLflow: POST /api/2.0/mlflow/experiments/search", "admin of the server"),),
    collect,
)
