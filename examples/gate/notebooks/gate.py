# Databricks notebook source
# The last task of the deployment job. The version comes from the job's parameters, see resources/promote.yml.
import subprocess
import sys

gate = ["lakewarden", "gate", dbutils.widgets.get("version"), "--to", "production", "--set-alias", "champion", "--tag"]
done = subprocess.run([sys.executable, "-m", *gate], check=False, capture_output=True, text=True)
print(done.stdout, done.stderr)
if done.returncode != 0:
    raise RuntimeError(f"the version may not go live: exit code {done.returncode}")
