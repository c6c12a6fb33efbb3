"""A model is registered in the catalog of the environment it was trained in.

Why:
    The catalog says which stage a model belongs to, and grants, isolation and promotion go by it. A development job that
    registers in the production catalog puts an unreviewed model where production looks for one; a production job that
    registers elsewhere leaves production without the version that it trained.

Fix:
    Build the name from the target: `registered_model_name=f"{catalog}.ml.churn"` with a parameter `catalog` that each target
    sets, or `catalog_name: ${var.catalog}` under `registered_models`.

Exceptions:
    Copies of a version are DEP002's matter. Several catalogs may belong to one stage: the policy says which. Foundation models
    (catalog `system`) are left out. So are tests, code that no task runs, and code of a project with one stage.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import CORE, ERROR, HIGH, Query, Rule

rule = Rule(
    code="DEP007",
    name="registered-in-own-catalog",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=2,
    queries=(
        Query(
            subject="config_refs",
            message="target {target} of stage {stage} registers {value} of stage {named_stage}: take the catalog from the target",
            query="""
                SELECT r.*, r.kind = 'model' AND r.is_write AND r.named <> 'none' AND r.named_stage <> 'none' AS applies, r.named_stage = r.stage AS ok
                FROM config_refs r
            """,
        ),
        Query(
            subject="code_calls",
            message="code of several stages registers {argument} of {argument_stage} in each of them: take the catalog from a parameter",
            query="""
                SELECT c.*, c.api IN ('mlflow.register_model', 'mlflow.log_model', 'mlflow.create_model_version',
                                      'mlflow.create_registered_model', 'FeatureEngineeringClient.log_model')
                           AND c.name_levels = 3 AND NOT c.is_test AND f.is_run AND p.several_stages AS applies,
                       c.argument_stage = 'none' AS ok
                FROM code_calls c LEFT JOIN projects p ON p.plane = c.plane AND p.key = c.project
                LEFT JOIN files f ON f.plane = c.plane AND f.key = c.file
            """,
        ),
        Query(
            subject="model_versions",
            message="version {key} of stage {stage} was trained in {run_workspace} of stage {run_stage}: register it in that stage's catalog",
            query="""
                SELECT v.*, v.copied_from = 'none' AND v.catalog <> 'system' AS applies, v.run_stage = v.stage AS ok
                FROM model_versions v
            """,
        ),
    ),
)
