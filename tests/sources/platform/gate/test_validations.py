"""Validations and comparisons that were recorded: what counts, what counts for nothing, and what tells nobody anything."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract import faults, serve
from tests.sources.platform.databricks.learning import MODEL, TAGS
from tests.sources.platform.gate.gating import ASKED, COMPARED, VALID, Gated, estate_of, gated, iso, millis

RESULT, MODE, AT = VALID
GET = "/api/2.0/mlflow/unity-catalog/model-versions/get"


def told(tags: dict[str, str], **more: Any) -> Gated:
    with serve(estate_of(tags, **more)) as server:
        return gated(server)


def test_an_enforced_validation_after_the_registration_counts() -> None:
    found = told({**VALID, **COMPARED})
    assert found.rows("validations") == [
        {"key": "metastore-1/prod.ml.churn/3/tags", "enforced": True, "passed": True, "after_creation": True}
    ]
    assert (found.check(14), found.check(15)) == ("pass", "pass")


@pytest.mark.parametrize(
    ("change", "outcome", "said"),
    [
        ({RESULT: "FAILED"}, "fail", "failed"),
        ({MODE: "dry_run"}, "fail", "could have refused it"),
        ({AT: iso(days=5)}, "fail", "before it was registered"),
        ({AT: iso(days=-1)}, "missing", AT),
        ({AT: "yesterday"}, "missing", AT),
        ({MODE: "on"}, "missing", f"set {MODE} to enforced"),
        ({RESULT: "fine"}, "missing", "PASSED or FAILED"),
        ({AT: None}, "missing", f"set {AT}"),
        ({MODE: None}, "missing", f"set {MODE} to enforced"),
        ({RESULT: None}, "missing", f"set the tags {RESULT} (PASSED or FAILED), {MODE} (enforced or dry_run)"),
    ],
)
def test_what_else_a_record_may_say(change: dict[str, str | None], outcome: str, said: str) -> None:
    found = told({key: value for key, value in {**VALID, **change}.items() if value is not None})
    assert found.check(14) == outcome
    assert said in found.told(14)


def test_a_validation_that_is_too_old_counts_for_nothing() -> None:
    found = told({**VALID, AT: iso(days=40)}, created_at=millis(days=50))
    assert found.check(14) == "fail"


def test_what_cannot_be_read_is_missing() -> None:
    with serve(estate_of({**VALID, **COMPARED})) as server:
        server.faults.add("GET", GET, faults.refused())
        found = gated(server)
    assert (found.check(14), found.check(15)) == ("missing", "missing")
    assert "EXECUTE on the model" in found.told(14)


def test_the_record_may_be_on_the_run() -> None:
    found = told({}, run={"tags": {**TAGS, **VALID, **COMPARED}})
    assert (found.check(14), found.check(15)) == ("pass", "pass")


def test_a_failure_on_the_run_is_not_outweighed_by_a_tag_of_the_version() -> None:
    assert told(VALID, run={"tags": {**TAGS, **VALID, RESULT: "FAILED"}}).check(14) == "fail"


def test_a_copy_brings_a_record_along_that_counts_for_nothing() -> None:
    estate = estate_of({**VALID, **COMPARED})
    row = {"run_id": "run-1", "run_workspace_id": estate.workspace_id, "created_at": millis(days=2)}
    estate.model(
        "prod.ml.copied",
        versions=[{**row, "source": f"models:/{MODEL}/3", "tags": {**VALID, **COMPARED}}],
        aliases={"champion": 7},
    )
    with serve(estate) as server:
        found = gated(server, uri="models:/prod.ml.copied/1")
    assert (found.check(14), found.check(15)) == ("missing", "missing")
    assert found.rows("validations") == []


def test_a_copy_that_was_validated_again_has_a_record_of_its_own() -> None:
    estate = estate_of({**VALID, **COMPARED})
    tags = {**VALID, **COMPARED, AT: iso(hours=2)}
    row = {"source": f"models:/{MODEL}/3", "run_id": "run-1", "run_workspace_id": estate.workspace_id, "tags": tags}
    estate.model("prod.ml.copied", versions=[{**row, "created_at": millis(days=2)}])
    with serve(estate) as server:
        found = gated(server, uri="models:/prod.ml.copied/1")
    assert found.rows("validations")[0]["after_creation"] is True


# --- the deployment job -----------------------------------------------------------------------------------------------


def task(key: str, after: str = "", result: str = "SUCCESS", **more: Any) -> dict[str, Any]:
    edges = {"depends_on": [{"task_key": after}]} if after else {}
    state = {"life_cycle_state": "TERMINATED", "result_state": result}
    about: dict[str, Any] = {"task_key": key, "run_id": 800, "start_time": millis(days=1), "state": state}
    return about | edges | {"notebook_task": {"notebook_path": f"/Workspace/{key}"}} | more


def deployed(*tasks: dict[str, Any], version: str = "3", mode: str = "", job: int = 12, **more: Any) -> Gated:
    state = {"job_id": "12", "run_id": "700", "run_state": "RUNNING", "current_task_name": "deployment"}
    estate = estate_of({}, deployment_job_state=state)
    parameters = [{"name": "model_name", "value": MODEL}, {"name": "model_version", "value": version}]
    parameters += [{"name": "run_mode", "value": mode}] if mode else []
    estate.job(12, settings={"name": "deploy"})
    estate.job_run(700, job, tasks=list(tasks), job_parameters=parameters, start_time=millis(days=1), **more)
    with serve(estate) as server:
        return gated(server)


def test_a_validating_task_that_the_deployment_waits_for_counts() -> None:
    found = deployed(task("evaluation"), task("approval", "evaluation"), task("deployment", "approval"))
    assert found.rows("validations") == [
        {
            "key": "metastore-1/prod.ml.churn/3/job run 700/evaluation",
            "enforced": True,
            "passed": True,
            "after_creation": True,
        }
    ]
    assert found.check(14) == "pass"


@pytest.mark.parametrize(
    ("tasks", "more", "outcome"),
    [
        ([task("evaluation", result="FAILED"), task("deployment", "evaluation")], {}, "fail"),
        ([task("evaluation"), task("deployment", "evaluation", run_if="ALL_DONE")], {}, "fail"),
        ([task("evaluation"), task("deployment")], {}, "fail"),
        ([task("evaluation"), task("deployment", "evaluation")], {"mode": "dry_run"}, "fail"),
        ([task("evaluation"), task("deployment", "evaluation")], {"mode": "Dry-Run"}, "fail"),
        ([task("evaluation", start_time=millis(days=4)), task("deployment", "evaluation")], {}, "fail"),
        ([task("evaluation"), task("deployment", "evaluation")], {"version": "2"}, "missing"),
        ([task("evaluation"), task("deployment", "evaluation")], {"job": 11}, "missing"),
        ([task("evaluation"), task("other", "evaluation")], {}, "missing"),
        ([task("evaluation", result=""), task("deployment", "evaluation")], {}, "missing"),
        ([task("deployment")], {}, "missing"),
    ],
)
def test_what_else_a_deployment_job_may_show(tasks: list[dict[str, Any]], more: dict[str, Any], outcome: str) -> None:
    for one in tasks:
        if not one["state"]["result_state"]:
            one["state"] = {"life_cycle_state": "RUNNING"}
    assert deployed(*tasks, **more).check(14) == outcome


def test_of_a_task_that_was_repaired_the_last_try_counts() -> None:
    tries = [task("evaluation", attempt_number=1), task("evaluation", result="FAILED", attempt_number=0)]
    assert deployed(*tries, task("deployment", "evaluation")).check(14) == "pass"


def test_a_mode_that_another_task_computed_is_not_told() -> None:
    own = {"notebook_path": "/Workspace/evaluation", "base_parameters": {"run_mode": "{{tasks.a.values.mode}}"}}
    found = deployed(task("evaluation", notebook_task=own), task("deployment", "evaluation"))
    assert found.check(14) == "missing"


def test_a_job_run_that_cannot_be_read_is_missing_although_a_tag_says_passed() -> None:
    estate = estate_of(VALID, deployment_job_state={"job_id": "12", "run_id": "799"})
    with serve(estate) as server:
        assert gated(server).check(14) == "missing"


# --- the comparison ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "outcome", "said"),
    [
        ({"lakewarden.baseline": "1"}, "fail", "was not compared with version 2, which is live now"),
        ({"lakewarden.comparison": "WORSE"}, "fail", "is worse"),
        ({"lakewarden.comparison": "same"}, "missing", "set lakewarden.baseline to 2 and lakewarden.comparison to NOT_WORSE"),
        ({"lakewarden.baseline": "champion"}, "missing", "lakewarden.baseline"),
        ({"lakewarden.baseline": "models:/dev.ml.other/2"}, "missing", "says 'models:/dev.ml.other/2'"),
        ({"lakewarden.baseline": "\N{SUPERSCRIPT TWO}"}, "missing", "lakewarden.baseline"),
        ({"lakewarden.baseline": f"models:/{MODEL}/2"}, "pass", ""),
    ],
)
def test_what_else_a_comparison_may_say(tags: dict[str, str], outcome: str, said: str) -> None:
    found = told({**VALID, **COMPARED, **tags})
    assert found.check(15) == outcome
    assert said in found.told(15)


def test_a_champion_without_comparison_is_missing_evidence() -> None:
    found = told(VALID)
    assert found.check(15) == "missing"
    assert "nobody recorded a comparison of metastore-1/prod.ml.churn/3 with version 2" in found.told(15)


def test_for_the_first_version_thresholds_decide() -> None:
    found = told(VALID, aliases={"challenger": 3})
    assert found.check(15) == "pass"
    assert found.result.first_promotion
    assert told({}, aliases={"challenger": 3}).check(15) == "missing"
    assert told({**VALID, RESULT: "FAILED"}, aliases={"challenger": 3}).check(15) == "fail"
    assert told({**VALID, MODE: "dry_run"}, aliases={"challenger": 3}).check(15) == "missing"


def test_a_version_that_is_live_already_was_compared_with_nobody_knows_what() -> None:
    assert told({**VALID, **COMPARED}, aliases={"champion": 3}).check(15) == "missing"


def test_the_gate_asks_for_the_version_by_number_and_by_alias() -> None:
    with serve(estate_of({**VALID, **COMPARED}, aliases={"champion": 2, "challenger": 3})) as server:
        by_alias, by_number = gated(server, uri=f"models:/{MODEL}@challenger"), gated(server, uri=ASKED)
    assert by_alias.check(14) == by_number.check(14) == "pass"
    assert by_alias.check(4) == by_number.check(4) == "pass"
