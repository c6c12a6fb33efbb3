# Databricks notebook source
from sklearn.linear_model import LogisticRegression

data = spark.read.table("prod.churn.features").toPandas()
X, y = data.drop(columns=["customer_id", "churned"]), data["churned"]

# COMMAND ----------

model = LogisticRegression().fit(X, y)
print(model.score(X, y))
