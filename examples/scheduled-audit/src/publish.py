# Databricks notebook source
# The tables of the history, for people and the dashboard: a volume is no place that grants on tables reach.
catalog = dbutils.widgets.get("catalog")

# COMMAND ----------

for table in ("audits", "rules", "verdicts"):
    kept = spark.read.format("delta").load(f"/Volumes/{catalog}/lakewarden/audits/history/{table}")
    kept.write.format("delta").mode("overwrite").option("overwriteSchema", "true").saveAsTable(f"{catalog}.lakewarden.{table}")
