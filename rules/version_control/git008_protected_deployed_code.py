"""Neither people nor the run identity can change deployed production code or jobs.

Why:
    Whoever may edit a deployed job or its files changes production without a commit, a review or a test. If the
    identity that runs the job may edit it too, a fault in the job's code is enough to rewrite the job itself. Whoever manages an
    endpoint decides which version of which model answers, whatever was promoted.

Fix:
    Give CAN_MANAGE to the service principal that deploys, CAN_RUN to the one that runs, CAN_VIEW to people:

        targets:
          prod:
            permissions:
              - service_principal_name: ${var.deploy_principal}
                level: CAN_MANAGE
              - group_name: users
                level: CAN_VIEW

Exceptions:
    Workspace admins pass every permission; they are not told object by object.
    The emergency identity has the role `break_glass` in the policy.
    One service principal that both deploys and runs is common, and only noted.

References:
    https://docs.databricks.com/aws/en/dev-tools/bundles/permissions
    https://docs.databricks.com/aws/en/admin/users-groups/best-practices
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/best-practices
"""

from lakewarden.rule import MEDIUM, NOTE, RECOMMENDED, WARNING, Message, Rule

rule = Rule(
    code="GIT008",
    name="protected-deployed-code",
    subject="permissions",
    severity=WARNING,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    revision=2,
    fixable=("not_people",),
    message={
        "not_people": "{principal} has {level} on production {object_kind} {object_name}: give people CAN_VIEW, and CAN_MANAGE to the deploying principal",
        "not_itself": Message(
            "{principal} runs production {object_kind} {object_name} and has {level} on it: deploy with another principal", NOTE
        ),
    },
    query="""
        SELECT x.*, x.stage = 'production' AND x.level IN ('CAN_EDIT', 'CAN_MANAGE', 'IS_OWNER')
                   AND x.object_kind IN ('target', 'job', 'pipeline', 'endpoint', 'directory', 'repo') AND x.principal <> 'group:admins' AS applies,
               NOT s.has_person OR s.is_break_glass AS not_people, NOT x.is_run_as AS not_itself
        FROM permissions x LEFT JOIN principal_summary s ON s.plane = x.plane AND s.key = x.principal
    """,
)
