"""MLflow's own client reads the server: a second reader of the same answers, with parsers that are not the SDK's."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.contract import Estate, Pages, serve
from tests.running import environment

_CLIENT = """
import json
from mlflow import MlflowClient
governed = MlflowClient(tracking_uri="databricks", registry_uri="databricks-uc")
legacy = MlflowClient(tracking_uri="databricks", registry_uri="databricks")
model = governed.get_registered_model("prod.ml.churn")
version = governed.get_model_version("prod.ml.churn", "2")
run = governed.get_run("run-1")
print(json.dumps({
    "model": [model.tags, model.aliases, model.deployment_job_id],
    "version": [version.tags, version.aliases, version.run_id, version.source, str(version.status)],
    "alias": governed.get_model_version_by_alias("prod.ml.churn", "champion").version,
    "models": [one.name for one in governed.search_registered_models()],
    "versions": [one.version for one in governed.search_model_versions("name='prod.ml.churn'")],
    "run": [run.data.params, run.data.metrics, run.inputs.dataset_inputs[0].dataset.name],
    "runs": sorted(one.info.run_id for one in governed.search_runs(["7"])),
    "logged": governed.get_logged_model("m-1").source_run_id,
    "legacy": [[one.version, one.current_stage] for one in legacy.get_registered_model("churn_legacy").latest_versions],
}))
"""


@pytest.mark.slow
def test_mlflows_client_reads_both_registries_and_the_runs(estate: Estate) -> None:
    with serve(estate, Pages(size=100, empty=())) as server:
        host = {"DATABRICKS_HOST": server.url, "DATABRICKS_TOKEN": estate.admin.token, "MLFLOW_DISABLE_TELEMETRY": "true"}
        done = subprocess.run(
            [sys.executable, "-c", _CLIENT], env=environment(**host), capture_output=True, text=True, check=False, timeout=120
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "model": [{"team": "churn"}, {"champion": "2"}, "11"],
        "version": [{"approved": "yes"}, ["champion"], "run-9", "models:/dev.ml.churn/4", "READY"],
        "alias": "2",
        "models": ["prod.ml.churn"],
        "versions": ["1", "2", "3"],
        "run": [{"depth": "3"}, {"auc": 0.91}, "prod.sales.features"],
        "runs": ["run-1", "run-2", "run-3", "run-4"],
        "logged": "run-1",
        "legacy": [["1", "Production"], ["2", "Staging"]],
    }
