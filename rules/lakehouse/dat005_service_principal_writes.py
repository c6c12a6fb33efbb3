"""Only service principals may modify production tables.

Why:
    Production data should change only by code that was reviewed, tested and deployed. A person who may modify a production
    table, directly or through a group of a group, can overwrite it by accident from any notebook.

Fix:
    Grant `MODIFY`, `MANAGE`, `CREATE TABLE` and `WRITE VOLUME` in production to the service principal that the jobs run as,
    and revoke them from people and their groups:

        REVOKE MODIFY ON CATALOG prod FROM `data-scientists`;
        GRANT MODIFY ON SCHEMA prod.ml TO `<application id>`;

Exceptions:
    The emergency group that the policy names as `break_glass`. A sandbox schema inside production: waive it.
    A group whose members cannot be listed is unknown, not wrong, whatever its name says. What a test grants.
    What a privilege that is not known here lets people do to a table is unknown.
    Code or Terraform that is given its catalog as a parameter grants in each stage, and so in production: that is told with less confidence.

References:
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/best-practices
    https://docs.databricks.com/aws/en/admin/users-groups/best-practices
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/access-control/privileges-reference
"""

from lakewarden.rule import CORE, ERROR, HIGH, MEDIUM, Message, Query, Rule

rule = Rule(
    code="DAT005",
    name="service-principal-writes",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=4,
    queries=(
        Query(
            subject="catalog_tables",
            query="""
                SELECT t.*, t.plane <> 'declared' AND t.stage = 'production' AS applies, (
                         SELECT all_of(
                             (g.privilege NOT IN ('MODIFY', 'ALL_PRIVILEGES', 'MANAGE') AND (NULL OR g.privilege IN (
                                 'SELECT', 'BROWSE', 'USE_CATALOG', 'USE_SCHEMA', 'USAGE', 'EXECUTE', 'REFRESH', 'APPLY_TAG', 'READ_METADATA',
                                 'READ_VOLUME', 'WRITE_VOLUME', 'EXTERNAL_USE_SCHEMA', 'CREATE_SCHEMA', 'CREATE_TABLE', 'CREATE_VIEW',
                                 'CREATE_MATERIALIZED_VIEW', 'CREATE_FUNCTION', 'CREATE_MODEL', 'CREATE_MODEL_VERSION', 'CREATE_VOLUME',
                                 'CREATE_EXTERNAL_VOLUME'))) OR NOT p.has_person OR p.is_break_glass)
                         FROM effective_grants g LEFT JOIN principal_summary p ON p.plane = g.plane AND p.key = g.principal
                         WHERE g.plane = t.plane AND g.securable = t.key) AS ok
                FROM catalog_tables t
            """,
            message="people may modify production table {name}: grant MODIFY to a service principal and revoke it from people and their groups",
        ),
        Query(
            subject="grants",
            query="""
                SELECT g.*, g.plane = 'declared' AND (g.stage = 'production' OR g.named = 'parameter')
                            AND s.kind IN ('catalog', 'schema', 'table', 'volume')
                            AND g.privilege IN ('MODIFY', 'ALL_PRIVILEGES', 'MANAGE', 'CREATE_TABLE', 'WRITE_VOLUME') AS applies,
                       g.stage <> 'production' OR NOT p.has_person OR p.is_break_glass AS to_no_person,
                       g.named <> 'parameter' OR NOT p.has_person OR p.is_break_glass AS to_no_person_in_each_stage
                FROM grants g LEFT JOIN securables s ON s.plane = g.plane AND s.key = g.securable
                     LEFT JOIN principal_summary p ON p.plane = g.plane AND p.key = g.principal
            """,
            message={
                "to_no_person": "{privilege} on {securable} is granted to {principal}, so that people can change production data: grant it to a service principal",
                "to_no_person_in_each_stage": Message(
                    "{privilege} on {securable} is granted to {principal} in each stage, so that people can change production data: "
                    "grant it to a service principal",
                    confidence=MEDIUM,
                ),
            },
        ),
    ),
)
