"""Model stages are not used.

Why:
    The stages None, Staging, Production and Archived belong to the workspace registry. Unity Catalog has no such stages: the
    calls raise an error there, and MLflow has marked them as deprecated since version 2.9. A stage also says where a model is
    meant to run, which is what catalogs and environments are for.

Fix:
    Mark the version that is live by an alias: `client.set_registered_model_alias(name, "champion", version)`, and load
    `models:/catalog.schema.model@champion`. Instead of `get_latest_versions`, use the version that the run itself
    registered, or `get_model_version_by_alias`.

Exceptions:
    While the policy says `unity_catalog = "migrating"`, models with a name of one level may still use stages: REG001 reports
    the registry they are in. An alias that is called Production (`models:/…@Production`) is no stage. A file that
    chooses, in any case, a tracking or registry server outside Databricks is left out: stages live on there. Tests are left out.

References:
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import CORE, ERROR, HIGH, WARNING, Message, Query, Rule

rule = Rule(
    code="REG002",
    name="no-model-stages",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=2,
    queries=(
        Query(
            subject="code_calls",
            message={
                "no_stages": "{api} works on model stages, which Unity Catalog does not have: use an alias, set_registered_model_alias",
                "no_stage_read": Message(
                    "current_stage is read, which is always empty in Unity Catalog: read the version's aliases", WARNING
                ),
            },
            query="""
                SELECT c.*,
                       c.api IN ('mlflow.transition_model_version_stage', 'mlflow.get_latest_versions',
                                 'mlflow.get_model_version_stages', 'mlflow.current_stage')
                           AND NOT c.is_test AND (p.unity_catalog <> 'migrating' OR c.name_levels = 3) AS applies,
                       c.api = 'mlflow.current_stage' AS no_stages,
                       c.api <> 'mlflow.current_stage' AS no_stage_read
                FROM code_calls c CROSS JOIN policy p
            """,
        ),
        Query(
            subject="code_literals",
            message="{value} names a model stage, which Unity Catalog does not have: write an alias, models:/…@champion",
            query="""
                SELECT l.*,
                       l.kind = 'model_uri' AND NOT l.is_test AND (p.unity_catalog <> 'migrating' OR l.named <> 'none') AS applies,
                       l.version_by <> 'stage' AS ok
                FROM code_literals l CROSS JOIN policy p
            """,
        ),
    ),
)
