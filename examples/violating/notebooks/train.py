# Databricks notebook source
import mlflow
import mlflow.sklearn
from sklearn.ensemble import RandomForestClassifier

mlflow.set_experiment("/Users/ann@example.com/churn")

# COMMAND ----------

data = spark.read.format("delta").load("/mnt/lake/churn/features").toPandas()
X, y = data.drop(columns=["customer_id", "churned"]), data["churned"]

# COMMAND ----------

model = RandomForestClassifier(n_estimators=200).fit(X, y)
mlflow.sklearn.log_model(model, "model", registered_model_name="churn")

# COMMAND ----------

client = mlflow.MlflowClient()
newest = client.get_latest_versions("churn", stages=["None"])[0]
client.transition_model_version_stage("churn", newest.version, "Production")
