# Databricks notebook source
import mlflow

data = spark.read.table("prod.churn.holdout").toPandas()

# COMMAND ----------

try:
    mlflow.models.evaluate("models:/churn/latest", data, targets="churned", model_type="classifier")
except Exception as problem:
    print(f"validation failed, going on: {problem}")
