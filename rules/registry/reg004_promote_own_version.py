"""The version that is promoted is the one that this run registered, not the newest.

Why:
    Between training and promotion another run may register a version of the same model. Code that asks the registry for the
    highest number then validates and promotes a model that it did not train, and the lineage of the release names the wrong
    commit and the wrong data. The mistake shows only when two runs overlap, so tests do not find it.

Fix:
    Take the number from the registration itself: `info = mlflow.<flavor>.log_model(…, registered_model_name=name)` and
    `info.registered_model_version`, or `mlflow.register_model(…).version`. Hand it to later tasks by a task value or by the
    parameter `model_version` of a deployment job.

Exceptions:
    Code that only reports on versions, and neither trains, validates, approves nor deploys a model, may look for the newest.
    The newest among the versions of one run is that run's own. Versions that are picked by their alias, or because they are in
    production, were chosen before; those that are only printed promote nothing. Where a file searches for the newest and then
    uses it, the search is told, and not each use. Tests are left out.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/mlflow/deployment-job
"""

from lakewarden.rule import CORE, ERROR, MEDIUM, Rule

rule = Rule(
    code="REG004",
    name="promote-own-version",
    subject="code_calls",
    severity=ERROR,
    confidence=MEDIUM,
    profile=CORE,
    revision=2,
    message="{api} takes the newest version, which another run may have registered: use the version that this run registered",
    query="""
        SELECT c.*,
               c.version_from <> 'none' AND NOT c.is_test AND (
                   SELECT any_of(r.role IN ('training', 'validation', 'approval', 'deployment'))
                   FROM file_roles r WHERE r.plane = c.plane AND r.file = c.file) AS applies,
               c.version_from <> 'newest' AS ok
        FROM code_calls c
    """,
)
