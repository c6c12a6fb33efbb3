"""Raw, feature, label and prediction data are Delta tables in Unity Catalog.

Why:
    Training has to be repeatable. A Delta table keeps its versions, changes in one transaction and stands under the grants
    and the lineage of Unity Catalog. Files in Parquet, CSV or JSON have none of that: a job that fails half-way leaves half
    of the data, and nobody can tell afterwards what a model was trained on.

Fix:
    Leave the format out: Databricks writes Delta unless it is told otherwise.

        df.write.saveAsTable(f"{catalog}.ml.features")

    Convert a table that exists with `CONVERT TO DELTA`. Write data that is now a folder of files to a table.

Exceptions:
    Managed Iceberg tables. Files that land in a volume before they become a raw table. Views, materialized views,
    streaming tables and metric views, which have no format of their own. Files on the local disk of a driver. Tests.
    A table that is an export for others belongs to no layer; say so in the policy, or waive it.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/feature-store/uc/feature-tables-uc
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/best-practices
"""

from lakewarden.rule import ERROR, HIGH, MEDIUM, RECOMMENDED, Message, Query, Rule

rule = Rule(
    code="DAT001",
    name="delta-tables",
    severity=ERROR,
    confidence=HIGH,
    profile=RECOMMENDED,
    queries=(
        Query(
            subject="catalog_tables",
            query="""
                SELECT t.*, t.table_type IN ('MANAGED', 'EXTERNAL') AND t.layer IN ('raw', 'feature', 'label', 'prediction')
                            AND (t.plane <> 'declared' OR t.declared_in <> 'code') AS applies,
                       t.format IN ('DELTA', 'DELTA_UNIFORM_ICEBERG', 'DELTA_UNIFORM_HUDI')
                       OR t.format = 'ICEBERG' AND t.table_type = 'MANAGED' AS ok
                FROM catalog_tables t
            """,
            message="{layer} table {name} is stored as {format}: convert it with CONVERT TO DELTA",
        ),
        Query(
            subject="table_access",
            query="""
                SELECT a.*, a.access = 'write' AND NOT f.is_test
                            AND a.address IN ('table', 'hive_metastore', 'mount', 'dbfs', 'cloud', 'path') AS applies,
                       a.format NOT IN ('parquet', 'csv', 'json', 'orc', 'avro', 'text', 'xml', 'hive')
                       OR a.address NOT IN ('table', 'hive_metastore') AS delta_table,
                       a.format NOT IN ('parquet', 'csv', 'json', 'orc', 'avro', 'text', 'xml', 'hive')
                       OR a.address IN ('table', 'hive_metastore') AS no_files
                FROM table_access a LEFT JOIN files f ON f.plane = a.plane AND f.key = a.file
            """,
            message={
                "delta_table": "table {name} is written as {format}: leave the format out, Delta is the default",
                "no_files": Message(
                    "data is written as {format} files to {name}: write a Delta table with saveAsTable, or land the files in a volume",
                    confidence=MEDIUM,
                ),
            },
        ),
    ),
)
