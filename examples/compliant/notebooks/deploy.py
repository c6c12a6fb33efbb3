# Databricks notebook source
from mlflow import MlflowClient

catalog = dbutils.widgets.get("catalog")
version = dbutils.jobs.taskValues.get("train", "version")

# COMMAND ----------

client = MlflowClient(registry_uri="databricks-uc")
client.set_registered_model_alias(f"{catalog}.churn.churn", "champion", version)
