"""Lakewarden: does this machine-learning project follow the MLOps workflow that Databricks recommends?"""

__version__ = "0.1.0"
