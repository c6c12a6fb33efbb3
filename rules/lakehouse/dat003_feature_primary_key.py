"""Feature tables declare a primary key.

Why:
    A feature is looked up by its key. Without a declared primary key Unity Catalog does not treat the table as a feature
    table, duplicate keys go unnoticed, and a look-up at serving time may return another row than training saw.

Fix:
    Declare the key when the table is created, or add it:

        ALTER TABLE prod.ml.features ALTER COLUMN customer_id SET NOT NULL;
        ALTER TABLE prod.ml.features ADD CONSTRAINT features_pk PRIMARY KEY (customer_id);

    A table of the old workspace feature store (`FeatureStoreClient`) has no key in Unity Catalog: create it there with
    `FeatureEngineeringClient`, and read it, train on it and score with it through that client.

Exceptions:
    Views, which inherit the key of the table below them. Tables of labels, which are no feature tables. Tests.
    The old client is told where it is made; one that does nothing but create tables, where it creates them.
    A table counts as one of features where code looks features up in it or writes it with the feature engineering client; one
    that is only named for them (`customer_features`) is told with less confidence. A table that is created elsewhere is unknown.

References:
    https://docs.databricks.com/aws/en/machine-learning/feature-store/uc/feature-tables-uc
"""

from lakewarden.rule import CORE, ERROR, HIGH, MEDIUM, Message, Query, Rule

rule = Rule(
    code="DAT003",
    name="feature-primary-key",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=5,
    queries=(
        Query(
            subject="catalog_tables",
            query="""
                SELECT t.*, t.layer = 'feature' AND t.table_type IN ('MANAGED', 'EXTERNAL', 'STREAMING_TABLE', 'MATERIALIZED_VIEW') AS applies,
                       t.layer_by = 'name' OR (
                           SELECT any_of(k.kind = 'PRIMARY KEY')
                           FROM table_keys k WHERE k.plane = t.plane AND k.catalog_table = t.key) AS declared,
                       t.layer_by <> 'name' OR (
                           SELECT any_of(k.kind = 'PRIMARY KEY')
                           FROM table_keys k WHERE k.plane = t.plane AND k.catalog_table = t.key) AS named_features_declared,
                       (SELECT all_of(k.kind <> 'PRIMARY KEY' OR NOT k.nullable)
                        FROM table_keys k WHERE k.plane = t.plane AND k.catalog_table = t.key) AS not_null
                FROM catalog_tables t
            """,
            message={
                "declared": "feature table {name} has no primary key: add one with ALTER TABLE … ADD CONSTRAINT … PRIMARY KEY",
                "named_features_declared": Message(
                    "table {name} is named for features and has no primary key: add one with ALTER TABLE … ADD CONSTRAINT … PRIMARY KEY",
                    confidence=MEDIUM,
                ),
                "not_null": "a column of the primary key of {name} may be NULL: set it with ALTER COLUMN … SET NOT NULL",
            },
        ),
        Query(
            subject="code_calls",
            query="""
                SELECT c.*, c.api IN ('FeatureStoreClient', 'FeatureStoreClient.create_table', 'FeatureStoreClient.register_table')
                            AND NOT c.is_test AND p.unity_catalog NOT IN ('no', 'migrating') AS applies,
                       c.api = 'FeatureStoreClient' AS created,
                       c.api <> 'FeatureStoreClient' AS used
                FROM code_calls c CROSS JOIN policy p
            """,
            message={
                "created": Message(
                    "a feature table is created in the workspace feature store: create catalog.schema.table with FeatureEngineeringClient",
                    confidence=MEDIUM,
                ),
                "used": Message(
                    "this is the client of the workspace feature store, which knows no keys of Unity Catalog: use FeatureEngineeringClient",
                    confidence=MEDIUM,
                ),
            },
        ),
    ),
)
