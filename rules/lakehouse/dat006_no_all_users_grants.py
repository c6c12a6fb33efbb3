"""No group of all users holds privileges on production data or models.

Why:
    `account users` is everybody in the account, in other workspaces too. What they may read is published, what they may
    write is out of control. `EXECUTE` on a model also lets them download its files.

Fix:
    Grant to a group that was made for the purpose, such as `ml-consumers`. To make data findable, grant `BROWSE` only.

Exceptions:
    `BROWSE`, `USE CATALOG` and `USE SCHEMA`, which show no data. Reference data that is open to all: waive it.

References:
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/best-practices
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/access-control/privileges-reference
"""

from lakewarden.rule import CORE, ERROR, HIGH, PREVIEW, WARNING, Message, Rule

rule = Rule(
    code="DAT006",
    name="no-all-users-grants",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    status=PREVIEW,
    subject="grants",
    query="""
        SELECT g.*, g.stage = 'production' AS applies,
               g.principal_kind <> 'everyone'
               OR g.privilege IN ('BROWSE', 'USE_CATALOG', 'USE_SCHEMA', 'SELECT', 'EXECUTE', 'READ_VOLUME', 'READ_FILES') AS not_written_by_all,
               g.principal_kind <> 'everyone' OR g.privilege IN ('BROWSE', 'USE_CATALOG', 'USE_SCHEMA') AS not_read_by_all
        FROM grants g
    """,
    message={
        "not_written_by_all": "all users hold {privilege} on {securable}: revoke it and grant it to a service principal or a group of its own",
        "not_read_by_all": Message(
            "all users hold {privilege} on {securable}: grant it to a group such as ml-consumers, and all users BROWSE at most",
            severity=WARNING,
        ),
    },
)
