"""A version that is a copy: refused where code is deployed, and held to what was copied where models are."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.gate.complete import HOST, META, POLICY, Story, docket, facts_of, story

from lakewarden.errors import UsageError
from lakewarden.gate.decide import exit_code
from lakewarden.gate.original import Original, policy_of_original
from lakewarden.gate.result import Outcome
from lakewarden.gate.run import judge
from lakewarden.policy.attribute import environment_of_catalog, environment_of_workspace, project_of_model
from lakewarden.policy.model import EnvironmentPolicy, GatePolicy, Parameters, Policy, ProjectPolicy, WaiverPolicy
from lakewarden.sources.platform.gate.read import Read
from lakewarden.sources.platform.gate.request import request_of

if TYPE_CHECKING:
    from lakewarden.gate.result import GateResult
    from lakewarden.gate.run import Docket

STAGED, SOURCE = "https://staging.example.com", f"{META}/staging.ml.churn/4"
ENVIRONMENTS = {
    "production": EnvironmentPolicy(catalogs=("prod",), workspaces=(HOST,)),
    "staging": EnvironmentPolicy(catalogs=("staging",), workspaces=(STAGED,)),
    "development": EnvironmentPolicy(catalogs=("dev",)),
}
MODELS = replace(POLICY, environments=ENVIRONMENTS, parameters=Parameters(deployment_pattern="deploy-models"))
CODE = replace(POLICY, environments=ENVIRONMENTS)


def _elsewhere(value: Any) -> Any:
    """A value of the story in staging instead."""
    if isinstance(value, str):
        for old, new in (("churn/7", "churn/4"), (HOST, STAGED), ("prod.", "staging."), (f"{META}/prod", f"{META}/staging")):
            value = value.replace(old, new)
        return "staging" if value == "prod" else value
    return value._replace(url=_elsewhere(value.url)) if hasattr(value, "url") else value


def original_story() -> Story:
    """The whole story of the version that was copied, in staging."""
    return {table: [{name: _elsewhere(one) for name, one in row.items()} for row in rows] for table, rows in story().items()}


def copied_story() -> Story:
    """The copy: the run, and what came with it, are those of the original."""
    told = story()
    told["model_versions"][0] |= {
        "copied_from": SOURCE, "copied_catalog": "staging", "run": f"{STAGED}/run-1", "run_workspace": STAGED,
    }  # fmt: skip
    for table in ("runs", "run_inputs", "job_runs", "commit_evidence"):
        told[table] = original_story()[table]
    told["candidates"][0]["tested_stage"] = "staging"
    told["model_version_tags"] = []
    return told


def docket_of(told: Story, policy: Policy, uri: str, hidden: frozenset[str] = frozenset()) -> Docket:
    read = Read(facts_of(told, hidden), docket(told).read.filled, {"unity-catalog": 1})
    return docket(told)._replace(request=request_of(uri, "production", ("champion",)), policy=policy, read=read)


def gated(
    copy: Story | None = None, original: Story | None = None, *, policy: Policy = MODELS, hidden: frozenset[str] = frozenset()
) -> GateResult:
    held, _ = policy_of_original(policy, "production", "prod.ml.churn", "staging.ml.churn")
    there = docket_of(original or original_story(), held, "models:/staging.ml.churn/4", hidden)
    here = docket_of(copy or copied_story(), policy, "models:/prod.ml.churn/7")
    return judge(here._replace(original=Original(SOURCE, there)))


def outcomes(result: GateResult) -> dict[int, str]:
    return {check.number: check.outcome.value for check in result.checks}


def bad(result: GateResult) -> dict[int, str]:
    return {number: outcome for number, outcome in outcomes(result).items() if outcome != "pass"}


def test_a_copy_is_refused_where_code_is_deployed() -> None:
    result = judge(docket_of(copied_story(), CODE, "models:/prod.ml.churn/7"))
    check = result.checks[3]
    assert check.outcome is Outcome.FAIL
    assert {"DEP002", "GATE022"} <= {one.rule for one in check.said if one.verdict == "fail"}


@pytest.mark.parametrize(
    ("source", "catalog"),
    [("meta/prod.ml.old/3", "prod"), (f"{HOST}/Old/3", "none")],
    ids=["renamed within production", "a registry without catalogs"],
)
def test_any_copy_that_is_seen_fails(source: str, catalog: str) -> None:
    told = story()
    told["model_versions"][0] |= {"copied_from": source, "copied_catalog": catalog}
    result = judge(docket_of(told, CODE, "models:/prod.ml.churn/7"))
    assert outcomes(result)[4] == "fail"
    assert exit_code(result.checks) == 1


def test_a_copy_of_what_was_tested_passes_where_models_are_deployed() -> None:
    result = gated()
    assert bad(result) == {}
    assert exit_code(result.checks) == 0
    told = {one.subject for check in result.checks if check.number in (2, 7, 10) for one in check.said}
    assert told == {"meta/prod.ml.churn/7", SOURCE}
    assert any(row["key"] == SOURCE for _, row in result.rows)


@pytest.mark.parametrize(
    ("table", "column", "value", "number"),
    [
        ("model_versions", "status", "PENDING_REGISTRATION", 2),
        ("model_versions", "run_workspace", HOST, 4),
        ("model_versions", "copied_from", "meta/dev.ml.churn/1", 4),
        ("runs", "status", "FAILED", 4),
        ("artifacts", "same_run", False, 5),
        ("commit_evidence", "dirty", True, 6),
        ("branch_commits", "is_ancestor", False, 7),
        ("commit_reviews", "approved_by_other", False, 8),
        ("commit_checks", "succeeded", False, 9),
        ("job_runs", "run_type", "SUBMIT_RUN", 10),
        ("run_inputs", "versioned", False, 11),
        ("version_features", "has_key", False, 12),
        ("runs", "metric_count", 0, 13),
        ("validations", "enforced", False, 14),
    ],
)
def test_the_original_is_held_to_the_checks(table: str, column: str, value: object, number: int) -> None:
    told = original_story()
    for row in told[table]:
        row[column] = value
    result = gated(original=told)
    assert outcomes(result)[number] == "fail"
    messages = [one.message for one in result.checks[number - 1].said if one.verdict == "fail"]
    assert messages
    assert all(message.startswith(f"of {SOURCE}, which it is a copy of: ") for message in messages)


@pytest.mark.parametrize("table", ["artifacts", "runs", "job_runs", "commit_evidence", "validations", "branch_commits"])
def test_what_was_not_read_of_the_original_is_missing(table: str) -> None:
    result = gated(hidden=frozenset({table}))
    assert exit_code(result.checks) == 3


def test_an_original_that_was_not_read_leaves_its_checks_missing() -> None:
    here = docket_of(copied_story(), MODELS, "models:/prod.ml.churn/7")
    result = judge(here._replace(original=Original(SOURCE, None, "it is an alias")))
    assert bad(result) == dict.fromkeys((2, 4, *range(5, 15)), "missing")
    assert "it is an alias" in result.checks[6].remedy


def test_the_bytes_are_those_of_the_original() -> None:
    told = copied_story()
    told["artifacts"][0]["same_original"] = False
    result = gated(told)
    assert bad(result) == {5: "fail"}
    told["artifacts"][0]["same_original"] = None
    assert bad(gated(told)) == {5: "missing"}


def test_what_is_said_of_the_copy_in_place_of_the_original_counts_for_nothing() -> None:
    told = original_story()
    told["validations"] = []
    assert outcomes(gated(original=told))[14] != "pass"
    assert outcomes(gated(original=told, hidden=frozenset({"validations"})))[14] == "missing"


@pytest.mark.parametrize(
    ("source", "catalog", "condition"),
    [
        ("none", "none", "is no copy"),
        ("meta/dev.ml.churn/1", "dev", "of stage development"),
        ("meta/prod.ml.old/1", "prod", "of stage production"),
    ],
    ids=["no copy", "of development", "of production"],
)
def test_only_what_was_tested_is_copied(source: str, catalog: str, condition: str) -> None:
    told = copied_story()
    told["model_versions"][0] |= {"copied_from": source, "copied_catalog": catalog}
    result = judge(docket_of(told, MODELS, "models:/prod.ml.churn/7"))
    check = result.checks[3]
    assert check.outcome is Outcome.FAIL
    assert condition in " ".join(one.message for one in check.said)


def test_a_registry_without_catalogs_does_not_tell_the_stage_of_what_was_copied() -> None:
    told = copied_story()
    told["model_versions"][0] |= {"copied_from": f"{HOST}/Old/3", "copied_catalog": "none"}
    assert outcomes(judge(docket_of(told, MODELS, "models:/prod.ml.churn/7")))[4] == "missing"


def test_a_waiver_for_the_original_is_one_for_its_own_name() -> None:
    told = original_story()
    told["validations"][0]["enforced"] = False

    def policy(subject: str) -> Policy:
        waiver = WaiverPolicy(
            rule="GATE014", subject=subject, reason="a reason", owner="team", approved_by="another", expires=dt.date(2999, 1, 1)
        )
        return replace(MODELS, waivers=(waiver,))

    assert outcomes(gated(original=told, policy=policy(SOURCE)))[14] == "waived"
    assert outcomes(gated(original=told, policy=policy(f"{META}/prod.ml.churn/7")))[14] == "fail"


def test_the_stage_before_stands_for_the_one_that_is_wanted() -> None:
    project = ProjectPolicy(
        "churn", models=("prod.ml.*",), repository="https://github.com/acme/churn", gate=GatePolicy(level="lineage")
    )
    held, environment = policy_of_original(
        replace(MODELS, projects=(project,)), "production", "prod.ml.churn", "staging.ml.churn"
    )
    assert environment == "staging"
    assert environment_of_catalog(held, "staging").stage == environment_of_workspace(held, STAGED).stage == "production"
    assert environment_of_catalog(held, "prod").stage == "staging"
    assert environment_of_catalog(held, "dev").stage == "development"
    assert project_of_model(held, "staging.ml.churn").project == "churn"
    assert held.parameters.deployment_pattern == "deploy-code"


@pytest.mark.parametrize("missing", ["staging", "production"])
def test_a_policy_that_does_not_say_where_the_stages_are(missing: str) -> None:
    environments = {**ENVIRONMENTS, missing: replace(ENVIRONMENTS[missing], workspaces=())}
    with pytest.raises(UsageError, match="deploy-models"):
        policy_of_original(replace(MODELS, environments=environments), "production", "prod.ml.churn", "staging.ml.churn")
