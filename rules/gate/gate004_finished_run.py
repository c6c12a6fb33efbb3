"""The run that logged the version has ended well and was not deleted.

Why:
    A run that failed after it logged a model says that what came after, often the evaluation, did not succeed. A deleted
    run takes its parameters, metrics and inputs with it.

Fix:
    Register the model of a run that has the status FINISHED, and keep runs that registered models.

Exceptions:
    None; under `deployment_pattern = "deploy-models"` the version that was copied is asked instead.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE004",
    name="finished-run",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=2,
    message={
        "is_there": "the run of version {key} was deleted: restore it, or train again",
        "is_finished": "the run of version {key} ended as {status}: promote one whose run ended as FINISHED",
    },
    query="""
        SELECT c.*, v.run, r.status, r.origin AS related, p.deployment_pattern <> 'deploy-models' AS applies, NOT r.deleted AS is_there, r.status = 'FINISHED' AS is_finished
        FROM candidates c CROSS JOIN policy p LEFT JOIN model_versions v ON v.plane = c.plane AND v.key = c.version_key
                          LEFT JOIN runs r ON r.plane = v.plane AND r.key = v.run
    """,
)
