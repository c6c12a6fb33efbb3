"""Experiments, runs and logged models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.asking import Answer, Answers, Ask, Listing, absent, denied
from tests.contract.filters import matches
from tests.contract.paging import Chained
from tests.contract.visibility import levels

if TYPE_CHECKING:
    from tests.contract.store import Json


def experiments(ask: Ask) -> Answer:
    wanted = ask.given("filter")

    def show(row: Json) -> Json | None:
        return row if matches(wanted, row) and _may(ask, row["experiment_id"]) and _viewed(ask, row["lifecycle_stage"]) else None

    return Listing("experiments", ask.estate.under("experiments"), show)


def experiment(ask: Ask) -> Answer:
    return {"experiment": _experiment(ask, ask.needed("experiment_id"))}


def experiment_by_name(ask: Ask) -> Answer:
    name = ask.needed("experiment_name")
    for row in ask.estate.under("experiments"):
        if row["name"] == name:
            return {"experiment": _experiment(ask, row["experiment_id"])}
    raise absent(f"Experiment with name {name}")


def run(ask: Ask) -> Answer:
    name = ask.given("run_id") or ask.needed("run_uuid")
    row = ask.estate.find("runs", name)
    if row is None:
        raise absent(f"Run with id={name}")
    _experiment(ask, row["info"]["experiment_id"])
    return {"run": row}


def runs(ask: Ask) -> Answer:
    wanted = ask.given("filter")
    rows = _within(ask, "runs")

    def show(row: Json) -> Json | None:
        return row if matches(wanted, row) and _viewed(ask, row["info"]["lifecycle_stage"], "run_view_type") else None

    return Listing("runs", rows, show, most=50_000)


def logged_model(ask: Ask) -> Answer:
    row = ask.estate.find("logged_models", ask.parts[0])
    if row is None:
        raise absent(f"Logged model {ask.parts[0]}")
    _experiment(ask, row["info"]["experiment_id"])
    return {"model": row}


def logged_models(ask: Ask) -> Answer:
    wanted = ask.given("filter")
    rows = _within(ask, "logged_models")
    return Listing("models", rows, lambda row: row if matches(wanted, row) else None, most=50)


def _within(ask: Ask, kind: str) -> Chained[Json]:
    asked = [one for one in ask.body.get("experiment_ids", ()) if _may(ask, one)]
    return Chained([ask.estate.under(kind, one) for one in asked])


def _experiment(ask: Ask, name: str) -> Json:
    row = ask.estate.find("experiments", name)
    if row is None:
        raise absent(f"Node ID {name}")
    if not _may(ask, name):
        raise denied(f"User does not have permission to view experiment {name}.")
    return row


def _may(ask: Ask, name: str) -> bool:
    return bool(levels(ask.estate, ask.who, "experiments", name))


def _viewed(ask: Ask, stage: str, key: str = "view_type") -> bool:
    view = ask.given(key) or "ACTIVE_ONLY"
    return view == "ALL" or (stage == "deleted") == (view == "DELETED_ONLY")


_MLFLOW = "/api/2.0/mlflow"
TRACKING: Answers = {
    ("GET", f"{_MLFLOW}/experiments/list"): experiments,
    ("POST", f"{_MLFLOW}/experiments/search"): experiments,
    ("GET", f"{_MLFLOW}/experiments/get"): experiment,
    ("GET", f"{_MLFLOW}/experiments/get-by-name"): experiment_by_name,
    ("GET", f"{_MLFLOW}/runs/get"): run,
    ("POST", f"{_MLFLOW}/runs/search"): runs,
    ("GET", f"{_MLFLOW}/logged-models/{{}}"): logged_model,
    ("POST", f"{_MLFLOW}/logged-models/search"): logged_models,
}
