"""Experiments and runs."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class Experiment(Fact, table="experiments", place="place", listed_by={"workspaces": {"place": "key"}}):
    """An experiment of a stage: a bundle's resource, variable or parameter, or a live one. Key: target/path; live:
    workspace/experiments/id.
    """

    place: str | None = None
    """The key of a target, or the URL of a workspace."""
    target: str | None = None
    """Key of the bundle target that declares it; NULL on other planes."""
    host: str | None = None
    """The workspace's URL; `none` where the target names none."""
    path: str | None = None
    """Its path, resolved, with the prefix that the target's mode adds."""
    path_place: str | None = None
    """`person`, `deployer`, `service_principal`, `everyone` or `other`."""


class Run(
    Fact,
    table="runs",
    references={"job_run": "job_runs", "experiment": "experiments"},
    place="workspace",
    listed_by={"model_versions": {"workspace": "run_workspace"}},
):
    """A run of MLflow behind a version that an alias or an endpoint names. Key: workspace/run id."""

    workspace: str | None = None
    """URL of the workspace."""
    experiment: str | None = None
    """Key of its experiment."""
    job_run: str | None = None
    """Key of the job run that it belongs to; `none` for a run outside jobs."""
    source_type: str | None = None
    """`JOB`, `NOTEBOOK`, `LOCAL`, `PROJECT`."""
    status: str | None = None
    """`FINISHED`, `FAILED`, `KILLED`, `RUNNING`, `SCHEDULED`."""
    deleted: bool | None = None
    """Was it deleted?"""
    produced_version: bool | None = None
    """Did it produce a registered model version?"""
    param_count: int | None = None
    """How many parameters it recorded."""
    metric_count: int | None = None
    """How many metrics it recorded."""


class RunInput(Fact, table="run_inputs", parents={"run": "runs"}, derived={"named_stage": ("stage_of_name", "catalog")}):
    """A dataset that a run recorded. Key: run/ordinal."""

    run: str
    """Key of the run."""
    catalog: str | None = None
    """Catalog of the table; `none` where the source is no table."""
    versioned: bool | None = None
    """Is the Delta version recorded?"""
    context: str | None = None
    """`training`, `evaluation`, …"""


class RunCommit(Fact, table="run_commit", references={"commit_key": "branch_commits"}, listed_by={"runs": {"key": "key"}}):
    """Closure: the commit that a run is held to, by the strongest rung of evidence. The key is the run's."""

    commit: str | None = None
    """The commit; `none` where every rung was looked at and none holds one."""
    commit_key: str | None = None
    """Key of the commit in branch_commits."""
    rung: str | None = None
    """`git-snapshot`, `deployment-record`, `deployment-metadata`, `captured-statement`, `launch-parameters`,
    `run-tags`."""
    agreed: bool | None = None
    """Do all rungs that are present name the same commit?"""
    accepted: bool | None = None
    """Is the rung as strong as `gate.commit_evidence` of the policy demands?"""
    dirty: bool | None = None
    """Was the working tree changed?"""
