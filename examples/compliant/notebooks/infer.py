# Databricks notebook source
import mlflow

catalog = dbutils.widgets.get("catalog")

# COMMAND ----------

mlflow.set_registry_uri("databricks-uc")
score = mlflow.pyfunc.spark_udf(spark, f"models:/{catalog}.churn.churn@champion")
customers = spark.read.table(f"{catalog}.churn.features")
customers.withColumn("churn", score()).write.mode("append").saveAsTable(f"{catalog}.churn.predictions")
