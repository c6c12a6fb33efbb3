"""Runs behind live versions: what they recorded, the job run that they belong to, and the evidence for their commit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, Pages, faults, serve
from tests.contract.store import NOW
from tests.live import facts_of, verdicts
from tests.running import commit, git, write
from tests.sources.platform.databricks.learning import (
    COMMIT,
    INPUT,
    KEY,
    METADATA,
    OTHER,
    TAGS,
    TASK,
    WANTED,
    learning,
    policy_of,
    reasons,
    rows,
    told,
    verdict,
)

from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.audit import collectors
from lakewarden.sources.repository.ancestry import branch_commits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.contract import Server

    from lakewarden.facts.collect import Facts

RULES = ("TRK002", "TRK003", "TRK004", "DEP002", "DEP004", "DEP005", "DEP006")
VERSION = f"{KEY}/2"
GIT = {"git_url": "https://github.com/acme/churn", "git_provider": "gitHub", "git_branch": "release"}
SNAPSHOT = {"git_source": GIT | {"git_snapshot": {"used_commit": COMMIT}}}
FROM_GIT = TASK | {"notebook_task": {"notebook_path": "src/train"}}
DAY = 24 * 60 * 60 * 1000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(learning()) as running:
        yield running


@pytest.fixture(scope="module")
def facts(server: Server) -> Facts:
    return facts_of(server, wanted=WANTED)


def of(estate: Estate) -> tuple[Facts, Server]:
    with serve(estate) as running:
        return facts_of(running, wanted=WANTED), running


def rungs(facts: Facts) -> dict[str, Any]:
    """The commit of each rung that names one or is not known."""
    found = {row["rung"]: row["commit"] for row in rows(facts, "commit_evidence").values()}
    return {rung: commit for rung, commit in found.items() if commit != "none"}


def test_a_run_is_read_with_its_data_and_its_job_run(facts: Facts, server: Server) -> None:
    run = f"{server.url}/run-1"
    assert rows(facts, "runs") == {
        run: {
            "workspace": server.url,
            "experiment": f"{server.url}/experiments/7",
            "job_run": f"{server.url}/501",
            "source_type": "JOB",
            "status": "FINISHED",
            "deleted": False,
            "produced_version": True,
            "param_count": 1,
            "metric_count": 1,
        }
    }
    assert rows(facts, "run_inputs") == {f"{run}/0": {"run": run, "catalog": "prod", "versioned": True, "context": "training"}}
    assert rows(facts, "job_runs") == {
        f"{server.url}/501": {
            "run_type": "JOB_RUN",
            "result_state": "SUCCESS",
            "run_as_kind": "service_principal",
            "managed_by": "bundle",
            "overridden": False,
            "job": f"{server.url}#11",
        }
    }
    assert rungs(facts) == {"deployment-metadata": COMMIT}
    assert len(rows(facts, "commit_evidence")) == 5
    for table in ("runs", "run_inputs", "job_runs", "commit_evidence"):
        assert told(facts, table) == set()


def test_a_good_run_passes_what_asks_for_it(facts: Facts, server: Server) -> None:
    found = verdicts(facts, policy_of(server), RULES)
    assert {found[code, "model_versions", VERSION] for code in ("DEP002", "DEP005", "DEP006")} == {"pass"}
    assert {found[code, "runs", f"{server.url}/run-1"] for code in ("TRK003", "TRK004")} == {"pass"}
    # Whether the working tree was changed, and what the release branch holds, nobody said.
    assert found["TRK002", "runs", f"{server.url}/run-1"] == "unknown"
    assert found["DEP004", "model_versions", VERSION] == "unknown"


@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("/api/2.0/mlflow/runs/get", "runs"),
        ("/api/2.2/jobs/runs/get", "job_runs"),
        ("/api/2.2/jobs/runs/get", "commit_evidence"),
        ("/api/2.2/jobs/get", "commit_evidence"),
        ("/api/2.0/workspace/get-status", "commit_evidence"),
        ("/api/2.0/workspace/export", "commit_evidence"),
    ],
)
def test_what_is_refused_is_a_gap_and_no_verdict_becomes_better(server: Server, facts: Facts, path: str, table: str) -> None:
    before = verdicts(facts, policy_of(server), RULES)
    server.faults.add("GET", path, faults.refused())
    try:
        after = facts_of(server, wanted=WANTED)
        assert server.faults.unused == []
    finally:
        server.faults.clear()
    parent = VERSION if table == "runs" else f"{server.url}/run-1"
    assert ("refused", parent) in told(after, table)
    now = verdicts(after, policy_of(server), RULES)
    assert {at: v for at, v in now.items() if v != "unknown" and "?" not in at[2] and before.get(at) != v} == {}
    assert list(now.values()).count("unknown") > list(before.values()).count("unknown") or table == "commit_evidence"


@pytest.mark.parametrize(
    ("job_run", "settings", "expected"),
    [
        ({"run_type": "SUBMIT_RUN"}, None, "fail"),
        ({"state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED"}}, None, "fail"),
        ({"state": {"life_cycle_state": "RUNNING"}}, None, "fail"),
        ({"overriding_parameters": {"notebook_params": {"catalog": "dev"}}}, None, "fail"),
        ({"job_parameters": [{"name": "env", "default": "prod", "value": "dev"}]}, None, "fail"),
        ({"job_parameters": [{"name": "env", "default": "prod", "value": "prod"}]}, None, "pass"),
        ({"job_parameters": [{"name": "day", "default": "{{job.start_time.iso_date}}", "value": "2026-01-01"}]}, None, "pass"),
        ({}, {"name": "by hand"}, "fail"),
        ({}, {"name": "from git", "git_source": GIT}, "pass"),
    ],
)
def test_a_version_comes_from_a_run_of_a_deployed_job(
    job_run: Mapping[str, Any], settings: Mapping[str, Any] | None, expected: str
) -> None:
    facts, running = of(learning(job_run=job_run, settings=settings))
    assert verdict(facts, policy_of(running), "DEP005", "model_versions", VERSION) == expected


def tagged(**tags: str | None) -> dict[str, Any]:
    given = {name.replace("__", "."): value for name, value in tags.items()}
    return {"tags": {name: value for name, value in (TAGS | given).items() if value is not None}}


@pytest.mark.parametrize(
    ("run", "expected", "reason"),
    [
        (tagged(**{"mlflow.source.type": "NOTEBOOK", "mlflow.databricks.jobRunID": None}), "fail", ""),
        (tagged(**{"mlflow.source.type": None}), "unknown", "nothing says what started it"),
        (tagged(**{"mlflow.databricks.jobRunID": None}), "unknown", "names no job run"),
        # Tags are written by whoever edits the run: they have to fit what the Jobs API says.
        (tagged(**{"mlflow.databricks.jobID": "12"}), "unknown", "not to job 12"),
        ({"start_time": NOW - DAY}, "unknown", "was not running"),
        ({"start_time": NOW + DAY}, "unknown", "was not running"),
        (tagged(**{"mlflow.user": "ana@example.com"}), "unknown", ""),
        (tagged(**{"mlflow.databricks.jobRunID": "601"}), "unknown", ""),
    ],
)
def test_tags_alone_are_no_evidence_of_a_job(run: Mapping[str, Any], expected: str, reason: str) -> None:
    facts, running = of(learning(run=run))
    assert verdict(facts, policy_of(running), "DEP005", "model_versions", VERSION) == expected
    assert reason in " ".join(reasons(facts, "runs").values())


def test_the_tag_may_name_the_run_of_a_task() -> None:
    estate = learning(run=tagged(**{"mlflow.databricks.jobRunID": "601"}))
    estate.job_run(601, 11, job_run_id=501)
    facts, running = of(estate)
    assert rows(facts, "runs")[f"{running.url}/run-1"]["job_run"] == f"{running.url}/501"
    assert verdict(facts, policy_of(running), "DEP005", "model_versions", VERSION) == "pass"


def test_a_job_run_that_was_removed_is_expired_and_never_a_pass() -> None:
    facts, running = of(learning(run=tagged(**{"mlflow.databricks.jobRunID": "999"})))
    run = f"{running.url}/run-1"
    assert told(facts, "job_runs") == told(facts, "commit_evidence") == {("expired", run)}
    assert "60 days" in next(gap.reason for gap in facts.gaps if gap.facts == "job_runs")
    found = verdicts(facts, policy_of(running), RULES)
    assert found["DEP005", "model_versions", VERSION] == "unknown"
    assert found["DEP004", "model_versions", VERSION] == "unknown"
    assert found["TRK002", "runs", run] == "unknown"


@pytest.mark.parametrize(
    ("run", "rule", "expected"),
    [
        ({"params": {}}, "TRK003", "fail"),
        ({"metrics": {}}, "TRK003", "fail"),
        ({"inputs": []}, "TRK004", "fail"),
        ({"inputs": [INPUT["dataset"] | {"source": json.dumps({"delta_table_name": "prod.sales.f"})}]}, "TRK004", "fail"),
        (
            {"inputs": [INPUT, INPUT | {"dataset": INPUT["dataset"] | {"source": '{"delta_table_name": "dev.s.f"}'}}]},
            "DEP006",
            "fail",
        ),
        ({"inputs": [INPUT | {"dataset": INPUT["dataset"] | {"source": '{"delta_table_name": "f"}'}}]}, "DEP006", "unknown"),
        ({"inputs": [INPUT | {"dataset": INPUT["dataset"] | {"source": "half {"}}]}, "DEP006", "unknown"),
        ({"inputs": [INPUT | {"dataset": {"name": "features", "digest": "d"}}]}, "DEP006", "unknown"),
        ({"inputs": []}, "DEP006", "unknown"),
    ],
)
def test_what_a_run_recorded_decides(run: Mapping[str, Any], rule: str, expected: str) -> None:
    facts, running = of(learning(run=run))
    kind, key = ("runs", f"{running.url}/run-1") if rule.startswith("TRK") else ("model_versions", VERSION)
    assert verdict(facts, policy_of(running), rule, kind, key) == expected


@pytest.mark.parametrize(("table", "expected"), [("prod.ml.features", "pass"), ("dev.ml.features", "fail")])
def test_a_model_is_trained_on_the_feature_tables_that_it_depends_on(table: str, expected: str) -> None:
    features = {"dependencies": [{"table": {"table_full_name": table}}]}
    facts, running = of(learning(version={"model_version_dependencies": features}, run={"inputs": []}))
    assert verdict(facts, policy_of(running), "DEP006", "model_versions", VERSION) == expected
    assert verdict(facts, policy_of(running), "TRK004", "runs", f"{running.url}/run-1") == "fail"  # at no version


def test_what_a_logged_model_recorded_counts_for_its_run() -> None:
    outputs = {"outputs": {"model_outputs": [{"model_id": "m-1"}]}}
    estate = learning(run={"params": {}, "metrics": {}, "raw": outputs})
    estate.logged_model(
        "m-1", "7", params={"depth": "3"}, tags={"mlflow.source.git.commit": OTHER, "mlflow.source.git.dirty": "true"}
    )
    facts, running = of(estate)
    run = rows(facts, "runs")[f"{running.url}/run-1"]
    assert (run["param_count"], run["metric_count"]) == (1, 0)
    assert rungs(facts) == {"deployment-metadata": COMMIT, "run-tags": OTHER}
    assert verdict(facts, policy_of(running), "TRK002", "runs", f"{running.url}/run-1") == "fail"  # the tree was changed


def test_a_logged_model_that_is_hidden_may_hold_parameters() -> None:
    outputs = {"outputs": {"model_outputs": [{"model_id": "m-9"}]}}
    facts, running = of(learning(run={"params": {}, "raw": outputs}))
    run = f"{running.url}/run-1"
    assert rows(facts, "runs")[run]["param_count"] is None
    assert verdict(facts, policy_of(running), "TRK003", "runs", run) == "unknown"
    assert ("failed", run) in told(facts, "commit_evidence")


CONTEXT = {"MLFLOW_RUN_CONTEXT": json.dumps({"mlflow.source.git.commit": OTHER})}


@pytest.mark.parametrize(
    ("job_run", "found"),
    [
        (SNAPSHOT | {"tasks": [FROM_GIT]}, {"git-snapshot": COMMIT}),
        (SNAPSHOT | {"tasks": [TASK]}, {}),
        (
            SNAPSHOT
            | {"tasks": [TASK | {"notebook_task": None, "python_wheel_task": {"entry_point": "x", "package_name": "p"}}]},
            {},
        ),
        ({"tasks": [FROM_GIT | SNAPSHOT]}, {"git-snapshot": COMMIT}),
        ({"job_parameters": [{"name": "git_commit", "default": OTHER}]}, {"launch-parameters": OTHER}),
        (
            {"job_parameters": [{"name": "git_source_info", "default": f"url:x; branch:b; commit:{OTHER}"}]},
            {"launch-parameters": OTHER},
        ),
        ({"job_parameters": [{"name": "digest", "default": OTHER}]}, {}),
        (
            {"tasks": [TASK | {"notebook_task": {"notebook_path": "/w", "base_parameters": {"commit": OTHER}}}]},
            {"launch-parameters": OTHER},
        ),
        ({"tasks": [TASK | {"new_cluster": {"spark_env_vars": CONTEXT}}]}, {"launch-parameters": OTHER}),
        (
            {
                "tasks": [TASK | {"job_cluster_key": "c"}],
                "job_clusters": [
                    {"job_cluster_key": "c", "new_cluster": {"spark_env_vars": CONTEXT}},
                    {"job_cluster_key": "d", "new_cluster": {"spark_env_vars": {"GIT_COMMIT": COMMIT}}},
                ],
            },
            {"launch-parameters": OTHER},
        ),
        (
            {"tasks": [TASK | {"spark_python_task": {"python_file": "t.py", "parameters": ["--git-commit", OTHER]}}]},
            {"launch-parameters": OTHER},
        ),
        ({"deployment_id": "9", "version_id": "1"}, {"deployment-record": OTHER}),
    ],
)
def test_each_rung_is_looked_at(job_run: Mapping[str, Any], found: dict[str, str]) -> None:
    given = {"tasks": [{k: v for k, v in task.items() if v is not None} for task in job_run.get("tasks", [TASK])]}
    estate = learning(job_run=dict(job_run) | given, deployed=NOW + DAY)
    estate.deployment("9", versions=[{"raw": {"git_info": {"commit": OTHER}}}])
    facts, running = of(estate)
    assert rungs(facts) == found
    assert told(facts, "commit_evidence") == set()
    assert (rungs(facts) == {}) == (verdict(facts, policy_of(running), "TRK002", "runs", f"{running.url}/run-1") == "fail")


def test_what_was_deployed_after_the_run_says_nothing_of_it() -> None:
    facts, _ = of(learning(deployed=NOW + 1))
    assert rungs(facts) == {}
    assert told(facts, "commit_evidence") == set()


def test_rungs_that_name_two_commits_contradict_each_other() -> None:
    run = tagged(**{"mlflow.source.git.commit": OTHER, "mlflow.databricks.gitRepoCommit": COMMIT})
    facts, running = of(learning(run=run))
    assert [row["commit"] for row in rows(facts, "commit_evidence").values() if row["rung"] == "run-tags"] == [COMMIT, OTHER]
    assert verdict(facts, policy_of(running), "DEP004", "model_versions", VERSION) == "fail"


def test_half_a_commit_is_none() -> None:
    facts, running = of(learning(run=tagged(**{"mlflow.source.git.commit": "4f3c2d1e"}), deployed=NOW + 1))
    assert rungs(facts) == {"run-tags": None}
    assert "no whole commit id" in " ".join(reasons(facts, "commit_evidence").values())
    assert verdict(facts, policy_of(running), "TRK002", "runs", f"{running.url}/run-1") == "unknown"


def test_a_job_with_tasks_from_git_and_others_leaves_open_which_trained() -> None:
    facts, running = of(learning(job_run=SNAPSHOT | {"tasks": [FROM_GIT, TASK | {"task_key": "other", "run_id": 602}]}))
    assert told(facts, "commit_evidence") == {("unresolved", f"{running.url}/run-1")}
    assert "git-snapshot" not in rungs(facts)


def test_a_metadata_file_that_is_none_is_told() -> None:
    estate = learning()
    estate.workspace_file(METADATA, b"<html>", modified_at=NOW - 1000)
    facts, running = of(estate)
    assert told(facts, "commit_evidence") == {("failed", f"{running.url}/run-1")}


def test_many_tasks_come_in_pages_and_none_is_lost() -> None:
    tasks = [TASK | {"task_key": f"t{n}", "run_id": 700 + n} for n in range(5)]
    tasks[4] = tasks[4] | {"new_cluster": {"spark_env_vars": CONTEXT}}
    with serve(learning(job_run={"tasks": tasks}), Pages(size=2)) as running:
        facts = facts_of(running, wanted=WANTED)
    assert rungs(facts)["launch-parameters"] == OTHER


def test_a_person_who_runs_a_job_is_no_service_principal() -> None:
    estate = learning(run=tagged(**{"mlflow.user": "ana@example.com"}))
    estate.job(11, settings={"name": "train", "git_source": GIT}, run_as="ana@example.com")
    facts, running = of(estate)
    assert rows(facts, "job_runs")[f"{running.url}/501"]["run_as_kind"] == "user"
    assert verdict(facts, policy_of(running), "DEP005", "model_versions", VERSION) == "fail"


def test_a_job_that_is_gone_leaves_open_who_managed_it() -> None:
    estate = learning(run=tagged(**{"mlflow.databricks.jobID": "99"}))
    estate.job_run(501, 99, tasks=[TASK])
    facts, running = of(estate)
    run = rows(facts, "job_runs")[f"{running.url}/501"]
    assert (run["managed_by"], run["run_as_kind"]) == (None, None)
    assert verdict(facts, policy_of(running), "DEP005", "model_versions", VERSION) == "unknown"


def test_the_run_of_a_version_that_nothing_names_is_not_read() -> None:
    estate = learning()
    estate.model("prod.ml.old", versions=[{"run_id": "gone", "run_workspace_id": estate.workspace_id, "source": "models:/m"}])
    facts, running = of(estate)
    assert not [one for one in running.asked() if one.query.get("run_id") == "gone"]
    assert told(facts, "runs") == set()
    # …as long as it is known that nothing names it.
    with serve(estate) as again:
        again.faults.add("GET", "/api/2.1/unity-catalog/models/prod.ml.old", faults.refused())
        facts = facts_of(again, wanted=WANTED)
        found = verdicts(facts, policy_of(again), ("TRK003", "DEP005"))
    assert found["DEP005", "model_versions", "metastore-1/prod.ml.old/1"] == "unknown"
    assert found["TRK003", "runs", f"{again.url}/gone"] == "unknown"


@pytest.mark.parametrize(("branch", "expected"), [("main", "pass"), ("feature", "fail")])
def test_the_commit_of_a_live_version_is_on_the_release_branch_or_not(tmp_path: Path, branch: str, expected: str) -> None:
    write(tmp_path, {"train.py": "main"})
    commits = {"main": commit(tmp_path)}
    git(tmp_path, "checkout", "-q", "-b", "feature")
    write(tmp_path, {"train.py": "feature"})
    commits["feature"] = commit(tmp_path)
    snapshot = {"git_source": GIT | {"git_snapshot": {"used_commit": commits[branch]}}, "tasks": [FROM_GIT]}
    facts, running = of(learning(job_run=snapshot, settings={"name": "train", "git_source": GIT}))
    policy = policy_of(running)
    branch_commits(facts, str(tmp_path), policy)
    assert verdict(facts, policy, "DEP004", "model_versions", VERSION) == expected
    assert verdict(facts, policy, "TRK002", "runs", f"{running.url}/run-1") == "pass"


def test_evidence_that_no_rule_needs_is_not_read_and_no_defect(server: Server) -> None:
    server.log.clear()
    facts = facts_of(server, wanted=frozenset({"runs", "run_inputs"}))
    assert not [one for one in server.asked() if "/jobs/" in one.path or "/workspace/" in one.path]
    assert facts.unlisted["commit_evidence", "deployed"].cause is Cause.NOT_ASKED
    assert not facts.rows["commit_evidence"]
    assert verdict(facts, policy_of(server), "TRK003", "runs", f"{server.url}/run-1") == "pass"


def test_every_request_is_told_beside_the_right_that_it_needs() -> None:
    said = {need.call for collector in collectors() for need in collector.needs} | {"GET /api/2.0/preview/scim/v2/Me"}
    known = [re.compile(re.sub(r"\\{\w+\\}|…", ".+", re.escape(call))) for call in said]
    estate = learning(job_run={"deployment_id": "9", "version_id": "1"}, version={"tags": {"approved": "yes"}})
    estate.deployment("9", versions=[{"raw": {"git_info": {"commit": COMMIT}}}])
    with serve(estate) as running:
        facts_of(running, wanted=WANTED)
        asked = {f"{one.method} {one.path}" for one in running.asked()}
    assert len(asked) > 20
    assert {one for one in asked if not any(pattern.fullmatch(one) for pattern in known)} == set()


@pytest.mark.slow
def test_whatever_is_refused_no_verdict_becomes_better() -> None:
    """Each request of a whole audit is refused once; what was seen before must not turn into another verdict."""
    estate = learning(job_run=SNAPSHOT | {"tasks": [FROM_GIT], "deployment_id": "9", "version_id": "1"})
    estate.deployment("9", versions=[{"raw": {"git_info": {"commit": COMMIT}}}])
    with serve(estate) as running:
        policy = policy_of(running)
        before = verdicts(facts_of(running, wanted=WANTED), policy)
        requests = list(dict.fromkeys((one.method, one.path) for one in running.asked()))
        assert len(requests) > 20
        for method, path in requests:
            if path.endswith("/scim/v2/Me"):
                continue  # nothing is read of a workspace that does not answer
            running.faults.clear()
            running.faults.add(method, path, faults.refused())
            after = verdicts(facts_of(running, wanted=WANTED), policy)
            for at, found in after.items():
                if found in ("pass", "fail") or (found == "not applicable" and "?" not in at[2]):
                    assert before.get(at) == found, (path, at, before.get(at), found)
            assert not before.keys() - after.keys() or "unknown" in after.values(), path
