"""Workspaces of one metastore, read in one run or each into a snapshot of its own: the verdicts are the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.contract import faults, serve
from tests.contract.store import NOW
from tests.live import verdicts
from tests.sources.platform.databricks.learning import INPUT, METADATA, TAGS, TASK, learning, policy_of, rows, told
from tests.sources.platform.databricks.test_two_workspaces import ELSEWHERE, VERSION, audit

from lakewarden.facts.fact import TABLES
from lakewarden.facts.joining import Part, join

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract import Estate, Server

    from lakewarden.facts.collect import Facts

UNITY = "/api/2.1/unity-catalog"
EVERYTHING = frozenset(TABLES)


def apart(*servers: Server) -> Facts:
    """Each workspace in a snapshot of its own, then joined."""
    return join([Part(one.url, audit(one, wanted=EVERYTHING)) for one in servers])


def differences(one: Server, other: Server) -> dict[tuple[str, str, str], tuple[str | None, str | None]]:
    policy = policy_of(one, other)
    together = verdicts(audit(one, other, wanted=EVERYTHING), policy)
    joined = verdicts(apart(one, other), policy)
    return {at: (together.get(at), joined.get(at)) for at in {*together, *joined} if together.get(at) != joined.get(at)}


def refuse(path: str) -> Callable[[Server, Server], None]:
    def arrange(one: Server, _: Server) -> None:
        one.faults.add("GET", path, faults.refused())

    return arrange


#: What one of the two workspaces refuses.
REFUSALS = {
    "nothing": lambda _one, _other: None,
    "catalogs": refuse(f"{UNITY}/catalogs"),
    "locations": refuse(f"{UNITY}/external-locations"),
    "schemas": refuse(f"{UNITY}/schemas"),
    "tables": refuse(f"{UNITY}/tables"),
    "bindings": refuse(f"{UNITY}/bindings/{{}}/{{}}"),
    "grants": refuse(f"{UNITY}/permissions/{{}}/{{}}"),
    "models": refuse(f"{UNITY}/models"),
    "aliases": refuse(f"{UNITY}/models/{{}}"),
    "versions": refuse(f"{UNITY}/models/{{}}/versions"),
    "files": refuse("/api/2.0/fs/files{}"),
    "runs": refuse("/api/2.0/mlflow/runs/get"),
    "endpoints": refuse("/api/2.0/serving-endpoints"),
    "groups": refuse("/api/2.0/preview/scim/v2/Groups"),
}


def pair(version: Callable[[Estate], None] = lambda _estate: None) -> tuple[Estate, Estate]:
    """Production, and a sibling of the same metastore where the model was trained."""
    production = learning(version={"run_workspace_id": ELSEWHERE, "run_id": "run-9"})
    places: list[int | tuple[int, str]] = [production.workspace_id, (ELSEWHERE, "BINDING_TYPE_READ_ONLY")]
    for name in ("prod", "dev"):
        production.catalog(name, isolation_mode="ISOLATED", bindings=places)
        production.schema(f"{name}.ml")
        production.table(f"{name}.ml.features")
        production.grant("catalog", name, "guest@example.com", ["USE_CATALOG"])
    version(production)
    training = production.sibling(ELSEWHERE)
    training.metastore_owner = production.metastore_owner
    training.experiment("9", "/Shared/churn")
    training.run("run-9", "9", params={"depth": "3"}, metrics={"auc": 0.9}, tags=TAGS, inputs=[INPUT], start_time=NOW)
    training.job(11, settings={"name": "train", "deployment": {"kind": "BUNDLE"}}, run_as=TAGS["mlflow.user"])
    training.job_run(501, 11, tasks=[TASK])
    return production, training


#: Without these one workspace alone does not know of versions, and does not read what is behind them.
BLIND = ("catalogs", "models", "aliases", "versions")
FAST = ("nothing", "grants", "versions")


@pytest.mark.parametrize("at", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("refusal", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in REFUSALS])
def test_one_run_and_two_snapshots_give_the_same_verdicts(refusal: str, at: int) -> None:
    first, second = pair()
    with serve(first) as one, serve(second) as other:
        REFUSALS[refusal](*((one, other) if at == 0 else (other, one)))
        found = differences(one, other)
    if refusal in BLIND:
        assert {after for _, after in found.values()} <= {"unknown"}
    else:
        assert found == {}


def test_what_one_workspace_refuses_and_the_other_tells_is_no_gap() -> None:
    first, second = pair()
    with serve(first) as one, serve(second) as other:
        REFUSALS["grants"](one, other)
        REFUSALS["schemas"](one, other)
        for facts in (audit(one, other, wanted=EVERYTHING), apart(one, other)):
            assert told(facts, "grants") == told(facts, "schemas") == set()
        assert told(audit(one, wanted=EVERYTHING), "grants") != set()
        REFUSALS["grants"](other, one)
        for facts in (audit(one, other, wanted=EVERYTHING), apart(one, other)):
            assert {cause for cause, _ in told(facts, "grants")} == {"refused"}


def test_a_version_that_only_the_other_workspace_serves_is_not_without_runs() -> None:
    def other_model(estate: Estate) -> None:
        run = {"run_id": "run-7", "run_workspace_id": estate.workspace_id, "source": "models:/m-7"}
        estate.model("prod.ml.other", versions=[run])
        estate.run("run-7", "7", tags={"mlflow.source.type": "LOCAL"}, start_time=NOW)

    first, second = pair(other_model)
    served = {"served_entities": [{"name": "other", "entity_name": "prod.ml.other", "entity_version": "1"}]}
    second.endpoint("other", id="e-7", config=served)
    with serve(first) as one, serve(second) as other:
        together, joined = audit(one, other, wanted=EVERYTHING), apart(one, other)
        policy = policy_of(one, other)
        at = ("DEP005", "model_versions", "metastore-1/prod.ml.other/1")
        assert verdicts(together, policy, ("DEP005",))[at] == "fail"  # no job ran it
        assert verdicts(joined, policy, ("DEP005",))[at] == "unknown"
    (gap,) = [gap for gap in joined.gaps if gap.facts == "runs" and gap.parent == at[2]]
    assert gap.reason == f"run run-7 of {at[2]} is in {one.url}, whose snapshot does not hold it"
    assert "in one run" in gap.remedy


@pytest.mark.parametrize("turned", [False, True])
def test_one_target_in_two_workspaces_is_two_jobs(turned: bool) -> None:
    first, second = pair()
    config = {"bundle": {"name": "churn", "target": "prod"}, "resources": {"jobs": {"train": {"id": "11"}}}}
    raw = json.dumps({"version": 1, "config": config}).encode()
    settings = {"name": "train", "deployment": {"kind": "BUNDLE", "metadata_file_path": METADATA}}
    tasks = [{"task_key": "train", "notebook_task": {"notebook_path": "/Users/ana@example.com/train"}}]
    first.workspace_file(METADATA, raw, modified_at=NOW)
    second.workspace_file(METADATA, raw, modified_at=NOW)
    first.job(11, settings=settings)
    second.job(11, settings=settings | {"tasks": tasks}, run_as="ana@example.com")
    with serve(first) as one, serve(second) as other:
        servers = (other, one) if turned else (one, other)
        together, joined = audit(*servers, wanted=EVERYTHING), apart(*servers)
        assert differences(*servers) == {}
    for facts in (together, joined):
        assert sorted(rows(facts, "jobs")) == ["churn/prod/jobs.train", f"{servers[1].url}#11"]
        assert {row["place"] for row in rows(facts, "jobs").values()} == {one.url, other.url}
        (task,) = rows(facts, "tasks").values()
        assert task["place"] == other.url
        assert task["job"] == ("churn/prod/jobs.train" if turned else f"{other.url}#11")
    assert [row.__dict__["agree"] for row in joined.rows["snapshot_conflicts"]] == [True]


def test_who_sees_more_in_another_workspace_fills_in_what_is_not_shown_here() -> None:
    first, second = pair()
    with serve(first) as one, serve(second) as other:
        one.faults.add("GET", f"{UNITY}/catalogs/prod", faults.refused())
        assert VERSION in rows(audit(one, other), "model_versions")
