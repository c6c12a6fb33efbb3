"""Servers of MLflow that are not Databricks: registry, experiments, permissions. Their API is asked as it is, without a client."""
