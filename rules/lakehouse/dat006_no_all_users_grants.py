"""No group of all users holds privileges on production data or models.

Why:
    `account users` is everybody in the account, in other workspaces too. What they may read is published, what they may
    write is out of control. `EXECUTE` on a model also lets them download its files.

Fix:
    Grant to a group that was made for the purpose, such as `ml-consumers`. To make data findable, grant `BROWSE` only.

Exceptions:
    `BROWSE`, `USE CATALOG` and `USE SCHEMA`, which show no data. Reference data that is open to all: waive it. What a test grants.
    Development and staging. A catalog whose name speaks of no stage, in a repository whose policy claims no catalogs, and one that
    is a parameter of the code or of Terraform, serve production as well: that is told with less confidence.

References:
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/best-practices
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/access-control/privileges-reference
"""

from lakewarden.rule import CORE, ERROR, HIGH, MEDIUM, WARNING, Message, Query, Rule

rule = Rule(
    code="DAT006",
    name="no-all-users-grants",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=2,
    queries=(
        Query(
            subject="grants",
            query="""
                SELECT g.*, g.stage = 'production' OR g.unstaged AS applies,
                       g.stage <> 'production' OR g.principal_kind <> 'everyone'
                       OR g.privilege IN ('BROWSE', 'USE_CATALOG', 'USE_SCHEMA', 'SELECT', 'EXECUTE', 'READ_VOLUME', 'READ_FILES')
                           AS not_written_by_all,
                       g.stage <> 'production' OR g.principal_kind <> 'everyone'
                       OR g.privilege IN ('BROWSE', 'USE_CATALOG', 'USE_SCHEMA') AS not_read_by_all,
                       NOT g.unstaged OR g.principal_kind <> 'everyone'
                       OR g.privilege IN ('BROWSE', 'USE_CATALOG', 'USE_SCHEMA') AS not_open_in_each_stage
                FROM grants g
            """,
            message={
                "not_written_by_all": "all users hold {privilege} on {securable}: revoke it and grant it to a service principal or a group of its own",
                "not_read_by_all": Message(
                    "all users hold {privilege} on {securable}: grant it to a group such as ml-consumers, and all users BROWSE at most",
                    severity=WARNING,
                ),
                "not_open_in_each_stage": Message(
                    "all users hold {privilege} on {securable}, which no stage is named for, so in production too: grant it to a group",
                    confidence=MEDIUM,
                ),
            },
        ),
        Query(
            subject="securables",
            query="""
                SELECT s.*, (s.stage = 'production' OR s.unstaged) AND s.owner_kind <> 'deployer' AS applies,
                       s.owner_kind <> 'everyone' AS ok
                FROM securables s
            """,
            message=Message(
                "all users own {kind} {key}, and so may do anything with it: make a group its owner", confidence=MEDIUM
            ),
        ),
    ),
)
