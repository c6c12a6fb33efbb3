"""A model's deployment job takes model and version, runs once at a time as a service principal, and never repeats an approval.

Why:
    A deployment job starts by itself for each new version and acts with wide rights. Without the job parameters `model_name`
    and `model_version` it does not know what it deploys. Two runs at once can move the alias in the wrong order.
    An approval task that is tried again may pass on the second try without a decision, and a job that runs as a person
    lends that person's rights to everybody who may register a version.

Fix:
    Declare `model_name` and `model_version` under the `parameters` of the job, not of a task; set `max_concurrent_runs: 1`,
    leave `max_retries` of approval tasks at 0, and set `run_as` to a service principal that may do only this.

Exceptions:
    Projects that promote from CI need no deployment job: without one there is nothing to judge. Outside production the job
    may run as a person. Where nothing is set, it runs as whoever deploys: who that is, is unknown.

References:
    https://docs.databricks.com/aws/en/mlflow/deployment-job
    https://docs.databricks.com/aws/en/admin/users-groups/best-practices
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="REG009",
    name="sound-deployment-job",
    subject="jobs",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    revision=2,
    fixable=("takes_model", "takes_version", "runs_alone", "asks_once"),
    message={
        "takes_model": "deployment job {key} has no job parameter model_name: declare it under parameters of the job",
        "takes_version": "deployment job {key} has no job parameter model_version: declare it under parameters of the job",
        "runs_alone": "deployment job {key} allows {max_concurrent_runs} runs at once: set max_concurrent_runs to 1",
        "asks_once": "deployment job {key} repeats its approval task: set max_retries of the task to 0",
        "is_impersonal": "deployment job {key} runs as {run_as_kind} {run_as}: set run_as to a service principal",
    },
    query="""
        SELECT j.*, j.is_deployment_job AS applies,
               (SELECT any_of(p.name = 'model_name') FROM job_params p WHERE p.plane = j.plane AND p.job = j.key) AS takes_model,
               (SELECT any_of(p.name = 'model_version') FROM job_params p WHERE p.plane = j.plane AND p.job = j.key) AS takes_version,
               j.max_concurrent_runs = 1 AS runs_alone,
               (SELECT all_of(t.role <> 'approval' OR t.max_retries = 0) FROM tasks t
                WHERE t.plane = j.plane AND t.job = j.key) AS asks_once,
               j.stage <> 'production' OR j.run_as_kind = 'service_principal' OR (j.run_as_kind = 'deployer' AND NULL) AS is_impersonal
        FROM jobs j
    """,
)
