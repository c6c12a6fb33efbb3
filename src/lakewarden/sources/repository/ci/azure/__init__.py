"""The reader of Azure Pipelines."""
