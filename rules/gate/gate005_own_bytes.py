"""The files of the version say themselves that they are of its run and of its model.

Why:
    The registry's note of a run can be written by whoever registers a version; the model file names the run and the
    logged model that made it. Where they differ, the lineage of one model stands before the bytes of another.

Fix:
    Register the model that the run itself logged: `mlflow.register_model(f"models:/{model_id}", name)`, and do not write
    files into the artifacts of another run.

Exceptions:
    Models that were logged before MLflow 3 have no logged model: then the run alone is compared. With
    `deployment_pattern = "deploy-models"` a copy has to have the files of the version that was copied. There is no waiver for
    this.

References:
    https://mlflow.org/docs/latest/ml/model/
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE005",
    name="own-bytes",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=2,
    message={
        "is_of_run": "the files of version {key} name another run than the registry does: register the model of its own run",
        "is_of_model": "the files of version {key} name another logged model than the registry does: register the model of its own run",
        "is_copied": "the files of version {key} are not those of {copied_from}, which it is a copy of: copy that version again",
        "is_unchanged": "the files of version {key} are not those that were attested or captured before: register what was trained",
    },
    query="""
        SELECT c.*, v.copied_from, a.origin AS related, TRUE AS applies, a.same_run AS is_of_run, a.same_model AS is_of_model,
               p.deployment_pattern <> 'deploy-models' OR v.copied_from = 'none' OR a.same_original AS is_copied, a.same_digest AS is_unchanged
        FROM candidates c CROSS JOIN policy p LEFT JOIN artifacts a ON a.plane = c.plane AND a.key = c.key
                          LEFT JOIN model_versions v ON v.plane = c.plane AND v.key = c.version_key
    """,
)
