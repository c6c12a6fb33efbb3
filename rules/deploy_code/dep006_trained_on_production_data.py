"""A production version was trained on production data.

Why:
    A model that was trained on development or staging tables has learned from samples, masked values or stale copies. It may
    score well there and fail on what production sees, and its lineage points to data that nobody guards.

Fix:
    Take the catalog of the input tables from the deployment target, run the training job in production, and record the
    inputs with `mlflow.log_input`.

Exceptions:
    Data that was only used to evaluate the model may come from anywhere. Label tables in a catalog of their own count as
    production when the policy lists that catalog for a production environment. Inputs that are not tables are left to TRK004.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/mlops/deployment-patterns
"""

from lakewarden.rule import ADVISORY, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="DEP006",
    name="trained-on-production-data",
    subject="model_versions",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    message="live version {key} was trained on tables outside production: train it in production, on production tables",
    # `OR NULL`: a run that recorded no table says nothing about its data, where `all_of` alone would pass.
    query="""
        SELECT v.*, v.stage = 'production' AND v.live AND v.catalog <> 'system' AS applies, r.origin AS related,
               (SELECT all_of(i.context IN ('evaluation', 'eval', 'validation', 'test') OR i.catalog = 'none' OR i.named_stage = 'production')
                FROM run_inputs i WHERE i.plane = v.plane AND i.run = v.run)
               AND ((SELECT any_of(i.context NOT IN ('evaluation', 'eval', 'validation', 'test') AND i.catalog <> 'none')
                     FROM run_inputs i WHERE i.plane = v.plane AND i.run = v.run) OR NULL) AS ok
        FROM model_versions v LEFT JOIN runs r ON r.plane = v.plane AND r.key = v.run
    """,
)
