"""Models are registered in Unity Catalog.

Why:
    A model in Unity Catalog has an owner, grants, lineage to the tables it was trained on, and one name that every workspace
    of the metastore understands. The older workspace registry has none of this: its models belong to one workspace, so that
    development, staging and production cannot be told apart by catalog, and Databricks no longer recommends it.
    A name of one level, or a registry URI of `databricks`, sends a model there without anyone noticing.

Fix:
    Name models `catalog.schema.model` and take the catalog from the deployment target, for example
    `registered_model_name=f"{catalog}.{schema}.churn"`. Remove `mlflow.set_registry_uri("databricks")`, or set
    `databricks-uc`. In a bundle, declare `registered_models` with `catalog_name` and `schema_name` instead of `models`.

Exceptions:
    Code without a registry URI is reported only where the name has fewer than three levels: MLflow 3 uses Unity Catalog
    by default. Code that chooses Unity Catalog and gives a shorter name is only warned about: MLflow completes the name with
    the session's catalog and schema; code that only names such a model, to load it or to move its alias, is not reported
    where it, or code that it runs, chooses a registry: the choice is; it is warned about where the same file registers a model
    by its full name. While the policy says `unity_catalog = "migrating"`,
    code may open the old registry to read from it.
    A file that opens both registries, by the name of the model or to move models from one to the other, is not reported for
    opening the old one.
    With `unity_catalog = "no"` there is one finding for each project instead of one for each call. A file that
    chooses, in any case, a tracking or registry server outside Databricks registers nothing here. Tests are left out.

References:
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/workspace-model-registry
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import CORE, ERROR, HIGH, MEDIUM, WARNING, Message, Query, Rule

rule = Rule(
    code="REG001",
    name="models-in-unity-catalog",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=4,
    queries=(
        Query(
            subject="code_calls",
            message={
                "not_its_api": "{api} works on the workspace registry: use the registered_models and model_versions of Unity Catalog",
                "in_unity_catalog": "{api} chooses the workspace registry ({argument}): leave it out, or set databricks-uc",
                "three_levels": "{api} registers {argument}, a name of {name_levels} level(s): write catalog.schema.model",
                "full_name": Message(
                    "{api} registers {argument}: the session's catalog and schema decide where, write catalog.schema.model",
                    WARNING,
                    MEDIUM,
                ),
                # MLflow 3 asks Unity Catalog by default, and completes the name.
                "names_full": Message(
                    "{api} names a model of {name_levels} level(s), as in the workspace registry: write catalog.schema.model",
                    ERROR,
                    MEDIUM,
                ),
                "names_whole": Message(
                    "{api} names a model of {name_levels} level(s): the session's catalog and schema decide which, write catalog.schema.model",
                    WARNING,
                    MEDIUM,
                ),
            },
            query="""
                SELECT c.*,
                       NOT c.is_test AND p.unity_catalog <> 'no' AND (
                           c.api IN ('mlflow.set_registry_uri', 'mlflow.MlflowClient') AND c.argument <> 'none' AND p.unity_catalog <> 'migrating'
                           OR c.api = 'WorkspaceClient.model_registry' AND p.unity_catalog <> 'migrating'
                           OR c.api IN ('mlflow.register_model', 'mlflow.log_model', 'mlflow.autolog', 'FeatureEngineeringClient.log_model',
                                        'mlflow.create_registered_model', 'mlflow.create_model_version', 'mlflow.copy_model_version')
                               AND c.name_levels <> 0
                           OR c.api IN ('mlflow.set_registered_model_alias', 'mlflow.get_model_version_by_alias', 'mlflow.get_registered_model')
                               AND c.name_levels <> 0 AND p.unity_catalog <> 'migrating') AS applies,
                       c.api <> 'WorkspaceClient.model_registry' AS not_its_api,
                       c.api NOT IN ('mlflow.set_registry_uri', 'mlflow.MlflowClient') OR c.argument <> 'databricks'
                           OR (SELECT any_of(o.api IN ('mlflow.set_registry_uri', 'mlflow.MlflowClient') AND o.argument = 'databricks-uc')
                               FROM code_calls o WHERE o.plane = c.plane AND o.file = c.file) AS in_unity_catalog,
                       c.api IN ('mlflow.set_registry_uri', 'mlflow.MlflowClient', 'WorkspaceClient.model_registry', 'mlflow.set_registered_model_alias',
                                 'mlflow.get_model_version_by_alias', 'mlflow.get_registered_model') OR c.name_levels = 3
                           OR (SELECT any_of(o.api IN ('mlflow.set_registry_uri', 'mlflow.MlflowClient') AND o.argument = 'databricks-uc')
                               FROM code_calls o WHERE o.plane = c.plane AND o.file = c.file) AS three_levels,
                       c.api IN ('mlflow.set_registry_uri', 'mlflow.MlflowClient', 'WorkspaceClient.model_registry', 'mlflow.set_registered_model_alias',
                                 'mlflow.get_model_version_by_alias', 'mlflow.get_registered_model') OR c.name_levels = 3 AS full_name,
                       c.api NOT IN ('mlflow.set_registered_model_alias', 'mlflow.get_model_version_by_alias', 'mlflow.get_registered_model')
                           OR c.name_levels = 3
                           OR (SELECT any_of(r.api IN ('mlflow.set_registry_uri', 'mlflow.MlflowClient'))
                               FROM reached_calls r WHERE r.plane = c.plane AND r.file = c.file) AS names_full,
                       c.api NOT IN ('mlflow.set_registered_model_alias', 'mlflow.get_model_version_by_alias', 'mlflow.get_registered_model')
                           OR c.name_levels = 3
                           OR (SELECT all_of(o.api NOT IN ('mlflow.register_model', 'mlflow.log_model', 'FeatureEngineeringClient.log_model')
                                             OR o.name_levels <> 3)
                               FROM code_calls o WHERE o.plane = c.plane AND o.file = c.file) AS names_whole
                FROM code_calls c CROSS JOIN policy p
            """,
        ),
        Query(
            subject="code_literals",
            message=Message("{value} names a model of the workspace registry: write models:/catalog.schema.model", ERROR, MEDIUM),
            # A URI by stage is told by REG002.
            query="""
                SELECT l.*,
                       l.kind = 'model_uri' AND l.version_by <> 'stage' AND NOT l.is_test AND p.unity_catalog NOT IN ('no', 'migrating') AS applies,
                       l.named <> 'none'
                           OR (SELECT any_of(r.api IN ('mlflow.set_registry_uri', 'mlflow.MlflowClient'))
                               FROM reached_calls r WHERE r.plane = l.plane AND r.file = l.file) AS ok
                FROM code_literals l CROSS JOIN policy p
            """,
        ),
        Query(
            subject="models",
            message="model {name} is in the workspace registry: declare it under registered_models, with catalog and schema",
            query="""
                SELECT m.*, p.unity_catalog <> 'no' AS applies, m.registry = 'unity_catalog' AS ok
                FROM models m CROSS JOIN policy p
            """,
        ),
        Query(
            subject="projects",
            message="the policy says that {key} does without Unity Catalog: its models have neither grants nor lineage",
            query="""
                SELECT x.*, p.unity_catalog = 'no' AS applies, p.unity_catalog <> 'no' AS ok
                FROM projects x CROSS JOIN policy p
            """,
        ),
    ),
)
