"""ALL PRIVILEGES and MANAGE are not granted on production catalogs and schemas.

Why:
    `ALL PRIVILEGES` grows by itself: it covers privileges that Databricks adds later, on objects that are made later.
    `MANAGE` lets its holder grant itself everything else. On a catalog or a schema both reach all that is inside.

Fix:
    List the privileges that are used, such as `USE SCHEMA`, `SELECT` and `MODIFY`. Lineage shows which those are.

Exceptions:
    Identities that the policy names with the role `deploy` or `break_glass`. Grants on one table or one model.

References:
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/best-practices
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/access-control/privileges-reference
"""

from lakewarden.rule import ADVISORY, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="DAT008",
    name="sparing-grants",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    revision=2,
    subject="grants",
    query="""
        SELECT g.*, (g.stage = 'production' OR g.named = 'parameter') AND s.kind IN ('catalog', 'schema') AS applies,
               g.privilege NOT IN ('ALL_PRIVILEGES', 'MANAGE') OR p.is_deploy OR p.is_break_glass AS ok
        FROM grants g LEFT JOIN securables s ON s.plane = g.plane AND s.key = g.securable
             LEFT JOIN principal_summary p ON p.plane = g.plane AND p.key = g.principal
    """,
    message="{principal} holds {privilege} on {securable}: grant the privileges that it uses, one by one",
)
