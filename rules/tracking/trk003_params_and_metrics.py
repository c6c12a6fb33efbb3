"""Runs that produce models record parameters and metrics.

Why:
    Whether a new version is better than the live one is read from metrics, and what made it better from parameters. Without
    them a promotion is a guess.

Fix:
    Call `mlflow.autolog()` before training, or `mlflow.log_params(…)` and `mlflow.log_metrics(…)` inside the run.

Exceptions:
    Models that wrap a foreign service or fixed rules have no parameters: waive them by name. Runs that register no model.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/mlflow/tracking
"""

from lakewarden.rule import CORE, HIGH, WARNING, Rule

rule = Rule(
    code="TRK003",
    name="params-and-metrics",
    severity=WARNING,
    confidence=HIGH,
    profile=CORE,
    subject="runs",
    query="""
        SELECT r.*, r.produced_version AS applies, r.param_count > 0 AS has_params, r.metric_count > 0 AS has_metrics
        FROM runs r
    """,
    message={
        "has_params": "run {key} registered a model and recorded no parameter: call mlflow.autolog() or mlflow.log_params",
        "has_metrics": "run {key} registered a model and recorded no metric: call mlflow.autolog() or mlflow.log_metrics",
    },
)
