# Databricks notebook source
import mlflow

score = mlflow.pyfunc.spark_udf(spark, "models:/churn/Production")
again = mlflow.pyfunc.load_model("models:/prod.churn.churn/3")

# COMMAND ----------

customers = spark.read.table("hive_metastore.churn.features")
customers.withColumn("churn", score()).write.format("parquet").mode("overwrite").saveAsTable("prod.churn.predictions")
