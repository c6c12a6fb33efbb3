"""Everything that a gate can be shown about one version, as facts: all twenty checks hold. Tests take something away."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.origin import Origin
from lakewarden.gate.run import Docket
from lakewarden.policy.model import EnvironmentPolicy, GatePolicy, Policy
from lakewarden.sources.platform.gate.read import Read
from lakewarden.sources.platform.gate.request import request_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.gate.result import Kind, Level

META, HOST = "meta", "https://prod.example.com"
MODEL = f"{META}/prod.ml.churn"
VERSION = f"{MODEL}/7"
RUN, JOB_RUN, COMMIT = f"{HOST}/run-1", f"{HOST}/501", "4f3c2d1e" * 5
COMMIT_KEY = f"@{COMMIT}"
JOB, FEATURES, REPOSITORY = f"{HOST}#9", f"{META}/prod.ml.features", "https://github.com/acme/churn"
POLICY = Policy(
    environments={"production": EnvironmentPolicy(catalogs=("prod",), workspaces=(HOST,))},
    identities={"promote": ("promoter",), "approver": ("approver",)},
    gate=GatePolicy(level="approved", required_checks=("unit",)),
)
#: Rows by table, as sources write them.
Story = dict[str, list[dict[str, Any]]]


def story() -> Story:
    """The whole story of version 7."""
    owner = {"owner": "promoter", "owner_kind": "service_principal", "declared_in": "none", "catalog": "prod", "named": "prod"}
    return {
        "workspaces": [{"key": HOST, "metastore": META}],
        "metastores": [{"key": META}],
        "catalogs": [{"key": f"{META}/prod", "name": "prod", "catalog_type": "MANAGED", "isolation_mode": "ISOLATED"}],
        "schemas": [{"key": f"{META}/prod.ml", "catalog": "prod"}],
        "models": [{"key": MODEL, "name": "prod.ml.churn", "catalog": "prod", "registry": "unity_catalog"}],
        "securables": [
            {"key": f"{META}/prod", "kind": "catalog", **owner},
            {"key": f"{META}/prod.ml", "kind": "schema", **owner},
            {"key": MODEL, "kind": "model", **owner},
            {"key": FEATURES, "kind": "table", **owner},
        ],
        "model_versions": [
            {
                "key": VERSION, "model": MODEL, "catalog": "prod", "status": "READY", "run": RUN, "run_workspace": HOST,
                "copied_from": "none", "copied_catalog": "none", "created_by": "service_principal:trainer", "has_signature": True,
                "has_description": True,
            }
        ],
        "runs": [
            {
                "key": RUN, "workspace": HOST, "experiment": f"{HOST}/experiments/1", "job_run": JOB_RUN, "source_type": "JOB",
                "status": "FINISHED", "deleted": False, "produced_version": True, "param_count": 3, "metric_count": 2,
            }
        ],
        "run_inputs": [{"key": f"{RUN}/0", "run": RUN, "catalog": "prod", "versioned": True, "context": "training"}],
        "job_runs": [
            {
                "key": JOB_RUN, "run_type": "JOB_RUN", "managed_by": "bundle", "result_state": "SUCCESS", "overridden": False,
                "run_as_kind": "service_principal", "job": JOB,
            }
        ],
        "jobs": [
            {
                "key": "churn/prod/train", "place": HOST, "kind": "job", "name": "train", "run_as_kind": "service_principal",
                "run_as": "trainer", "run_as_from": "job", "managed_by": "bundle", "development": False,
                "origin": Origin(url=f"{HOST}/api/2.2/jobs/get?job_id=9", time="2026-11-23T09:59:58Z"),
            }
        ],
        "catalog_tables": [
            {
                "key": FEATURES, "name": "prod.ml.features", "catalog": "prod", "table_type": "MANAGED", "layer": "feature",
                "layer_by": "use",
            }
        ],
        "table_keys": [{"key": f"{FEATURES}/id", "catalog_table": FEATURES, "kind": "PRIMARY KEY", "nullable": False}],
        "git_repositories": [{"key": REPOSITORY, "system": "github"}],
        "branches": [
            {
                "key": f"{REPOSITORY}/main", "name": "main", "required_approvals": 1, "required_checks": 1,
                "allows_force_push": False, "allows_deletion": False,
            }
        ],
        "commit_evidence": [
            {"key": f"{RUN}/{rung}", "run": RUN, "rung": rung, "commit": commit, "commit_key": key, "dirty": dirty}
            for rung, commit, key, dirty in (
                ("git-snapshot", COMMIT, COMMIT_KEY, False),
                ("deployment-record", "none", "none", None),
                ("deployment-metadata", COMMIT, COMMIT_KEY, None),
                ("launch-parameters", "none", "none", None),
                ("run-tags", COMMIT, COMMIT_KEY, False),
            )
        ],
        "branch_commits": [{"key": COMMIT_KEY, "is_ancestor": True}],
        "model_version_tags": [
            {
                "key": f"{VERSION}/Approval_Check", "version_key": VERSION, "catalog": "prod", "name": "Approval_Check",
                "is_approval": True, "set_by_creator": False, "inherited": False,
            }
        ],
        "candidates": [
            {
                "key": VERSION, "version_key": VERSION, "model": MODEL, "wanted_stage": "production",
                "tested_stage": "staging", "name_levels": 3, "policy_released": True,
            }
        ],
        "gate_places": [
            {"key": VERSION, "place": "ci", "is_allowed": True, "pull_request": False, "on_release_ref": True, "clean": True}
        ],
        "artifacts": [
            {
                "key": VERSION, "digest": "ab" * 32, "same_run": True, "same_model": True, "same_digest": True,
                "same_original": True,
            }
        ],
        "commit_reviews": [{"key": f"{COMMIT_KEY}/1", "commit_key": COMMIT_KEY, "into_release": True, "approved_by_other": True}],
        "commit_checks": [{"key": f"{COMMIT_KEY}/unit", "commit_key": COMMIT_KEY, "required": True, "succeeded": True}],
        "validations": [{"key": f"{VERSION}/tag", "version_key": VERSION, "enforced": True, "passed": True, "after_creation": True}],
        "version_comparisons": [{"key": VERSION, "against_live": True, "not_worse": True, "live_version": "2"}],
        "version_approvals": [{"key": f"{VERSION}/ci", "version_key": VERSION, "independent": True, "in_time": True}],
        "version_features": [
            {
                "key": f"{VERSION}/prod.ml.features", "version_key": VERSION, "catalog": "prod", "table_catalog": "prod",
                "has_key": True,
            }
        ],
        "promoters": [
            {"key": VERSION, "identity": "service_principal:promoter", "is_named": True, "is_able": True, "is_other": True}
        ],
        "rereads": [{"key": VERSION, "unchanged": True}],
        "decisions": [{"key": VERSION, "recorded": True}],
    }  # fmt: skip


#: For each check, one change of the story that makes it fail: table, column, value.
MUTATIONS: Mapping[int, tuple[str, str, object]] = {
    1: ("candidates", "policy_released", False),
    2: ("model_versions", "status", "PENDING_REGISTRATION"),
    3: ("gate_places", "pull_request", True),
    4: ("runs", "status", "FAILED"),
    5: ("artifacts", "same_run", False),
    6: ("commit_evidence", "dirty", True),
    7: ("branch_commits", "is_ancestor", False),
    8: ("commit_reviews", "approved_by_other", False),
    9: ("commit_checks", "succeeded", False),
    10: ("job_runs", "run_type", "SUBMIT_RUN"),
    11: ("run_inputs", "versioned", False),
    12: ("version_features", "has_key", False),
    13: ("runs", "metric_count", 0),
    14: ("validations", "enforced", False),
    15: ("version_comparisons", "not_worse", False),
    16: ("version_approvals", "independent", False),
    17: ("promoters", "is_other", False),
    18: ("jobs", "run_as_kind", "user"),
    19: ("rereads", "unchanged", False),
    20: ("decisions", "recorded", False),
}


def facts_of(told: Story, hidden: frozenset[str] = frozenset()) -> Facts:
    """The facts, each list complete, apart from the tables that nobody has read."""
    facts = Facts()
    for name in TABLES:
        if name not in hidden:
            with facts.listing(name, plane="deployed"):
                for row in told.get(name, ()):
                    facts.add(TABLES[name](plane="deployed", **row))
    return facts


def docket(told: Story, hidden: frozenset[str] = frozenset(), *, level: Level = "approved", kind: Kind = "promotion") -> Docket:
    """What a gate is asked, with these facts."""
    request = request_of("models:/prod.ml.churn/7", "production", ("champion",))
    read = Read(facts_of(told, hidden), frozenset(TABLES), {"unity-catalog": 1})
    day = dt.date(2026, 11, 23)
    return Docket(request, POLICY, level, kind, read, "ci", "production", day, "2026-11-23T10:00:00Z", "2026-11-23T10:00:05Z")
