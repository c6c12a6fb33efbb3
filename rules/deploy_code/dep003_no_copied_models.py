"""Model binaries are not carried between environments.

Why:
    A model that is copied from development or staging into production was trained by code, on data and by an identity that
    production has no control over. Its run and its tags, approvals included, come along and look as if they had been
    earned there. When code is promoted instead, production trains the model itself, and there is nothing to carry.

Fix:
    Deploy the training job to production and let it register the model in the production catalog, taking the catalog from
    the target: `mlflow.register_model(model_uri, f"{catalog}.{schema}.churn")`. Delete the copying step.

Exceptions:
    With `deployment_pattern = "deploy-models"` in the policy, copying is the chosen way. A copy within one stage (a rename,
    another region, another schema of the same catalog) and a migration out of the workspace registry are allowed. Tests are left out.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/deployment-patterns
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import ERROR, MEDIUM, RECOMMENDED, Query, Rule

rule = Rule(
    code="DEP003",
    name="no-copied-models",
    severity=ERROR,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    queries=(
        Query(
            subject="code_calls",
            message={
                "stays_in_registry": "{api} carries a model out of its registry: train it where it is used, by the deployed training job",
                "stays_in_stage": "{api} copies a model from {from_catalog} ({from_stage}) to {to_catalog} ({to_stage}): train it there",
            },
            query="""
                SELECT c.*,
                       NOT c.is_test AND p.deployment_pattern <> 'deploy-models' AND (
                           c.api IN ('mlflow.copy_model_version', 'mlflow_export_import')
                           OR c.model_from = 'copy') AS applies,
                       c.api <> 'mlflow_export_import' AS stays_in_registry,
                       c.from_catalog = 'none' OR c.from_catalog = c.to_catalog OR c.from_stage = c.to_stage AS stays_in_stage
                FROM code_calls c CROSS JOIN policy p
            """,
        ),
        Query(
            subject="ci_steps",
            message="CI carries a model from one place to another: let the deployed training job train it where it is used",
            query="""
                SELECT s.*, s.kind = 'model_copy' AND p.deployment_pattern <> 'deploy-models' AS applies, s.kind <> 'model_copy' AS ok
                FROM ci_steps s CROSS JOIN policy p
            """,
        ),
    ),
)
