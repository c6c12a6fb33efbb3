"""Webhooks of the registry can fire, verify their receiver and hold no secret in clear text.

Why:
    A webhook on a model in Unity Catalog never fires, so what it was to start never runs and nobody is told. One that
    does not verify the receiver's certificate hands model events to whoever sits in between, and an authorization header
    written into configuration is a credential that everybody with the repository has.

Fix:
    For models in Unity Catalog use a deployment job, a job with a `model` trigger, or job notifications. Otherwise set
    `enable_ssl_verification = true` and take the token from a secret scope or a variable that is marked sensitive.

Exceptions:
    Webhooks on models that are still in the workspace registry may stay during a migration, if they are verified and hold
    no secret.

References:
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
    https://docs.databricks.com/aws/en/mlflow/deployment-job
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Query, Rule

rule = Rule(
    code="REG011",
    name="sound-registry-hooks",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    queries=(
        Query(
            subject="registry_hooks",
            message={
                "can_fire": "webhook {key} listens to {model_name} in Unity Catalog and never fires: use a deployment job or a model trigger",
                "is_verified": "webhook {key} does not verify its receiver: set enable_ssl_verification to true",
                "has_no_secret": "webhook {key} holds a secret in clear text: read it from a secret scope, and replace the secret",
            },
            query="""
                SELECT h.*, TRUE AS applies, NOT h.on_unity_catalog AS can_fire, h.tls_verified AS is_verified,
                       NOT h.secret_literal AS has_no_secret
                FROM registry_hooks h
            """,
        ),
        # Which registry a client works on that is given none depends on the version of MLflow: hence the `AND NULL`.
        Query(
            subject="code_calls",
            message="{api} sets a webhook on the registry of Unity Catalog, where none fires: use a deployment job or a model trigger",
            query="""
                SELECT c.*, c.api = 'mlflow.create_webhook' AND NOT c.is_test AS applies,
                       (SELECT any_of(o.api IN ('mlflow.set_registry_uri', 'mlflow.MlflowClient') AND o.argument = 'databricks')
                        FROM code_calls o WHERE o.plane = c.plane AND o.file = c.file)
                       OR (NOT (SELECT any_of(o.api IN ('mlflow.set_registry_uri', 'mlflow.MlflowClient') AND o.argument = 'databricks-uc')
                                FROM code_calls o WHERE o.plane = c.plane AND o.file = c.file) AND NULL) AS ok
                FROM code_calls c
            """,
        ),
    ),
)
