"""A production version comes from a successful run of a deployed job, as a service principal.

Why:
    Anybody can run a notebook with the right commit checked out and register what comes out. Only a deployed job has the
    parameters, libraries and identity that were reviewed, and only a run that succeeded went through all of its tasks.

Fix:
    Run the production training job as it was deployed, without overriding its parameters, and promote the version that it
    registers.

Exceptions:
    A notebook that runs as a task of a job counts as a job. Foundation models (catalog `system`) have no run. For an approved
    backfill write a waiver with a reason and an end.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/admin/users-groups/best-practices
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="DEP005",
    name="trained-by-deployed-job",
    subject="model_versions",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "by_job": "live version {key} comes from a {source_type} run, not from a job: run the deployed training job",
        "by_deployed_job": "live version {key} comes from a {run_type} of a job managed by {managed_by}: run the deployed training job",
        "succeeded": "live version {key} comes from a job run that ended as {result_state}: promote one from a run that succeeded",
        "as_service_principal": "live version {key} was trained as a {run_as_kind}: let the job run as a service principal",
        "as_deployed": "live version {key} was trained with guarded parameters overridden: run the job as it was deployed",
    },
    query="""
        SELECT v.*, r.source_type, jr.run_type, jr.managed_by, jr.result_state, jr.run_as_kind, r.origin AS related,
               v.stage = 'production' AND v.live AND v.catalog <> 'system' AS applies,
               r.source_type = 'JOB' AS by_job,
               jr.run_type = 'JOB_RUN' AND jr.managed_by IN ('bundle', 'terraform', 'git_job') AS by_deployed_job,
               jr.result_state = 'SUCCESS' AS succeeded,
               jr.run_as_kind = 'service_principal' AS as_service_principal,
               NOT jr.overridden AS as_deployed
        FROM model_versions v LEFT JOIN runs r ON r.plane = v.plane AND r.key = v.run
                              LEFT JOIN job_runs jr ON jr.plane = v.plane AND jr.key = v.job_run
    """,
)
