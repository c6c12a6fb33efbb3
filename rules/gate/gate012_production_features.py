"""The feature tables that the version looks up are production's, and have primary keys.

Why:
    A model looks up its features by key each time that it is asked. From a table of another stage it serves test data to
    customers; without a key the look-up is not defined.

Fix:
    Train on the feature tables of production, and declare their primary keys.

Exceptions:
    A version that looks up no features.

References:
    https://docs.databricks.com/aws/en/machine-learning/feature-store/
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE012",
    name="production-features",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "is_production": "version {key} looks up features of another stage: train it on production's feature tables",
        "is_keyed": "version {key} looks up a feature table without a primary key: declare the key",
    },
    query="""
        SELECT c.*, TRUE AS applies,
               (SELECT all_of(f.named_stage = f.stage) FROM version_features f
                WHERE f.plane = c.plane AND f.version_key = c.key) AS is_production,
               (SELECT all_of(f.has_key) FROM version_features f WHERE f.plane = c.plane AND f.version_key = c.key) AS is_keyed
        FROM candidates c
    """,
)
