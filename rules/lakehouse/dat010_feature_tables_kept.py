"""Feature tables are changed in place, not dropped and created again.

Why:
    With the table go its grants, its keys, its tags, its history and the lineage of every model trained on it. Who reads it
    in between fails, and older versions can no longer be read to repeat a training.

Fix:
    Create the table once and merge into it:

        fe.write_table(name=table, df=features, mode="merge")

Exceptions:
    Tests. Code that takes a table down for good and does not create it again further down. Development, where it does no harm:
    suppress it there.

References:
    https://docs.databricks.com/aws/en/machine-learning/feature-store/uc/feature-tables-uc
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="DAT010",
    name="feature-tables-kept",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    subject="table_access",
    query="""
        SELECT a.*, a.access = 'drop' AND a.is_feature AND NOT f.is_test AS applies, NOT a.recreated AS ok
        FROM table_access a LEFT JOIN files f ON f.plane = a.plane AND f.key = a.file
    """,
    message='feature table {name} is dropped and created again, which loses its grants, keys and history: use write_table(mode="merge")',
)
