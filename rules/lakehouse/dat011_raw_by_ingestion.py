"""Raw tables are modified only by their ingestion identity.

Why:
    Raw data is the evidence on which every later step rests. An identity that trains models and can also edit raw data can
    change the ground under its own results, by a bug as well as by intent.

Fix:
    Give the training identity `SELECT` on the raw schema and `MODIFY` on the schemas that it writes, not on the catalog.

Exceptions:
    Asked only where the policy names an identity with the role `ingestion`; it may name one for ingestion and features.
    The owner of a table, which is the pipeline that writes it. The emergency identity of the policy.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/best-practices
"""

from lakewarden.rule import ADVISORY, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="DAT011",
    name="raw-by-ingestion",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    subject="catalog_tables",
    query="""
        SELECT t.*, p.ingestion_named AND t.stage = 'production' AND t.layer = 'raw' AS applies, (
                 SELECT all_of(g.privilege NOT IN ('MODIFY', 'ALL_PRIVILEGES') OR g.to_owner OR s.is_ingestion OR s.is_break_glass)
                 FROM effective_grants g LEFT JOIN principal_summary s ON s.plane = g.plane AND s.key = g.principal
                 WHERE g.plane = t.plane AND g.securable = t.key) AS ok
        FROM catalog_tables t CROSS JOIN policy p
    """,
    message="raw table {name} may be modified by an identity that does not ingest: grant MODIFY on the schemas that it writes, SELECT on raw data",
)
