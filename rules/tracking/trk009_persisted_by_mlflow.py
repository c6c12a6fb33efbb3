"""Models are persisted only through MLflow.

Why:
    A pickle in a folder has no version, no run, no grants and no status. Whoever overwrites it changes production, and
    nobody can say which data and code it came from.

Fix:
    Log and register the model, and load it by its name:

        mlflow.sklearn.log_model(model, name="model", input_example=X.iloc[[0]], registered_model_name=f"{catalog}.ml.churn")

Exceptions:
    Checkpoints of a training that can be resumed. Files that the same code hands to `mlflow.log_artifact`. The local disk
    and temporary folders. Code that does not train. Tests.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import MEDIUM, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="TRK009",
    name="persisted-by-mlflow",
    severity=WARNING,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    subject="code_calls",
    query="""
        SELECT c.*, c.api IN ('pickle.dump', 'joblib.dump', 'cloudpickle.dump', 'torch.save', 'model.save', 'model.save_pretrained',
                              'mlflow.save_model')
                    AND NOT c.is_test AND NOT c.is_checkpoint
                    AND (SELECT any_of(o.role = 'training') FROM file_roles o WHERE o.plane = c.plane AND o.file = c.file) AS applies,
               c.path_place IN ('none', 'local', 'relative') OR (
                   SELECT any_of(r.api IN ('mlflow.log_artifact', 'mlflow.log_artifacts'))
                   FROM reached_calls r WHERE r.plane = c.plane AND r.file = c.file) AS ok
        FROM code_calls c
    """,
    message="a model is written past MLflow ({path_place}), without version or grants: log and register it with log_model",
)
