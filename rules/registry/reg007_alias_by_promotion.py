"""Only the promotion path moves the alias of the live version.

Why:
    The alias decides which model is live. If any notebook may set it, then a version can go live without validation, and
    no later check of the pipeline can tell that it did. The decision belongs in one place that is reviewed and logged.

Fix:
    Move the call to the deployment code, which runs after validation, and delete it elsewhere. In the workspace, let only the
    promoting identity own the model or hold MANAGE on it, and name it in the policy under `identities.promote`.

Exceptions:
    Aliases other than those of the live version (`champion_aliases` of the policy; `challenger` and the like are none), models
    outside production, and tests. Who moved an alias is read from the audit log, with `--warehouse`; the names of its actions were
    not compared with a live workspace, so that a move that is not found there is unknown.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/mlflow/deployment-job
    https://docs.databricks.com/aws/en/admin/system-tables/audit-logs
"""

from lakewarden.rule import MEDIUM, RECOMMENDED, WARNING, Query, Rule

rule = Rule(
    code="REG007",
    name="alias-by-promotion",
    severity=WARNING,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    queries=(
        # Moving an alias makes a file deployment code by what it calls: only task, path or policy can say that it may.
        Query(
            subject="code_calls",
            message="{api} moves the alias {argument} outside validation, approval and deployment code: move the call there",
            query="""
                SELECT c.*,
                       c.api IN ('mlflow.set_registered_model_alias', 'mlflow.delete_registered_model_alias',
                                 'WorkspaceClient.registered_models.set_alias',
                                 'WorkspaceClient.registered_models.delete_alias')
                           AND NOT c.is_test AND c.is_champion AS applies,
                       (SELECT any_of(r.role IN ('validation', 'approval', 'deployment') AND r.said_by <> 'call')
                        FROM file_roles r WHERE r.plane = c.plane AND r.file = c.file) AS ok
                FROM code_calls c
            """,
        ),
        Query(
            subject="model_aliases",
            message="{set_by} moved the alias {alias} of {model} and may not promote: name it under identities.promote, or undo it",
            query="""
                SELECT a.*, a.plane <> 'declared' AND a.stage = 'production' AND a.is_champion AS applies, s.is_promote AS ok
                FROM model_aliases a LEFT JOIN principal_summary s ON s.plane = a.plane AND s.key = a.set_by
            """,
        ),
    ),
)
