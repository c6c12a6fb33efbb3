"""Production catalogs, and the storage behind them, are isolated to production workspaces.

Why:
    A catalog in mode OPEN can be reached from every workspace of its metastore; only grants stand between a development
    notebook and production data. Isolation is a second lock that grants cannot undo: from a workspace that is not bound
    access is denied, whatever was granted. Storage that is not isolated is a way around the catalog.

Fix:
    Set the catalog, and the external locations that hold its data, to ISOLATED, and bind them to the production
    workspaces. Development may be bound read-only. In Terraform:

        resource "databricks_catalog" "prod" {
          name           = "prod"
          isolation_mode = "ISOLATED"
        }

Exceptions:
    A workspace of another stage may be bound with BINDING_TYPE_READ_ONLY, unless the policy says
    `nonprod_read_of_prod = "deny"`. External locations know no read-only binding, so where reading is allowed they may be
    bound to other workspaces; READ FILES and WRITE FILES then decide.
    `hive_metastore`, `system`, `samples`, shared and foreign catalogs are not judged.
    A bundle cannot declare isolation: a catalog that only a bundle declares is unknown, never wrong.
    In Terraform a catalog without `isolation_mode` is OPEN. One whose isolation is set elsewhere (`ignore_changes`, or a
    binding of a catalog that Terraform does not isolate) is unknown, and so is a binding by the number of a workspace.

References:
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/access-control/workspace-catalog-binding
    https://docs.databricks.com/gcp/en/developers/best-practices
"""

from lakewarden.rule import CORE, ERROR, HIGH, Query, Rule

rule = Rule(
    code="ENV007",
    name="isolated-production-catalog",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    queries=(
        Query(
            subject="catalogs",
            message={
                "isolated": "catalog {name} is {isolation_mode}, any workspace of the metastore reaches it: set it to ISOLATED and bind production",
                "written_by_production": "catalog {name} can be written from a workspace that is not production: make that binding read-only",
                "read_by_production": "catalog {name} is bound to a workspace that is not production, and the policy denies that: remove the binding",
            },
            query="""
                SELECT c.*, c.stage = 'production' AND c.catalog_type = 'MANAGED' AS applies,
                       c.isolation_mode = 'ISOLATED' AS isolated, (
                           SELECT all_of(b.stage = 'production' OR b.binding_type = 'BINDING_TYPE_READ_ONLY')
                           FROM bindings b WHERE b.plane = c.plane AND b.securable = c.key) AS written_by_production,
                       p.nonprod_read_of_prod = 'allow' OR (
                           SELECT all_of(b.stage = 'production')
                           FROM bindings b WHERE b.plane = c.plane AND b.securable = c.key) AS read_by_production
                FROM catalogs c CROSS JOIN policy p
            """,
        ),
        Query(
            subject="external_locations",
            message={
                "isolated": "external location {key} holds production data and is {isolation_mode}: set it to ISOLATION_MODE_ISOLATED and bind production",
                "reached_by_production": "external location {key} holds production data and is bound to a workspace that is not production: remove the binding",
            },
            query="""
                SELECT e.*, e.serves_production AS applies,
                       e.isolation_mode = 'ISOLATION_MODE_ISOLATED' AS isolated,
                       p.nonprod_read_of_prod = 'allow' OR (
                           SELECT all_of(b.stage = 'production')
                           FROM bindings b WHERE b.plane = e.plane AND b.securable = e.key) AS reached_by_production
                FROM external_locations e CROSS JOIN policy p
            """,
        ),
    ),
)
