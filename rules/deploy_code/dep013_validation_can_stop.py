"""Validation can stop a promotion.

Why:
    A pipeline with a validation task looks safe even where the task can never fail: because its result is caught and passed
    over, because a parameter keeps it in dry-run mode, because the next task runs whether it failed or not, or
    because it calls the library with arguments that the installed version refuses. Every model is then promoted.

Fix:
    Let the deploying task depend on the validating one with `run_if: ALL_SUCCESS`, set `run_mode: enabled` for production, and
    raise when a threshold is missed. Catch only what you can handle, and raise everything else again.

Exceptions:
    A first deployment has no model to compare with: check thresholds then, and do not skip validation. Tests are left out.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-stacks
    https://docs.databricks.com/aws/en/mlflow/deployment-job
"""

from lakewarden.rule import CORE, ERROR, HIGH, PREVIEW, Query, Rule

rule = Rule(
    code="DEP013",
    name="validation-can-stop",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    status=PREVIEW,
    queries=(
        Query(
            subject="tasks",
            message={
                "is_validated": "no validation has to succeed before {key}: let it depend on the validating task, ALL_SUCCESS",
                "is_enforced": "validation before {key} only pretends to run: set its run_mode to enabled",
                "can_fail": "validation before {key} cannot fail: its code catches the failure, raise it again",
            },
            query="""
                SELECT t.*, t.stage = 'production' AND t.role = 'deployment' AS applies,
                       (SELECT any_of(u.role = 'validation' AND u.must_succeed) FROM task_upstream u
                        WHERE u.plane = t.plane AND u.task = t.key) AS is_validated,
                       (SELECT all_of(u.role <> 'validation' OR u.enforced) FROM task_upstream u
                        WHERE u.plane = t.plane AND u.task = t.key) AS is_enforced,
                       (SELECT all_of(u.role <> 'validation' OR u.can_fail) FROM task_upstream u
                        WHERE u.plane = t.plane AND u.task = t.key) AS can_fail
                FROM tasks t
            """,
        ),
        Query(
            subject="code_calls",
            message={
                "is_accepted": "{api} is called with arguments that the installed version refuses, so it never validates: mend the call",
                "can_stop": "a failure of {api} is caught and passed over, so no model is ever refused: raise it again",
            },
            query="""
                SELECT c.*,
                       c.api IN ('mlflow.evaluate', 'mlflow.genai.evaluate', 'mlflow.validate_evaluation_results')
                           AND NOT c.is_test AND (
                               SELECT any_of(r.role = 'validation') FROM file_roles r
                               WHERE r.plane = c.plane AND r.file = c.file) AS applies,
                       c.accepted AS is_accepted, NOT c.swallowed AS can_stop
                FROM code_calls c
            """,
        ),
    ),
)
