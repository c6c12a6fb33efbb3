"""What is deployed beside the repository that declares it: the same key on both planes, and the commit on the release branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Server, faults, serve
from tests.live import facts_of
from tests.running import commit, git, write
from tests.sources.platform.databricks.workshop import COMMIT, DEPLOYER, METADATA, ROOT, RUNNER, TABLES, workshop

from lakewarden.cli.live import audited
from lakewarden.cli.session import read
from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.facts.store import prepare
from lakewarden.judge.catalogue import load_rules
from lakewarden.judge.judge import tables_needed
from lakewarden.policy.load import discover
from lakewarden.policy.model import Policy, policy_row
from lakewarden.sources.platform.audit import filled_by_collectors
from lakewarden.testing.outcome import verdicts_of

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.facts.collect import Facts

BUNDLE = f"""
bundle: {{name: churn}}
targets:
  prod:
    mode: production
    workspace: {{host: "HOST", root_path: {ROOT}}}
    run_as: {{service_principal_name: {RUNNER}}}
resources:
  jobs:
    train:
      name: train churn
      schedule: {{quartz_cron_expression: 0 0 3 * * ?, timezone_id: UTC, pause_status: UNPAUSED}}
      tasks:
        - {{task_key: train, notebook_task: {{notebook_path: ./src/train.py}}}}
        - {{task_key: validate, depends_on: [{{task_key: train}}], spark_python_task: {{python_file: ./src/validate.py}}}}
        - {{task_key: promote, depends_on: [{{task_key: validate}}], notebook_task: {{notebook_path: ./src/promote.py}}}}
