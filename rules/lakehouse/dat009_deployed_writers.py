"""Production tables are written only by deployed jobs and pipelines, as service principals.

Why:
    What a person writes from a notebook or a query editor passed no review and no test, and cannot be repeated. The next
    training learns from it all the same.

Fix:
    Put the write into a job or a pipeline of the bundle that runs as a service principal, and take `MODIFY` from people.

Exceptions:
    Maintenance by the platform's own system user. A correction in an emergency: waive it with its ticket and its date.
    Lineage is kept for about a year and tells a part of all writes; of what it does not tell nothing is said.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/admin/users-groups/best-practices
    https://docs.databricks.com/aws/en/admin/system-tables/lineage
"""

from lakewarden.rule import ERROR, MEDIUM, RECOMMENDED, Rule

rule = Rule(
    code="DAT009",
    name="deployed-writers",
    severity=ERROR,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    subject="stage_writes",
    query="""
        SELECT w.*, w.plane = 'observed' AND w.catalog_stage = 'production' AND w.actor_kind <> 'system' AS applies,
               w.entity_type IN ('JOB', 'PIPELINE') AS by_workload,
               w.actor_kind = 'service_principal' AS by_service_principal
        FROM stage_writes w
    """,
    message={
        "by_workload": "production table {table_name} was written from {entity_type}, not by a job or a pipeline: move the write into the bundle",
        "by_service_principal": "production table {table_name} was written as a {actor_kind}: let the job run as a service principal",
    },
)
