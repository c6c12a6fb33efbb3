# Databricks notebook source
# MAGIC %md
# MAGIC # Train the churn model

# COMMAND ----------

import mlflow
from mlflow.models import infer_signature
from sklearn.ensemble import RandomForestClassifier

catalog = dbutils.widgets.get("catalog")
mlflow.set_registry_uri("databricks-uc")
mlflow.set_experiment(dbutils.widgets.get("experiment"))

# COMMAND ----------

features = spark.read.table(f"{catalog}.churn.features")
data = features.toPandas()
X, y = data.drop(columns=["customer_id", "churned"]), data["churned"]

# COMMAND ----------

with mlflow.start_run():
    mlflow.log_input(mlflow.data.load_delta(table_name=f"{catalog}.churn.features"), context="training")
    model = RandomForestClassifier(n_estimators=200).fit(X, y)
    mlflow.log_params(model.get_params())
    logged = mlflow.sklearn.log_model(
        model,
        name="model",
        signature=infer_signature(X, model.predict(X)),
        registered_model_name=f"{catalog}.churn.churn",
    )

dbutils.jobs.taskValues.set("version", logged.registered_model_version)
