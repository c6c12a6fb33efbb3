"""Models are logged with a signature.

Why:
    The signature says which columns a model takes and what it returns. Unity Catalog refuses a version without one, at the
    end of the training that made it; and without one a model accepts wrong input in silence.

Fix:
    Give an example of the input, or the signature itself:

        mlflow.sklearn.log_model(model, name="model", input_example=X.iloc[[0]])
        mlflow.sklearn.log_model(model, name="model", signature=infer_signature(X, model.predict(X)))

Exceptions:
    The Feature Engineering client, which infers the signature from its training set. Models whose kind or type hints give
    it: `transformers`, `sentence_transformers`, `openai`, agents (`ResponsesAgent`, `ChatAgent`, `ChatModel`) and a `PythonModel`
    whose `predict` takes a list. A model that automatic logging keeps by
    itself, as with Spark ML, is signed; a call of `log_model` beside it is not. Tests. In a registry only versions that
    are live are judged.

References:
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
    https://docs.databricks.com/aws/en/mlflow/models
"""

from lakewarden.rule import MEDIUM, RECOMMENDED, WARNING, Query, Rule

rule = Rule(
    code="TRK007",
    name="model-signature",
    severity=WARNING,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    queries=(
        Query(
            subject="code_calls",
            query="""
                SELECT c.*, c.api = 'mlflow.log_model' AND NOT c.is_test AS applies, c.has_signature AS ok
                FROM code_calls c
            """,
            message="the model is logged without a signature, which Unity Catalog refuses: add input_example= or signature= to log_model",
        ),
        Query(
            subject="model_versions",
            query="SELECT v.*, v.live AS applies, v.has_signature AS ok FROM model_versions v",
            message="live version {key} has no signature: log the model again with input_example= and register that version",
        ),
    ),
)
