"""Runs record their training data, with the Delta version.

Why:
    To repeat a training, or to explain what a model learned, one has to read the same rows again. Delta keeps the versions
    of a table; the run has to say which one it read.

Fix:
    Log the table with its version; only the reference is stored, so size does not matter.

        data = mlflow.data.load_delta(table_name=table, version=version)
        mlflow.log_input(data, context="training")

Exceptions:
    Training sets of the Feature Engineering client, which keeps their tables with the model. Automatic logging records
    the data set. Streaming and online learning, which have no version: waive them. Evaluation data does not count.
    Training that records no run at all is TRK001's matter.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/mlflow/tracking
    https://docs.databricks.com/aws/en/delta/history
"""

from lakewarden.rule import HIGH, MEDIUM, RECOMMENDED, WARNING, Message, Query, Rule

rule = Rule(
    code="TRK004",
    name="training-data-recorded",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    queries=(
        Query(
            subject="runs",
            query="""
                SELECT r.*, r.produced_version AS applies,
                       (SELECT any_of(i.context NOT IN ('evaluation', 'eval', 'validation', 'test'))
                        FROM run_inputs i WHERE i.plane = r.plane AND i.run = r.key) AS data_recorded,
                       (SELECT any_of(i.context NOT IN ('evaluation', 'eval', 'validation', 'test') AND i.versioned)
                        FROM run_inputs i WHERE i.plane = r.plane AND i.run = r.key) AS version_recorded
                FROM runs r
            """,
            message={
                "data_recorded": "run {key} registered a model and recorded no training data: call mlflow.log_input with the table and its version",
                "version_recorded": "run {key} recorded its training data without a Delta version: use mlflow.data.load_delta(table_name=…, version=…)",
            },
        ),
        Query(
            subject="files",
            query="""
                SELECT f.*, f.language = 'python' AND NOT f.is_test AND NOT f.is_library
                            AND (SELECT any_of(r.role = 'training') FROM file_roles r WHERE r.plane = f.plane AND r.file = f.key)
                            AND (SELECT any_of(c.api = 'fit') FROM reached_calls c WHERE c.plane = f.plane AND c.file = f.key)
                            AND (SELECT any_of(c.api IN ('mlflow.start_run', 'mlflow.log_param', 'mlflow.log_params', 'mlflow.log_metric',
                                                         'mlflow.log_metrics', 'mlflow.log_model', 'mlflow.callback',
                                                         'FeatureEngineeringClient.log_model')
                                               OR c.api = 'mlflow.autolog' AND NOT c.disables)
                                 FROM reached_calls c WHERE c.plane = f.plane AND c.file = f.key) AS applies,
                       (SELECT any_of(c.api IN ('mlflow.log_input', 'FeatureEngineeringClient.create_training_set')
                                      OR c.api = 'mlflow.autolog' AND NOT c.disables)
                        FROM reached_calls c WHERE c.plane = f.plane AND c.file = f.key) AS ok
                FROM files f
            """,
            message=Message(
                "{path} trains a model and does not record what it was trained on: call mlflow.log_input with the table and its version",
                confidence=MEDIUM,
            ),
        ),
    ),
)
