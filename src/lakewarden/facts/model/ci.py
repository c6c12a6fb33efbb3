"""Continuous integration: jobs, when they can run, and what they do."""

from __future__ import annotations

from lakewarden.facts.fact import Fact


class CiJob(Fact, table="ci_jobs", parents={"project_key": "projects"}):
    """A job of a workflow, or steps of it that run at other times. Key: project/workflow/job, with `#stepN` for steps."""

    project_key: str
    """Key of the project whose code it builds."""
    environment_protected: bool | None = None
    """Does it run in an environment that needs an approval or admits only the release branch? FALSE without environment."""
    environment: str | None = None
    """Its environment as `system:name` (`github`, `azure`, `gitlab`); `none` where it runs in none."""
    head_state: str | None = None
    """`branch` or `detached`: what the checkout leaves."""
    checks_out_pr_head: bool | None = None
    """Does it check out the head of a pull request?"""


class CiReach(Fact, table="ci_reach", parents={"ci_job": "ci_jobs"}):
    """An event and kind of ref under which a job can run. Key: job/event/ref."""

    ci_job: str
    """Key of the job."""
    event: str | None = None
    """`push`, `tag`, `pull_request`, `pull_request_target`, `merge_request`, `manual`, `schedule`, `workflow_run`, …; `queued`
    is a start by hand that the CI system offers for every pipeline, whatever starts it by itself."""
    ref_class: str | None = None
    """`release`, `default`, `other` (named by the workflow, and none of these), `any` (those that nobody names among them) or
    `pull_request`."""


class CiStep(Fact, table="ci_steps", parents={"ci_job": "ci_jobs", "project_key": "projects"}, place="target"):
    """A step, recognised by what it does. Key: job#ordinal."""

    ci_job: str
    """Key of the job."""
    project_key: str
    """Key of the project."""
    target: str | None = None
    """Key of the target that it reaches; `none` where it reaches none."""
    kind: str | None = None
    """`bundle_validate`, `bundle_deploy`, `bundle_run`, `bundle_destroy`, `bundle_sync`, `bundle_summary`, `terraform_apply`,
    `dbx_deploy`, `dbx_run`, `cli_deploy`, `cli_run` (other commands of the Databricks CLI), `unit_test`, `integration_test`,
    `model_copy`."""
    ignores_failure: bool | None = None
    """Does the job go on, or end well, when the step fails?"""
    on_pull_request: bool | None = None
    """Can it run for a pull request?"""


class CiDeployment(Fact, table="ci_deployments", references={"ci_job": "ci_jobs", "target": "targets"}, place="target"):
    """A step that deploys or runs a target. Key: job#ordinal."""

    ci_job: str | None = None
    """Key of the job."""
    tool: str | None = None
    """`bundle`, `terraform`, `dbx`, or `cli` (other commands of the Databricks CLI)."""
    target: str | None = None
    """Key of the target that it reaches; for a name that the bundle does not define, the key that it would have."""
    target_name: str | None = None
    """The target's name as written; `none` where the command names none."""
    action: str | None = None
    """`deploy`, `run`, `destroy`, or `look` where it changes nothing."""
    forced: bool | None = None
    """Does it override the check of the Git branch (`--force`)?"""
    branch_guarded: bool | None = None
    """Does it run only for a release branch that takes changes after an approval and successful checks?"""


class TargetDeployment(Fact, table="target_deployments", parents={"target": "targets"}):
    """Closure: how a target is deployed by CI. Key: target/step."""

    target: str
    """Key of the target."""
    as_service_principal: bool | None = None
    """Do the step's credentials belong to a service principal?"""


class CiUpstream(Fact, table="ci_upstream", parents={"ci_job": "ci_jobs"}):
    """Closure of `needs`: what has to succeed before a job. Key: job/upstream/kind."""

    ci_job: str
    """Key of the job that waits."""
    kind: str | None = None
    """What the upstream job does: a kind of ci_steps."""


class CiCredential(Fact, table="ci_credentials", references={"ci_job": "ci_jobs"}, place="target"):
    """A credential for Databricks that a job can read. Key: job/variable."""

    ci_job: str | None = None
    """Key of the job; `none` for a policy of Databricks that lets somebody in."""
    target: str | None = None
    """Key of the target that it is for."""
    name: str | None = None
    """The variable's name."""
    kind: str | None = None
    """`oidc`, `m2m_secret`, `pat`, `azure_sp_secret` or `profile`."""
    federation_subject: str | None = None
    """For `oidc`: `environment`, `release`, `pull_request`, `other`; `none` for other kinds, and where only the
    workflow was read: it does not say what Databricks accepts."""
    validates_only: bool | None = None
    """Does the policy name its principal as one that only reads and validates? FALSE where it names none."""
