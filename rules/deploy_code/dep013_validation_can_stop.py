"""Validation can stop a promotion.

Why:
    A pipeline with a validation task looks safe even where the task can never fail: because its result is caught and passed
    over, because it asks for no threshold, because a parameter keeps it in dry-run mode, because the next task runs whether it failed or not, or
    because it calls the library with arguments that the installed version refuses. Every model is then promoted.

Fix:
    Let the deploying task depend on the validating one with `run_if: ALL_SUCCESS`, set `run_mode: enabled` for production, and
    raise when a threshold is missed. Catch only what you can handle, and raise everything else again.

Exceptions:
    A first deployment has no model to compare with: check thresholds then, and do not skip validation. Tests are left out.
    A project without a task that trains or validates deploys no model, unless the code of its deployment copies one, moves its
    stage or sets its alias. Where a condition on a value of another task decides
    whether the deployment runs, nobody knows whether that value is a validation: the verdict is unknown.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-stacks
    https://docs.databricks.com/aws/en/mlflow/deployment-job
"""

from lakewarden.rule import CORE, ERROR, HIGH, MEDIUM, WARNING, Message, Query, Rule

rule = Rule(
    code="DEP013",
    name="validation-can-stop",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=4,
    queries=(
        Query(
            subject="tasks",
            message={
                # What a task is for is often told by its name alone.
                "is_validated": Message(
                    "no validation has to succeed before {key}: let it depend on the validating task, ALL_SUCCESS",
                    confidence=MEDIUM,
                ),
                "is_enforced": "validation before {key} only pretends to run: set its run_mode to enabled",
            },
            query="""
                SELECT t.*, t.stage = 'production' AND t.role = 'deployment' AND (
                           SELECT any_of(o.role = 'training' OR o.role = 'validation') FROM tasks o
                           WHERE o.plane = t.plane AND o.project_key = t.project_key
                       ) OR t.stage = 'production' AND t.role = 'deployment' AND t.file <> 'none' AND CASE WHEN f.key IS NULL THEN NULL ELSE (
                           SELECT any_of(c.api IN ('mlflow.copy_model_version', 'mlflow.transition_model_version_stage',
                                                   'mlflow.set_registered_model_alias', 'WorkspaceClient.registered_models.set_alias'))
                           FROM reached_calls c WHERE c.plane = t.plane AND c.file = t.file) END AS applies,
                       (SELECT any_of(u.role = 'validation' AND u.must_succeed) FROM task_upstream u
                        WHERE u.plane = t.plane AND u.task = t.key) AS is_validated,
                       (SELECT all_of(u.role <> 'validation' OR u.enforced) FROM task_upstream u
                        WHERE u.plane = t.plane AND u.task = t.key) AS is_enforced
                FROM tasks t LEFT JOIN files f ON f.plane = t.plane AND f.key = t.file
            """,
        ),
        Query(
            subject="code_calls",
            message={
                "is_accepted": "{api} is called with arguments that the installed version refuses, so it never validates: mend the call",
                "can_stop": "a failure of {api} is caught and not raised again on every path, so what failed may be promoted: raise it",
                "asks_something": Message(
                    "validation asks for no threshold, so it can refuse no model: name the thresholds", WARNING
                ),
            },
            query="""
                SELECT c.*,
                       c.api IN ('mlflow.evaluate', 'mlflow.genai.evaluate', 'mlflow.validate_evaluation_results',
                                 'validation.no_thresholds')
                           AND NOT c.is_test AND (
                               SELECT any_of(r.role = 'validation') FROM file_roles r
                               WHERE r.plane = c.plane AND r.file = c.file) AS applies,
                       c.api = 'validation.no_thresholds' OR c.accepted AS is_accepted,
                       c.api = 'validation.no_thresholds' OR NOT c.swallowed AS can_stop,
                       c.api <> 'validation.no_thresholds' AS asks_something
                FROM code_calls c
            """,
        ),
    ),
)
