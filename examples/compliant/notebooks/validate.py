# Databricks notebook source
import mlflow

catalog = dbutils.widgets.get("catalog")
version = dbutils.jobs.taskValues.get("train", "version")

# COMMAND ----------

data = spark.read.table(f"{catalog}.churn.holdout").toPandas()
result = mlflow.models.evaluate(
    f"models:/{catalog}.churn.churn/{version}", data, targets="churned", model_type="classifier"
)
if result.metrics["roc_auc"] < 0.8:
    raise ValueError(f"version {version} is too weak: {result.metrics['roc_auc']:.3f}")
