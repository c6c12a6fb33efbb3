"""Databricks workspaces and the metastores of Unity Catalog, read as the APIs answer: raw, since typed objects lose data."""
