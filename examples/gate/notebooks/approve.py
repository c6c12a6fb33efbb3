# Databricks notebook source
# The second task: it fails until somebody approves the version on its page, by the tag that is named like the task.
import mlflow

name, number = dbutils.widgets.get("model_name"), dbutils.widgets.get("model_version")
tags = mlflow.MlflowClient().get_model_version(name, number).tags
if tags.get("Approval_Check", "").lower() != "approved":
    raise PermissionError("nobody has approved this version")
