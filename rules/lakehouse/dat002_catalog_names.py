"""Data is addressed by its Unity Catalog name, not by path, mount or hive_metastore.

Why:
    Grants, row filters and lineage hang on names. Who reads or writes a path, a mount or a table of `hive_metastore` goes
    past all of them: anybody who reaches the storage can change the data, and no one can see which model was trained on it.

Fix:
    Register the data as a table and use its three-level name.

        spark.read.table(f"{catalog}.ml.features")      # not spark.read.load("/mnt/features")
        df.write.saveAsTable(f"{catalog}.ml.features")  # not df.write.save("abfss://…")

    Files that are no table belong in a volume: `/Volumes/<catalog>/<schema>/<volume>/…`.

Exceptions:
    Volumes, which are governed. Ingestion code, Auto Loader, `read_files` and `COPY INTO`, which have to read the paths where
    data arrives; what people upload to DBFS belongs in a volume for them too. The samples that Databricks ships in
    `/databricks-datasets`. Files on the local disk of a driver, or of the machine on which a script makes a local session of
    Spark. Files of settings. Tests.
    In the parameters of jobs and pipelines: checkpoints, logs, artifacts, libraries and scripts, and the landing zones of ingestion.
    A whole table of `hive_metastore` that is copied into Unity Catalog (`CREATE TABLE … AS SELECT *`, `DEEP CLONE`); while the policy
    says `unity_catalog = "migrating"`, every read of `hive_metastore`.
    Where the policy says `unity_catalog = "no"`, the project is told once, and not each access.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/best-practices
"""

from lakewarden.rule import ERROR, MEDIUM, RECOMMENDED, WARNING, Message, Query, Rule

rule = Rule(
    code="DAT002",
    name="catalog-names",
    severity=ERROR,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    revision=3,
    queries=(
        Query(
            subject="table_access",
            query="""
                SELECT a.*, a.access IN ('read', 'write') AND NOT f.is_test AND p.unity_catalog <> 'no' AS applies,
                       a.access <> 'write' OR a.address IN ('table', 'volume', 'sample', 'local') AS written_by_name,
                       a.access <> 'read' OR a.address IN ('table', 'volume', 'sample', 'local')
                       OR a.format = 'cloudfiles' OR a.address = 'hive_metastore' AND p.unity_catalog = 'migrating'
                       OR a.address NOT IN ('hive_metastore', 'dbfs') AND (
                           SELECT any_of(r.role = 'ingestion') FROM file_roles r WHERE r.plane = a.plane AND r.file = a.file
                       ) AS read_by_name
                FROM table_access a LEFT JOIN files f ON f.plane = a.plane AND f.key = a.file CROSS JOIN policy p
            """,
            message={
                "written_by_name": "data is written to {name} ({address}), outside Unity Catalog: write a table by its name, catalog.schema.table",
                "read_by_name": Message(
                    "data is read from {name} ({address}), outside Unity Catalog: read a table by its name, catalog.schema.table",
                    severity=WARNING,
                ),
            },
        ),
        Query(
            subject="config_refs",
            query="""
                SELECT r.*, (r.kind = 'path' OR r.kind = 'table' AND r.named = 'hive_metastore') AND p.unity_catalog <> 'no' AS applies,
                       r.kind <> 'path' AND (r.named <> 'hive_metastore' OR p.unity_catalog = 'migrating' AND NOT r.is_write) AS ok
                FROM config_refs r CROSS JOIN policy p
            """,
            message=Message(
                "the configuration names {value}, data outside Unity Catalog: give the name of a table, catalog.schema.table",
                severity=WARNING,
            ),
        ),
        Query(
            subject="projects",
            query="""
                SELECT x.*, p.unity_catalog = 'no' AS applies, p.unity_catalog <> 'no' AS ok
                FROM projects x CROSS JOIN policy p
            """,
            message=Message(
                'the policy says that {key} does without Unity Catalog, so that its data has no grants: plan the migration, then say "migrating"',
                severity=WARNING,
            ),
        ),
    ),
)