"""
POLICY = '[environments.production]\ntargets = ["prod"]\nworkspaces = ["{}"]\n{}'
_FILES = ("src/train.py", "src/validate.py", "src/promote.py", "src/features.py")


def repository(folder: Path, server: Server, *, bundle: str = BUNDLE, policy: str = "", at: str = "") -> Path:
    """A repository of the bundle with its policy, whose remote is the one that deployments record."""
    folder.mkdir(exist_ok=True)
    prefix = f"{at}/" if at else ""
    files = {f"{prefix}{name}": "# Databricks notebook source\n" for name in _FILES}
    write(
        folder,
        {
            **files,
            f"{prefix}databricks.yml": bundle.replace("HOST", server.url),
            "lakewarden.toml": POLICY.format(server.url, policy),
        },
    )
    commit(folder)
    git(folder, "remote", "add", "origin", "https://github.com/acme/churn.git")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    return folder


def judged(facts: Facts, folder: Path, code: str) -> dict[tuple[str, str], str]:
    """By plane and key: the verdict of a rule, or the conditions that failed."""
    policy = discover(folder, root=folder, rules={code: rule.name for code, rule in load_rules().items()})
    both = audited(policy, facts, filled_by_collectors(), read([folder], None, use_cache=False))
    rule = load_rules()[code]
    needed = tables_needed([rule], both.filled, both.planes)
    prepared = prepare(both.facts, policy, filled=both.filled, needed=needed, planes=both.planes, command="audit")
    engine = DuckDBEngine()
    engine.load(prepared.rows, policy_row(policy))
    found: dict[tuple[str, str], str] = {}
    for query in rule.queries:
        found |= {at: verdict for at, (verdict, _) in verdicts_of(engine, query).items()}
    return found


@pytest.fixture(scope="module")
def server() -> Any:
    with serve(workshop()) as running:
        yield running


def test_a_job_that_runs_other_code_than_declared_has_drifted(tmp_path: Path, server: Server) -> None:
    folder = repository(tmp_path / "r", server)
    found = judged(facts_of(server, wanted=frozenset(TABLES)), folder, "GIT012")
    key = "churn/prod/jobs.train"
    assert found["declared", key] == "pass"
    assert found["deployed", key] == "fail"  # promote runs from the folder of a person
    assert found["deployed", "churn/prod/pipelines.features"] == "fail"  # declared nowhere
    assert found["deployed", f"{server.url}#13"] == "not applicable"


def test_a_job_that_was_not_deployed_is_told_unless_jobs_are_hidden(tmp_path: Path) -> None:
    with serve(workshop(jobs={})) as server:
        folder = repository(tmp_path / "r", server)
        assert judged(facts_of(server, wanted=frozenset(TABLES)), folder, "GIT012")["declared", "churn/prod/jobs.train"] == "fail"
        server.faults.add("GET", "/api/2.0/workspace/export", faults.refused())
        hidden = judged(facts_of(server, wanted=frozenset(TABLES)), folder, "GIT012")
        assert hidden["declared", "churn/prod/jobs.train"] == "unknown"


def test_a_target_that_deploys_to_a_workspace_that_was_not_read(tmp_path: Path) -> None:
    with serve(workshop(jobs={})) as server:
        folder = repository(tmp_path / "r", server, bundle=BUNDLE.replace("HOST", "https://elsewhere.cloud.databricks.com"))
        found = judged(facts_of(server, wanted=frozenset(TABLES)), folder, "GIT012")
        assert found["declared", "churn/prod/jobs.train"] == "unknown"


def test_where_other_stages_are_deployed_does_not_matter(tmp_path: Path) -> None:
    with serve(workshop(jobs={})) as server:
        dev = "targets:\n  dev: {workspace: {host: https://dev.cloud.databricks.com}}\n"
        folder = repository(tmp_path / "r", server, bundle=BUNDLE.replace("targets:\n", dev))
        found = judged(facts_of(server, wanted=frozenset(TABLES)), folder, "GIT012")
        assert found["declared", "churn/prod/jobs.train"] == "fail"


def test_a_bundle_that_the_policy_gives_to_a_project_is_found_again(tmp_path: Path, server: Server) -> None:
    policy = '[[projects]]\nname = "retention"\nbundles = ["bundles/churn"]\n'
    folder = repository(tmp_path / "r", server, policy=policy, at="bundles/churn")
    found = judged(facts_of(server, wanted=frozenset(TABLES)), folder, "GIT012")
    assert found["declared", "retention/prod/jobs.train"] == "pass"
    assert found["deployed", "retention/prod/jobs.train"] == "fail"
    assert not [key for _, key in found if key.startswith("churn/")]


def test_the_commit_of_a_deployment_is_looked_for_on_the_release_branch(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    released = commit(folder)
    for deployed, verdict in ((released, "pass"), (COMMIT, "unknown")):
        with serve(workshop(commit=deployed)) as server:
            there = folder if not (folder / "databricks.yml").exists() else tmp_path / "again"
            if there != folder:
                git(tmp_path, "clone", "-q", str(folder), "again")
                git(there, "remote", "remove", "origin")
            repository(there, server)
            found = judged(facts_of(server, wanted=frozenset(TABLES)), there, "GIT005")
            assert found["deployed", f"{server.url}{METADATA}"] == verdict
            assert found["deployed", f"{server.url}/deployments/9/versions/2"] == "unknown"  # of which project is not recorded


def test_nothing_is_asked_of_deployments_that_a_repository_might_declare(tmp_path: Path, server: Server) -> None:
    found = judged(facts_of(server, wanted=frozenset(TABLES)), repository(tmp_path / "r", server), "ENV004")
    assert not [key for plane, key in found if plane == "declared" and "deployments" in key]


def test_a_deployment_from_another_repository(tmp_path: Path, server: Server) -> None:
    folder = repository(tmp_path / "r", server)
    git(folder, "remote", "set-url", "origin", "git@github.com:acme/fraud.git")
    assert judged(facts_of(server, wanted=frozenset(TABLES)), folder, "GIT005")["deployed", f"{server.url}{METADATA}"] == "fail"


def test_one_principal_in_two_stages_is_told_across_projects(tmp_path: Path, server: Server) -> None:
    with serve(workshop(jobs={})) as staging:
        both = facts_of(server, wanted=frozenset(TABLES))
        other = facts_of(staging, wanted=frozenset(TABLES))
        for name, rows in other.rows.items():
            both.rows[name].extend(row for row in rows if row.key not in {one.key for one in both.rows[name]})
        both.complete |= other.complete
        folder = repository(tmp_path / "r", server, policy=f'[environments.staging]\nworkspaces = ["{staging.url}"]\n')
        found = judged(both, folder, "ENV010")
        told = {key: verdict for (plane, key), verdict in found.items() if plane == "deployed" and RUNNER in key}
        assert set(told.values()) == {"fail"}, found
        assert DEPLOYER not in str(told)


def test_what_an_audit_was_not_told_of_a_git_host_has_a_remedy_of_its_own(tmp_path: Path, server: Server) -> None:
    folder = repository(tmp_path / "r", server)
    found = audited(
        Policy(), facts_of(server, wanted=frozenset(TABLES)), filled_by_collectors(), read([folder], None, use_cache=False)
    )
    remedies = {gap.remedy for gap in found.facts.gaps if gap.reason.endswith("Git host alone")}
    assert len(remedies) == 1
    assert "set repository of its project in the policy" in remedies.pop()


def test_in_which_stages_a_principal_acts_follows_in_a_workspace_from_jobs_alone(tmp_path: Path, server: Server) -> None:
    folder = repository(tmp_path / "r", server)
    policy = discover(folder, root=folder)
    both = audited(
        policy, facts_of(server, wanted=frozenset(TABLES)), filled_by_collectors(), read([folder], None, use_cache=False)
    )
    needed = tables_needed([load_rules()["ENV010"]], both.filled, both.planes)
    prepared = prepare(both.facts, policy, filled=both.filled, needed=needed, planes=both.planes, command="audit")
    assert [gap.reason for gap in prepared.gaps if gap.facts == "principal_stages" and gap.plane == "deployed"] == []
