"""Servers of open-source Unity Catalog: catalogs, schemas, tables, models and grants.

Which calls there are, and who is shown what, is taken from the OpenAPI documents (`api/all.yaml`, `api/control.yaml`) and the
server of github.com/unitycatalog/unitycatalog, release 0.6.0.
"""
