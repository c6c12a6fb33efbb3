"""Another person approved the version, after it was validated.

Why:
    An approval is worth what its giver could have refused, knowing what was found. The author's own, one that was given
    before the validation, or one that a copy brought along, decides nothing.

Fix:
    Approve the deployment in the protected environment of CI, or let an approver of the policy (`identities.approver`)
    set the approval tag of the deployment job after validation.

Exceptions:
    Where the policy says `approval = "none"` nobody has to approve.

References:
    https://docs.databricks.com/aws/en/mlflow/deployment-job
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
    https://docs.databricks.com/aws/en/admin/system-tables/audit-logs
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE016",
    name="approved-version",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "is_independent": "version {key} was approved by nobody but those who made it: let an approver of the policy approve it",
        "is_in_time": "the approval of version {key} is older than the version or its validation, or too old: approve it again",
    },
    query="""
        SELECT c.*, p.approval <> 'none' AS applies,
               (SELECT any_of(x.independent) FROM version_approvals x WHERE x.plane = c.plane AND x.version_key = c.key)
               OR NULL AND NOT (SELECT any_of(x.plane <> 'declared') FROM version_approvals x WHERE x.plane = c.plane AND x.version_key = c.key) AS is_independent,
               (SELECT any_of(x.independent AND x.in_time) FROM version_approvals x WHERE x.plane = c.plane AND x.version_key = c.key)
               OR NULL AND NOT (SELECT any_of(x.plane <> 'declared') FROM version_approvals x WHERE x.plane = c.plane AND x.version_key = c.key) AS is_in_time
        FROM candidates c CROSS JOIN policy p
    """,
)
