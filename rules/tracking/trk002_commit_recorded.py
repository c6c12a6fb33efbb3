"""Every production training run records the exact commit it ran.

Why:
    Whether the live model was trained by reviewed code is decided by its commit. A job that a bundle deploys runs from a copy
    of the files, not from a clone, so MLflow finds no Git there and records nothing unless it is told.

Fix:
    Hand the commit to the run; no code changes are needed.

        new_cluster:
          spark_env_vars:
            MLFLOW_RUN_CONTEXT: '{"mlflow.source.git.commit":"${bundle.git.commit}"}'

    A job parameter with the value `${bundle.git.commit}`, a `git_source`, or a call that sets the tag does as well.

Exceptions:
    Development and staging. A deployment history that the platform keeps (`experimental.record_deployment_history`) is enough
    to find the commit later: then this is a note. A commit whose working tree was changed is not the code that ran;
    where nobody recorded whether it was, the verdict is unknown.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/bundles/variables
    https://docs.databricks.com/aws/en/admin/system-tables/mlflow
"""

from lakewarden.rule import CORE, ERROR, HIGH, NOTE, WARNING, Message, Query, Rule

rule = Rule(
    code="TRK002",
    name="commit-recorded",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    fixable=("found_later", "on_the_run"),
    queries=(
        Query(
            subject="tasks",
            query="""
                SELECT t.*, t.plane = 'declared' AND t.stage = 'production' AND t.role = 'training' AND t.kind NOT IN ('run_job', 'condition') AS applies,
                       j.git_ref_kind <> 'none' OR (t.file <> 'none' AND f.tags_commit) OR g.records_history
                       OR (SELECT any_of(p.holds_commit) FROM task_params p WHERE p.plane = t.plane AND p.task = t.key) AS found_later,
                       j.git_ref_kind <> 'none' OR (t.file <> 'none' AND f.tags_commit)
                       OR (SELECT any_of(p.holds_commit) FROM task_params p WHERE p.plane = t.plane AND p.task = t.key) AS on_the_run
                FROM tasks t LEFT JOIN jobs j ON j.plane = t.plane AND j.key = t.job
                     LEFT JOIN targets g ON g.plane = t.plane AND g.key = t.target
                     LEFT JOIN files f ON f.plane = t.plane AND f.key = t.file
            """,
            message={
                "found_later": Message(
                    "training task {key} runs without its commit: set MLFLOW_RUN_CONTEXT with ${{bundle.git.commit}} in its environment",
                    severity=WARNING,
                ),
                "on_the_run": Message(
                    "the commit of training task {key} is only in the deployment history: set MLFLOW_RUN_CONTEXT, so that each run carries it",
                    severity=NOTE,
                ),
            },
        ),
        Query(
            subject="runs",
            query="""
                SELECT r.*, r.produced_version AND r.stage = 'production' AS applies,
                       c.commit <> 'none' AS commit_known, c.rung = 'git-snapshot' OR NOT c.dirty AS clean, c.commit AS recorded, c.origin AS related
                FROM runs r LEFT JOIN run_commit c ON c.plane = r.plane AND c.key = r.key
            """,
            message={
                "commit_known": "production run {key} registered a model, and no commit is recorded for it: set MLFLOW_RUN_CONTEXT in its job",
                "clean": "production run {key} is held to commit {recorded}, but its working tree was changed: deploy from a clean checkout in CI",
            },
        ),
    ),
)
