"""Several workspaces in one audit: a version here, its endpoint there, its run in a third; each is read where it is."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from tests.contract import Estate, faults, serve
from tests.contract.store import NOW
from tests.live import verdicts
from tests.sources.platform.databricks.learning import (
    INPUT,
    KEY,
    MODEL,
    TAGS,
    TASK,
    WANTED,
    learning,
    policy_of,
    rows,
    told,
    verdict,
)
from tests.sources.platform.databricks.workshop import workshop

from lakewarden.policy.model import EnvironmentPolicy, Policy
from lakewarden.sources.platform.audit import Asked, collect
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract import Server

    from lakewarden.facts.collect import Facts

ELSEWHERE = 2222222222222222
VERSION = f"{KEY}/2"


def estates() -> tuple[Estate, Estate]:
    """Production, and a sibling where the model was trained by a job of its own."""
    production = learning(version={"run_workspace_id": ELSEWHERE, "run_id": "run-9"})
    training = production.sibling(ELSEWHERE)
    training.metastore_owner = production.metastore_owner
    training.experiment("9", "/Shared/churn")
    training.run("run-9", "9", params={"depth": "3"}, metrics={"auc": 0.9}, tags=TAGS, inputs=[INPUT], start_time=NOW)
    training.job(11, settings={"name": "train", "deployment": {"kind": "BUNDLE"}}, run_as=TAGS["mlflow.user"])
    training.job_run(501, 11, tasks=[TASK])
    return production, training


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    production, training = estates()
    with serve(production) as first, serve(training) as second:
        yield first, second


def audit(*servers: Server, wanted: frozenset[str] = WANTED) -> Facts:
    limits = Limiter(sleep=lambda _seconds: None)
    asked = [
        Asked(one.url, lambda one=one: http.connect(one.url, token=one.estate.admin.token, limits=limits))  # type: ignore[misc]
        for one in servers
    ]
    return collect(asked, wanted).facts


@pytest.mark.parametrize("turned", [False, True])
def test_a_run_is_read_in_the_workspace_that_holds_it(servers: tuple[Server, Server], turned: bool) -> None:
    production, training = servers
    facts = audit(training, production) if turned else audit(production, training)
    assert list(rows(facts, "runs")) == [f"{training.url}/run-9"]
    assert list(rows(facts, "job_runs")) == [f"{training.url}/501"]
    assert rows(facts, "model_versions")[VERSION]["run_workspace"] == training.url
    assert told(facts, "runs") == told(facts, "models") == told(facts, "model_versions") == set()
    both = policy_of(production, training)
    assert verdict(facts, both, "DEP005", "model_versions", VERSION) == "pass"
    assert verdict(facts, both, "DEP002", "model_versions", VERSION) == "pass"
    split = Policy(
        environments={
            "production": EnvironmentPolicy(catalogs=("prod",), workspaces=(production.url,)),
            "development": EnvironmentPolicy(catalogs=("dev",), workspaces=(training.url,)),
        }
    )
    assert verdict(facts, split, "DEP002", "model_versions", VERSION) == "fail"
    assert verdict(facts, split, "DEP007", "model_versions", VERSION) == "fail"


def test_a_run_in_a_workspace_that_is_not_read_is_a_gap_with_the_way_to_read_it(servers: tuple[Server, Server]) -> None:
    production, _ = servers
    facts = audit(production)
    assert told(facts, "runs") == {("unreachable", VERSION)}
    (gap,) = [gap for gap in facts.gaps if gap.facts == "runs"]
    assert str(ELSEWHERE) in gap.reason
    assert "--workspace" in gap.remedy
    found = verdicts(facts, policy_of(production), ("DEP002", "DEP004", "DEP005", "DEP006", "DEP007", "TRK002", "TRK003"))
    of_version = {verdict for (_, _, key), verdict in found.items() if key in (VERSION, f"{ELSEWHERE}/run-9")}
    assert of_version == {"unknown"}


def test_who_runs_in_production_may_run_in_a_stage_that_is_not_read(servers: tuple[Server, Server]) -> None:
    production, training = servers
    split = Policy(
        environments={
            "production": EnvironmentPolicy(catalogs=("prod",), workspaces=(production.url,)),
            "development": EnvironmentPolicy(catalogs=("dev",), workspaces=(training.url,)),
        }
    )
    jobs = frozenset({"jobs"})
    both = verdicts(audit(production, training, wanted=jobs), split, ("ENV010",))
    assert set(both.values()) == {"fail"}
    for one in servers:
        assert set(verdicts(audit(one, wanted=jobs), split, ("ENV010",)).values()) == {"unknown"}
    alone = Policy(environments={"production": EnvironmentPolicy(workspaces=(production.url, training.url))})
    assert set(verdicts(audit(production, wanted=jobs), alone, ("ENV010",)).values()) == {"pass"}


def test_an_endpoint_of_another_workspace_makes_a_version_live() -> None:
    production = learning()
    serving = production.sibling(ELSEWHERE, complete=True)
    serving.metastore_owner = production.metastore_owner
    served = {"served_entities": [{"name": "old", "entity_name": MODEL, "entity_version": "1"}]}
    serving.endpoint("other", id="e-2", config=served)
    with serve(production) as first, serve(serving) as second:
        facts = audit(first, second)
        found = verdicts(facts, policy_of(first, second), ("REG012", "REG010"))
    assert found["REG012", "model_versions", f"{KEY}/1"] == "fail"
    assert found["REG010", "served_entities", f"{second.url}/other/0"] == "fail"


@pytest.mark.parametrize("turned", [False, True])
def test_a_catalog_that_only_one_workspace_reaches_is_whole(turned: bool) -> None:
    production = learning()
    production.catalog("prod", isolation_mode="ISOLATED", bindings=[production.workspace_id])
    other = production.sibling(ELSEWHERE, complete=True)
    other.metastore_owner = production.metastore_owner
    with serve(production) as first, serve(other) as second:
        facts = audit(*((second, first) if turned else (first, second)))
    assert list(rows(facts, "models")) == [KEY]
    assert told(facts, "models") == set()
    assert told(facts, "model_versions") == told(facts, "model_aliases") == set()


@pytest.mark.parametrize("turned", [False, True])
def test_schemas_and_tables_are_whole_where_each_catalog_is_reached_from_one_workspace(turned: bool) -> None:
    production = learning()
    for name, place in (("prod", production.workspace_id), ("dev", ELSEWHERE)):
        production.catalog(name, isolation_mode="ISOLATED", bindings=[place])
        production.table(f"{name}.ml.features")
    other = production.sibling(ELSEWHERE, complete=True)
    other.metastore_owner = production.metastore_owner
    with serve(production) as first, serve(other) as second:
        facts = audit(*((second, first) if turned else (first, second)), wanted=frozenset({"catalog_tables", "grants"}))
        alone = audit(first, wanted=frozenset({"catalog_tables"}))
    assert sorted(rows(facts, "catalog_tables")) == ["metastore-1/dev.ml.features", "metastore-1/prod.ml.features"]
    assert told(facts, "schemas") == told(facts, "catalog_tables") == told(facts, "grants") == set()
    assert told(alone, "schemas") == {("refused", "metastore-1/dev")}


def test_one_name_in_two_metastores_is_two_schemas() -> None:
    one, other = learning(), learning()
    other.metastore_id, other.workspace_id = "metastore-2", ELSEWHERE
    other.table("prod.ml.only_there")
    with serve(one) as first, serve(other) as second:
        facts = audit(first, second, wanted=frozenset({"catalog_tables"}))
        second.faults.add("GET", "/api/2.1/unity-catalog/tables", faults.refused())
        refused = audit(first, second, wanted=frozenset({"catalog_tables"}))
    assert list(rows(facts, "catalog_tables")) == ["metastore-2/prod.ml.only_there"]
    schemas = ("metastore-2/dev.ml", "metastore-2/prod.ml")
    assert told(refused, "catalog_tables") == {("refused", key) for key in schemas}


def test_a_group_may_have_other_members_in_a_workspace_that_lists_none() -> None:
    one = workshop()
    one.catalog("prod")
    one.schema("prod.ml")
    one.table("prod.ml.scores")
    one.grant("table", "prod.ml.scores", "robots", ["MODIFY"])
    other = learning()
    other.user("eve@example.com")
    other.group("robots", ["eve@example.com"])
    at = ("DAT005", "catalog_tables", "metastore-1/prod.ml.scores")
    wanted = frozenset({"catalog_tables", "grants", "securables", "principals", "group_members", "principal_summary"})
    with serve(one) as first, serve(other) as second:
        policy = policy_of(first, second)
        assert verdicts(audit(first, wanted=wanted), policy, ("DAT005",))[at] == "pass"
        assert verdicts(audit(first, second, wanted=wanted), policy, ("DAT005",))[at] == "fail"
        second.faults.add("GET", "/api/2.0/preview/scim/v2/Groups", faults.refused())
        assert verdicts(audit(first, second, wanted=wanted), policy, ("DAT005",))[at] == "unknown"


def test_models_of_one_name_in_two_metastores_are_two() -> None:
    one, other = learning(), learning()
    other.metastore_id, other.workspace_id = "metastore-2", ELSEWHERE
    other.model(MODEL, versions=[{}, {}], aliases={})
    with serve(one) as first, serve(other) as second:
        facts = audit(first, second)
        found = verdicts(facts, policy_of(first, second), ("REG005", "REG010"))
    assert sorted(rows(facts, "models")) == [KEY, f"metastore-2/{MODEL}"]
    assert found["REG005", "models", KEY] == "pass"
    assert found["REG005", "models", f"metastore-2/{MODEL}"] == "fail"  # an endpoint serves it, and nothing was promoted
    assert found["REG010", "served_entities", f"{second.url}/churn/0"] == "unknown"


def test_the_other_workspace_being_dead_is_no_pass(servers: tuple[Server, Server]) -> None:
    production, training = servers
    training.faults.add("GET", "/api/2.0/preview/scim/v2/Me", faults.refused())
    with contextlib.suppress(AssertionError):
        facts = audit(production, training)
    found = verdicts(facts, policy_of(production, training), ("REG010", "REG012", "DEP005", "TRK003"))
    assert found["DEP005", "model_versions", VERSION] == "unknown"
    # An endpoint over there may serve any version.
    assert found["REG012", "model_versions", f"{KEY}/1"] == "unknown"
    assert found["REG010", "served_entities", f"{training.url}/?served_entities"] == "unknown"
