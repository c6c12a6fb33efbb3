-- What the auditor of production (a service principal with this application id) needs, and nothing else; those of the other stages
-- need the same in their catalogs. Beside it: CAN USE on the SQL warehouse, and a place in the group admins of the workspace, without
-- which jobs, endpoints, experiments and people are listed only as far as it may view them, and are unknown.
-- `lakewarden doctor --output-format sql` says what it lacks. Run it as an admin of the metastore.

-- To see that objects are there, and the grants of others on them. It reads no data by this.
GRANT READ METADATA ON METASTORE TO `0f4c1a8e-7d23-4b56-9e18-6a5b3c2d1f03`;

-- Lineage and audit log, by the SQL warehouse: leave it out with --warehouse.
GRANT USE CATALOG ON CATALOG system TO `0f4c1a8e-7d23-4b56-9e18-6a5b3c2d1f03`;
GRANT USE SCHEMA, SELECT ON SCHEMA system.access TO `0f4c1a8e-7d23-4b56-9e18-6a5b3c2d1f03`;

-- To write what it found, in the schema that the bundle makes.
GRANT USE CATALOG ON CATALOG prod TO `0f4c1a8e-7d23-4b56-9e18-6a5b3c2d1f03`;
GRANT USE SCHEMA, CREATE TABLE ON SCHEMA prod.lakewarden TO `0f4c1a8e-7d23-4b56-9e18-6a5b3c2d1f03`;

-- For those who look at it; SELECT on the schema comes with the bundle.
GRANT USE CATALOG ON CATALOG prod TO `ml-governance`;
