"""An enforced validation of exactly this version passed after it was registered.

Why:
    A validation that only reports, that looked at another version or that was made before the version, could not have
    refused it.

Fix:
    Let the validating task raise where a threshold is missed, and let it record its result on the version: the tags
    `lakewarden.validation` (`PASSED` or `FAILED`) and `lakewarden.validation_mode` (`enforced` or `dry_run`), or a
    deployment job whose evaluation task must succeed before the approval.

Exceptions:
    None. Where nothing was recorded the evidence is missing, which is not the same as a validation that failed.

References:
    https://docs.databricks.com/aws/en/mlflow/deployment-job
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE014",
    name="validated-version",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "is_enforced": "no validation of version {key} could have refused it: set its mode to enforced, and let it raise",
        "is_passed": "a validation of version {key} failed: promote one that passes",
        "is_in_time": "version {key} was validated before it was registered, or too long ago: validate it again",
    },
    query="""
        SELECT c.*, TRUE AS applies,
               (SELECT any_of(x.enforced) FROM validations x WHERE x.plane = c.plane AND x.version_key = c.key)
               OR NULL AND NOT (SELECT any_of(x.plane <> 'declared') FROM validations x WHERE x.plane = c.plane AND x.version_key = c.key) AS is_enforced,
               (SELECT all_of(x.passed) FROM validations x WHERE x.plane = c.plane AND x.version_key = c.key) AS is_passed,
               (SELECT any_of(x.enforced AND x.passed AND x.after_creation) FROM validations x WHERE x.plane = c.plane AND x.version_key = c.key)
               OR NULL AND NOT (SELECT any_of(x.plane <> 'declared') FROM validations x WHERE x.plane = c.plane AND x.version_key = c.key) AS is_in_time
        FROM candidates c
    """,
)
