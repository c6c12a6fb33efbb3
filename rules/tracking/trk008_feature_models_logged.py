"""Models trained on feature lookups are logged with the Feature Engineering client.

Why:
    The client packs the look-ups with the model, so that batch scoring and serving fetch the same features in the same way.
    Logged with a plain flavor the model forgets them, and every consumer has to rebuild its input by hand.

Fix:
    Log the model by the client, with the training set:

        fe.log_model(model=model, artifact_path="model", flavor=mlflow.sklearn, training_set=training_set,
                     registered_model_name=name)

Exceptions:
    Code that logs by the client as well, and keeps a plain copy for analysis. Models that are logged and not registered.
    Tests.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/feature-store/train-models-with-feature-store
"""

from lakewarden.rule import ADVISORY, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="TRK008",
    name="feature-models-logged",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    revision=2,
    subject="code_calls",
    query="""
        SELECT c.*, (c.api = 'mlflow.log_model' AND c.model_from <> 'none' OR c.api = 'mlflow.register_model' AND c.model_from = 'run')
                    AND NOT c.is_test AND (
                        SELECT any_of(r.api = 'FeatureEngineeringClient.create_training_set')
                        FROM reached_calls r WHERE r.plane = c.plane AND r.file = c.file) AS applies,
               (SELECT any_of(r.api = 'FeatureEngineeringClient.log_model')
                FROM reached_calls r WHERE r.plane = c.plane AND r.file = c.file) AS ok
        FROM code_calls c
    """,
    message="the model is trained on feature look-ups and registered without them: log it with FeatureEngineeringClient.log_model(training_set=…)",
)
