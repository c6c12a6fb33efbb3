"""Production jobs and pipelines are deployed from source control.

Why:
    A job that was made in the user interface has no history, no review and no second copy: nobody can say what it ran
    last month, and nobody can make it again after it was deleted. What is not in version control cannot be promoted
    through stages either.

Fix:
    Write the job into the bundle and let the bundle take it over:

        databricks bundle generate job --existing-job-id 123
        databricks bundle deployment bind churn_training 123 -t prod

Exceptions:
    Jobs and pipelines that Databricks makes itself (monitor refreshes, synced tables) are not judged.
    Terraform, and other tools that read from Git, are source control as well as a bundle.
    One-off runs that belong to no job are judged by DEP005.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/gcp/en/developers/best-practices
"""

from lakewarden.rule import ERROR, HIGH, RECOMMENDED, Rule

rule = Rule(
    code="GIT001",
    name="deployed-from-source-control",
    subject="jobs",
    severity=ERROR,
    confidence=HIGH,
    profile=RECOMMENDED,
    message={
        "managed": "production {kind} {name} was made by hand: write it into the bundle (`databricks bundle generate`) and bind it",
        "in_sync": "production {kind} {name} is {dirty_state}, it no longer follows Git: deploy it again from the release branch",
    },
    query="""
        SELECT j.*, j.plane = 'deployed' AND j.stage = 'production' AND j.managed_by <> 'system' AS applies,
               j.managed_by <> 'manual' AS managed, j.dirty_state = 'none' AS in_sync
        FROM jobs j
    """,
)
