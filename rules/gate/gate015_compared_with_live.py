"""The version was compared with the one that is live now, and is no worse.

Why:
    Thresholds alone let a model go live that is worse than the one that it replaces. A comparison with an older champion
    says nothing about the present one.

Fix:
    Let the validation evaluate the champion on the same data and record its version as `lakewarden.baseline`, with the
    result; validate again after somebody else has promoted.

Exceptions:
    The first version that goes live, and a rollback: there is nothing to compare with, so that thresholds decide.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/mlflow/deployment-job
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE015",
    name="compared-with-live",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "is_against_live": "version {key} was not compared with version {live_version}, which is live now: validate it again",
        "is_no_worse": "version {key} is worse than version {live_version}, which is live: keep that one",
    },
    query="""
        SELECT c.*, m.live_version, m.origin AS related, TRUE AS applies, m.against_live AS is_against_live, m.not_worse AS is_no_worse
        FROM candidates c LEFT JOIN version_comparisons m ON m.plane = c.plane AND m.key = c.key
    """,
)
