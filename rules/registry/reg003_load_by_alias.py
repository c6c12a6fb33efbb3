"""Consumers load models by alias.

Why:
    Inference that names a version number has to be edited, reviewed and deployed again for every new model, and until then
    it serves the old one. Inference that loads `latest` or the result of a run takes whatever was registered last, validated
    or not. An alias separates the two: validation moves it, inference follows it, and a rollback is one call.

Fix:
    Load `models:/catalog.schema.model@champion` in batch and streaming inference. Where a job is told which version to
    use, as a deployment job is, read the version from a parameter.

Exceptions:
    Serving endpoints need a version number and are not code (REG010 compares them with the alias). A URI that is put
    together from parameters, the default of a widget, and code that also trains, validates or deploys the model, which
    handles one certain version, are left out. So is code that logs a model, by itself or through a module, and tries out
    what the run holds, or looks for the version that it has just registered. So are models that Databricks ships (in
    `system`, or of its Marketplace), on which nobody else can set an alias, and stages: REG002 reports them.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import MEDIUM, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="REG003",
    name="load-by-alias",
    subject="code_literals",
    severity=WARNING,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    revision=2,
    message="inference loads {value} by {version_by}: load the alias that validation moves, models:/…@champion",
    query="""
        SELECT l.*,
               l.kind = 'model_uri' AND l.version_by NOT IN ('stage', 'foreign') AND NOT l.is_test AND NOT l.is_default AND (
                   SELECT any_of(r.role = 'inference') FROM file_roles r WHERE r.plane = l.plane AND r.file = l.file) AND (
                   SELECT all_of(r.role NOT IN ('training', 'validation', 'approval', 'deployment'))
                   FROM file_roles r WHERE r.plane = l.plane AND r.file = l.file) AND NOT (l.version_by = 'run' AND (
                   SELECT any_of(c.api IN ('mlflow.log_model', 'FeatureEngineeringClient.log_model', 'databricks.automl'))
                   FROM reached_calls c WHERE c.plane = l.plane AND c.file = l.file)) AS applies,
               l.version_by IN ('alias', 'parameter') AS ok
        FROM code_literals l
    """,
)
