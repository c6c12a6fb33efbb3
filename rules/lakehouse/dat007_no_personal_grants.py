"""Privileges and ownership belong to groups or service principals, not to single persons.

Why:
    A grant to a person outlives the task it was made for, and an object that a person owns is nobody's when the person
    leaves. Groups are maintained in one place and say why somebody has access.

Fix:
    Grant to a group. Move ownership: `ALTER SCHEMA prod.ml OWNER TO` followed by the group's name in backticks.

Exceptions:
    A service principal owns what it created; for production catalogs and schemas a group is better, because it can be acted
    for, so a service principal there is a note. An owner that the bundle does not declare is whoever deploys, and is not
    judged here; a grant to whoever deploys is unknown. What a test grants.

References:
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/best-practices
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/manage-privileges/ownership
"""

from lakewarden.rule import HIGH, MEDIUM, NOTE, RECOMMENDED, WARNING, Message, Query, Rule

rule = Rule(
    code="DAT007",
    name="no-personal-grants",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    revision=3,
    queries=(
        Query(
            subject="grants",
            query="""
                SELECT g.*, TRUE AS applies,
                       g.unstaged OR g.principal_kind <> 'user' AS to_no_person,
                       NOT g.unstaged OR g.principal_kind <> 'user' AS to_no_person_in_each_stage
                FROM grants g
            """,
            message={
                "to_no_person": "{privilege} on {securable} is granted to {principal}, a single person: grant it to a group",
                "to_no_person_in_each_stage": Message(
                    "{privilege} on {securable} is granted to {principal}, a single person, in each stage: grant it to a group",
                    confidence=MEDIUM,
                ),
            },
        ),
        Query(
            subject="securables",
            query="""
                SELECT s.*, s.owner_kind <> 'deployer' AS applies,
                       s.owner_kind <> 'user' AS owned_by_no_person,
                       s.owner_kind <> 'service_principal' OR s.kind NOT IN ('catalog', 'schema') OR s.stage <> 'production' AS owned_by_group
                FROM securables s
            """,
            message={
                "owned_by_no_person": "{kind} {key} is owned by {owner}, a single person: make a group its owner with ALTER … OWNER TO",
                "owned_by_group": Message(
                    "production {kind} {key} is owned by service principal {owner}: a group is easier to act for", severity=NOTE
                ),
            },
        ),
    ),
)
