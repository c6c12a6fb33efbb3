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
    (catalog `system`) are left out.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import CORE, ERROR, HIGH, PREVIEW, Query, Rule

rule = Rule(
    code="DEP007",
    name="registered-in-own-catalog",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    status=PREVIEW,
    queries=(
        Query(
            subject="models",
            message="model {key} of stage {stage} is declared in catalog {catalog} of stage {catalog_stage}: take the catalog from the target",
            query="""
                SELECT m.*, m.plane = 'declared' AND m.catalog <> 'none' AND m.catalog_stage <> 'none' AS applies, m.catalog_stage = m.stage AS ok
                FROM models m
            """,
        ),
        Query(
            subject="config_refs",
            message="{key} of stage {stage} registers {value} of stage {named_stage}: take the catalog from the target",
            query="""
                SELECT r.*, r.kind = 'model' AND r.is_write AND r.named <> 'none' AND r.named_stage <> 'none' AS applies, r.named_stage = r.stage AS ok
                FROM config_refs r
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
