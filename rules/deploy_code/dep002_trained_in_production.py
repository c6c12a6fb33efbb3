"""A production model version was trained in production.

Why:
    A version that was trained elsewhere, or copied from another catalog, has not seen production data and was not made by
    the code and the identity that production runs. What was reviewed and tested in staging is then not what made
    the model.

Fix:
    Run the training job of the production target and promote the version that it registers.

Exceptions:
    With `deployment_pattern = "deploy-models"` in the policy, versions are copied on purpose: the version copied from is
    then held to the rules of its own stage. A copy of another production model, after a rename or a move, is allowed.
    Foundation models in the catalog `system` were trained by somebody else.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/mlops/deployment-patterns
"""

from lakewarden.rule import ERROR, MEDIUM, RECOMMENDED, Rule

rule = Rule(
    code="DEP002",
    name="trained-in-production",
    subject="model_versions",
    severity=ERROR,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    message={
        "is_original": "live version {key} is a copy of {copied_from}: train it in production and promote what that registers",
        "is_local": "live version {key} was trained in {run_workspace}, stage {run_stage}: train it in production",
    },
    query="""
        SELECT v.*, v.stage = 'production' AND v.live AND v.catalog <> 'system' AND p.deployment_pattern <> 'deploy-models' AS applies,
               v.copied_from = 'none' OR v.copied_stage = 'production' AS is_original,
               v.run_stage = 'production' AS is_local
        FROM model_versions v CROSS JOIN policy p
    """,
)
