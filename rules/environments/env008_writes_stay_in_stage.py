"""Code outside production does not write production data.

Why:
    Data that production relies on must come from code that was reviewed and tested. One write from a development job or
    a notebook puts untested results in front of users, and lineage then names a source that nobody can reproduce.
    Outside production data may be read; what is written there is temporary.

Fix:
    Take the catalog from the target, so that the same code writes where it runs:

        catalog = dbutils.widgets.get("catalog")
        predictions.write.saveAsTable(f"{catalog}.churn.predictions")

Exceptions:
    A catalog that stands only in the default of a widget is no write; ENV009 notes it.
    A central workspace that may write production tables (monitoring, say) is listed among the workspaces of production.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/admin/system-tables/lineage
"""

from lakewarden.rule import CORE, ERROR, MEDIUM, Rule

rule = Rule(
    code="ENV008",
    name="writes-stay-in-stage",
    subject="stage_writes",
    severity=ERROR,
    confidence=MEDIUM,
    profile=CORE,
    message="code that runs in {stage} writes {table_name}, a production table: take the catalog from a parameter of the target",
    query="""
        SELECT w.*, w.stage <> 'production' AS applies, w.catalog_stage <> 'production' AS ok
        FROM stage_writes w
    """,
)
