"""Stages do not share a catalog.

Why:
    The catalog is the widest fence that Unity Catalog has: grants, ownership and workspace bindings are set on it. When
    two stages write the same catalog, a development job can overwrite production tables and models, and no grant can
    tell the two apart, because both need the same rights on the same objects.

Fix:
    Give each stage a catalog of its own, as a variable that every target sets:

        variables:
          catalog:
            description: catalog of this stage
        targets:
          dev:
            variables:
              catalog: dev
          prod:
            variables:
              catalog: prod

Exceptions:
    A catalog that a stage only reads (reference data, say) may be shared: only catalogs that a target writes are judged.
    With `isolation = "schema"` under `[parameters]` stages may share a catalog, but not a schema.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/best-practices
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="ENV002",
    name="separate-catalogs",
    subject="target_catalogs",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message="{stage} shares catalog {catalog} with another stage: give each stage a catalog of its own, by a variable of the target",
    # Without a schema it cannot be told whether two stages meet in one: hence the `AND NULL`.
    query="""
        SELECT c.*, c.access = 'own' AS applies,
               all_of(o.project <> c.project OR o.key = c.key OR o.catalog <> c.catalog OR o.stage = c.stage OR o.access <> 'own'
                   OR (p.isolation = 'schema' AND (
                       (o.schema <> c.schema AND o.schema <> 'none' AND c.schema <> 'none')
                       OR ((o.schema = 'none' OR c.schema = 'none') AND NULL)))) AS ok,
               min(o.origin) FILTER (WHERE o.project = c.project AND o.catalog = c.catalog AND o.stage <> c.stage
                   AND o.access = 'own') AS related
        FROM target_catalogs c JOIN target_catalogs o ON o.plane = c.plane CROSS JOIN policy p
        GROUP BY ALL
    """,
)
