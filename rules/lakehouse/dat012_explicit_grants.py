"""Production data and models have explicit grants.

Why:
    What nobody was granted works only for its owner. Sooner or later somebody needs it, and it is shared the quick way: by
    making more people owners or giving them `MANAGE`. Who may read and who may modify should be written down beforehand.

Fix:
    Declare the grants beside the object:

        resources:
          schemas:
            ml:
              name: ml
              catalog_name: prod
              grants:
                - principal: ml-readers
                  privileges: [USE_SCHEMA, SELECT]

Exceptions:
    A grant on the catalog or the schema counts for what is inside, in whichever file it is made. What SQL or code creates is a
    note: catalogs and schemas only, and none whose catalog is a parameter of code that no target runs. Where grants are made outside the repository, say
    `grants_managed_elsewhere = true` in the policy: declarations are then not judged. Scratch tables and checkpoints
    that one service principal writes and reads: waive them. `information_schema`.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/manage-privileges/
"""

from lakewarden.rule import ERROR, HIGH, MEDIUM, NOTE, RECOMMENDED, Message, Rule

rule = Rule(
    code="DAT012",
    name="explicit-grants",
    severity=ERROR,
    confidence=HIGH,
    profile=RECOMMENDED,
    revision=2,
    subject="securables",
    query="""
        SELECT s.*, s.stage = 'production' AND s.kind IN ('catalog', 'schema', 'table', 'volume', 'model')
                    AND NOT (s.plane = 'declared' AND p.grants_managed_elsewhere)
                    AND NOT (s.plane = 'declared' AND s.declared_in = 'code' AND (s.kind NOT IN ('catalog', 'schema') OR s.unstaged)) AS applies,
               s.plane = 'declared' OR (
                   SELECT any_of(NOT g.to_owner) FROM effective_grants g WHERE g.plane = s.plane AND g.securable = s.key) AS granted,
               s.plane <> 'declared' OR s.declared_in = 'code' OR (
                   SELECT any_of(NOT g.to_owner) FROM effective_grants g WHERE g.plane = s.plane AND g.securable = s.key) AS declared,
               s.plane <> 'declared' OR s.declared_in <> 'code' OR (
                   SELECT any_of(NOT g.to_owner) FROM effective_grants g WHERE g.plane = s.plane AND g.securable = s.key) AS created
        FROM securables s CROSS JOIN policy p
    """,
    message={
        "granted": "nobody but its owner has a privilege on {kind} {key}: grant to a group or a service principal what it needs",
        "declared": Message(
            "{kind} {key} is declared without grants: declare who may read and who may modify it, or set grants_managed_elsewhere in the policy",
            confidence=MEDIUM,
        ),
        "created": Message(
            "{kind} {key} is created and nothing in the repository grants anything on it: say who may read it and who may modify it",
            severity=NOTE,
            confidence=MEDIUM,
        ),
    },
)
