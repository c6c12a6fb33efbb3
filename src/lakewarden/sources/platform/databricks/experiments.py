"""Experiments of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.tracking import Experiment
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, field_of
from lakewarden.sources.repository.bundle.places import place_of_folder

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate

_PATH = "/api/2.0/mlflow/experiments/search"


def collect(estate: Estate) -> None:
    """List the experiments that were not deleted."""
    body = {"max_results": 1000, "view_type": "ACTIVE_ONLY"}
    with estate.facts.listing("experiments", plane=DEPLOYED, of=estate.workspace, origin=estate.at(_PATH)):
        for row in estate.api.pages(_PATH, "experiments", family="mlflow-search", method="POST", body=body):
            path, number = row.get("name"), field_of(row, "experiment_id", "an experiment of the list")
            estate.facts.add(
                Experiment(
                    key=experiment_key(estate, number),
                    plane=DEPLOYED,
                    origin=estate.at(f"/api/2.0/mlflow/experiments/get?experiment_id={number}"),
                    place=estate.workspace,
                    host=estate.workspace,
                    path=path,
                    path_place=place_of_folder(path) if isinstance(path, str) else None,
                )
            )
        estate.rights.require_admin("experiments")


def experiment_key(estate: Estate, number: object) -> str:
    """The key of an experiment of the workspace by its id."""
    return f"{estate.workspace}/experiments/{number}"


COLLECTOR = Collector(
    "experiments",
    frozenset({"experiments"}),
    (Need("POST /api/2.0/mlflow/experiments/search", "workspace admin"),),
    collect,
)
