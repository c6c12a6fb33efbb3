"""The version was registered by its own training, or is a copy of one that was tested, where the policy lets models be copied.

Why:
    A copy has the run, the tags and the approvals of another version. Where code is deployed, production trains its own model, and a
    copy was made by code, data and an identity that production knows nothing of. Where models are deployed, what goes live is a
    copy on purpose: then of a version that the stage before tested, which is held to the checks in its place.

Fix:
    Run the training job of production, and promote the version that it registers. With `deployment_pattern = "deploy-models"`, copy
    the version of the stage before: `client.copy_model_version("models:/staging.ml.churn/4", "prod.ml.churn")`.

Exceptions:
    None: a version that was renamed within production is a copy too. For one that has to go live write a waiver with a reason and
    an end. A registry without catalogs does not tell the stage of what was copied, which is no pass.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/deployment-patterns
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE022",
    name="original-version",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "is_original": "version {key} is a copy of {copied_from}: train it in {wanted_stage}, and promote what that registers",
        "is_copy": "version {key} is no copy, and the policy deploys models: promote a copy of a version of {tested_stage}",
        "is_tested": "version {key} is a copy of {copied_from}, of stage {copied_stage}: promote a copy of a version of {tested_stage}",
    },
    query="""
        SELECT c.*, v.copied_from, v.copied_stage, v.origin AS related, TRUE AS applies,
               p.deployment_pattern = 'deploy-models' OR v.copied_from = 'none' AS is_original,
               p.deployment_pattern <> 'deploy-models' OR v.copied_from <> 'none' AS is_copy,
               p.deployment_pattern <> 'deploy-models' OR v.copied_from = 'none' OR v.copied_stage = c.tested_stage AS is_tested
        FROM candidates c CROSS JOIN policy p LEFT JOIN model_versions v ON v.plane = c.plane AND v.key = c.version_key
    """,
)
