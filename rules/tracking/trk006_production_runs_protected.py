"""Only the production identity can edit production runs.

Why:
    Who may edit an experiment may change the tags, metrics and commit of its runs afterwards. A production run is evidence
    for promotion, so nobody but the identity that made it should be able to rewrite it. People need to see it, not more.

Fix:
    Give people and groups `CAN_READ` on the production experiment, and `CAN_MANAGE` to the service principal that runs the job.

Exceptions:
    Development and staging. Workspace admins, whose rights cannot be taken. A group whose members cannot be listed is
    unknown, not wrong. Where the commit is also kept by the platform, this matters less: lower the severity.

References:
    https://docs.databricks.com/aws/en/security/auth/access-control/
    https://docs.databricks.com/aws/en/mlflow/experiments
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="TRK006",
    name="production-runs-protected",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    fixable=("ok",),
    subject="permissions",
    query="""
        SELECT x.*, x.object_kind = 'experiment' AND x.stage = 'production' AND x.principal <> 'group:admins' AS applies,
               x.level NOT IN ('CAN_EDIT', 'CAN_MANAGE', 'IS_OWNER') OR NOT p.has_person AS ok
        FROM permissions x LEFT JOIN principal_summary p ON p.plane = x.plane AND p.key = x.principal
    """,
    message="{principal} has {level} on production experiment {object_name} and can rewrite its runs: give people CAN_READ",
)
