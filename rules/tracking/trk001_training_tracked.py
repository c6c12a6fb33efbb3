"""Training code runs under MLflow tracking.

Why:
    A run ties a model to its code, its data, its parameters and its metrics. A training that records no run leaves a model
    that nobody can explain, compare with the next one or make again.

Fix:
    Open a run around the training, or switch automatic logging on before it:

        with mlflow.start_run():
            model.fit(X, y)
            mlflow.sklearn.log_model(model, name="model", input_example=X.iloc[[0]])

Exceptions:
    A module or notebook that other code imports or runs: its callers are judged, with all that they reach. Automatic
    logging may be off around a search, as long as something else logs. Loggers of training frameworks count, such as
    Lightning's `MLFlowLogger` and the callback of `transformers`. Tests. Automatic logging of interactive notebooks, on
    by default on ML runtimes, is no evidence for jobs and does not count.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/mlflow/tracking
    https://docs.databricks.com/aws/en/mlflow/databricks-autologging
"""

from lakewarden.rule import MEDIUM, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="TRK001",
    name="training-tracked",
    severity=WARNING,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    subject="files",
    query="""
        SELECT f.*, f.language = 'python' AND NOT f.is_test AND NOT f.is_library
                    AND (SELECT any_of(r.role = 'training') FROM file_roles r WHERE r.plane = f.plane AND r.file = f.key)
                    AND (SELECT any_of(c.api = 'fit') FROM reached_calls c WHERE c.plane = f.plane AND c.file = f.key) AS applies,
               (SELECT any_of(
                    c.api IN ('mlflow.start_run', 'mlflow.log_model', 'FeatureEngineeringClient.log_model', 'mlflow.log_param',
                              'mlflow.log_params', 'mlflow.log_metric', 'mlflow.log_metrics', 'mlflow.callback', 'databricks.automl')
                    OR c.api = 'mlflow.autolog' AND NOT c.disables)
                FROM reached_calls c WHERE c.plane = f.plane AND c.file = f.key) AS ok,
               t.origin AS related
        FROM files f LEFT JOIN reached_calls t ON t.plane = f.plane AND t.key = f.key || '/fit'
    """,
    message="{path} trains a model and records no MLflow run: call mlflow.autolog() before fit, or train inside mlflow.start_run()",
)
