"""Only the release branch can deploy to production.

Why:
    Review, tests and the check in staging all happen on the way to the release branch. A workflow that deploys
    production from any other ref goes around them: `workflow_dispatch` without a condition lets everyone with write
    access pick a branch and put it into production.

Fix:
    Let the job run for the release branch alone, and give it a protected environment:

        jobs:
          deploy:
            if: github.ref == 'refs/heads/release'
            environment: prod

Exceptions:
    A start by hand is fine when it works on the release branch alone, or when the job runs in an environment that asks for
    approval or admits only the release branch. Whether an environment is protected is known to the Git host: read from a
    repository alone, a job with an environment is neither passed nor failed.
    A rollback may deploy a tag, if the tag's pattern is one of the project's `release_refs`.
    Azure Pipelines lets people start every pipeline by hand, on a branch that they name: where this alone reaches production,
    it is advice, since the permissions of the pipeline are known to Azure DevOps.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/github
"""

from lakewarden.rule import ADVISORY, CORE, ERROR, HIGH, Message, Rule

rule = Rule(
    code="GIT002",
    name="release-branch-deploys",
    subject="ci_deployments",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=3,
    fixable=("released",),
    message={
        "released": "this job can {action} {target_name} from a ref that is no release ref: test the ref in its condition, or use a protected environment",
        # ADVISORY: who may queue the pipeline, and whether it does anything then, is settled outside of the file.
        "held": Message(
            "whoever starts this pipeline by hand can {action} {target_name} from any branch: test Build.SourceBranch in a condition",
            confidence=ADVISORY,
        ),
    },
    # `d.ci_job = j.key`: of a job that was not seen nobody knows when it runs.
    query="""
        SELECT d.*, d.stage = 'production' AND d.action <> 'look' AS applies,
               j.environment_protected OR (d.ci_job = j.key AND (
                   SELECT all_of(r.ref_class = 'release' OR r.event = 'queued')
                   FROM ci_reach r WHERE r.plane = d.plane AND r.ci_job = d.ci_job)) AS released,
               j.environment_protected OR (d.ci_job = j.key AND (
                   SELECT all_of(r.ref_class = 'release')
                   FROM ci_reach r WHERE r.plane = d.plane AND r.ci_job = d.ci_job)) AS held
        FROM ci_deployments d LEFT JOIN ci_jobs j ON j.plane = d.plane AND j.key = d.ci_job
    """,
)
