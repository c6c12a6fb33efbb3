# Databricks notebook source
from mlflow import MlflowClient

client = MlflowClient(registry_uri="databricks-uc")
client.copy_model_version("models:/staging.churn.churn/4", "prod.churn.churn")
