"""The workspace registry: stages, webhooks, transition requests; switched off in newer accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.asking import Answer, Answers, Ask, Listing, Refused, absent
from tests.contract.filters import matches
from tests.contract.visibility import levels

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.store import Json


def models(ask: Ask) -> Answer:
    return Listing("registered_models", ask.estate.under("legacy_models"), _show(ask))


def searched_models(ask: Ask) -> Answer:
    show = _show(ask)
    wanted = ask.given("filter")
    return Listing(
        "registered_models", ask.estate.under("legacy_models"), lambda row: show(row) if matches(wanted, row) else None
    )


def databricks_model(ask: Ask) -> Answer:
    return {"registered_model_databricks": _model(ask, ask.needed("name"))}


def mlflow_model(ask: Ask) -> Answer:
    return {"registered_model": _as_mlflow(ask, _model(ask, ask.needed("name")))}


def latest(ask: Ask) -> Answer:
    row = _model(ask, ask.needed("name"))
    return {"model_versions": _latest(ask, row["name"], ask.body.get("stages"))}


def version(ask: Ask) -> Answer:
    name, number = ask.needed("name"), ask.needed("version")
    _model(ask, name)
    row = ask.estate.find("legacy_versions", number, name)
    if row is None:
        raise absent(f"Model Version (name={name}, version={number})")
    return {"model_version": row}


def versions(ask: Ask) -> Answer:
    wanted = ask.needed("filter")
    rows = ask.estate.all("legacy_versions")
    return Listing("model_versions", rows, lambda row: row if matches(wanted, row) else None)


def webhooks(ask: Ask) -> Answer:
    name = ask.given("model_name")
    return Listing(
        "webhooks", ask.estate.under("webhooks"), lambda row: row if name is None or row.get("model_name") == name else None
    )


def transition_requests(ask: Ask) -> Answer:
    name, number = ask.needed("name"), ask.needed("version")
    _model(ask, name)
    found = ask.estate.under("transition_requests", f"{name}/{number}")
    return {"requests": list(found)} if found else {}


def _model(ask: Ask, name: str) -> Json:
    row = ask.estate.find("legacy_models", name)
    if row is None or not levels(ask.estate, ask.who, "registered-models", row["id"]):
        raise absent(f"Registered Model with name={name}")
    return row


def _show(ask: Ask) -> Callable[[Json], Json | None]:
    return lambda row: _as_mlflow(ask, row) if levels(ask.estate, ask.who, "registered-models", row["id"]) else None


def _as_mlflow(ask: Ask, row: Json) -> Json:
    told = {key: value for key, value in row.items() if key not in {"id", "permission_level"}}
    found = _latest(ask, row["name"], None)
    return told | ({"latest_versions": found} if found else {})


def _latest(ask: Ask, name: str, stages: list[str] | None) -> list[Json]:
    newest: dict[str, Json] = {}
    for row in ask.estate.under("legacy_versions", name):
        newest[row["current_stage"]] = row
    return [row for stage, row in newest.items() if stages is None or stage in stages]


def _enabled(answer: Callable[[Ask], Answer]) -> Callable[[Ask], Answer]:
    def asked(ask: Ask) -> Answer:
        if ask.estate.registry_disabled:
            raise Refused(400, "FEATURE_DISABLED", "Legacy workspace model registry is disabled.")
        return answer(ask)

    return asked


_MLFLOW = "/api/2.0/mlflow"
REGISTRY: Answers = {
    key: _enabled(answer)
    for key, answer in {
        ("GET", f"{_MLFLOW}/registered-models/list"): models,
        ("GET", f"{_MLFLOW}/registered-models/search"): searched_models,
        ("GET", f"{_MLFLOW}/registered-models/get"): mlflow_model,
        ("GET", f"{_MLFLOW}/databricks/registered-models/get"): databricks_model,
        ("POST", f"{_MLFLOW}/registered-models/get-latest-versions"): latest,
        ("GET", f"{_MLFLOW}/model-versions/get"): version,
        ("GET", f"{_MLFLOW}/model-versions/search"): versions,
        ("GET", f"{_MLFLOW}/registry-webhooks/list"): webhooks,
        ("GET", f"{_MLFLOW}/transition-requests/list"): transition_requests,
    }.items()
}
