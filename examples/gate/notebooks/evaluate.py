# Databricks notebook source
# The first task: it raises where the version is not good enough, so that the job cannot go on.
import json

import mlflow

THRESHOLD = 0.8
client = mlflow.MlflowClient()
name, number = dbutils.widgets.get("model_name"), dbutils.widgets.get("model_version")
run = client.get_run(client.get_model_version(name, number).run_id)
print(json.dumps(run.data.metrics))
if run.data.metrics["auc"] < THRESHOLD:
    raise ValueError(f"auc {run.data.metrics['auc']} is below {THRESHOLD}")
