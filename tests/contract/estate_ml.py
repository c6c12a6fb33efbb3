"""Models, their versions and runs, as the estate's seeds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tests.contract.store import ADMIN, NOW, Json, Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Learning(Store):
    """The two registries and the tracking server."""

    metastore_id: str

    def __init__(self, *, complete: bool) -> None:
        super().__init__(complete=complete)
        # Only MLflow's API tells these; databricks-sdk has no fields for them.
        self.model_tags: dict[str, dict[str, str]] = {}
        self.model_jobs: dict[str, str] = {}
        self.version_tags: dict[tuple[str, str], dict[str, str]] = {}
        self.version_jobs: dict[tuple[str, str], Json] = {}
        self.version_files: dict[tuple[str, str], dict[str, bytes]] = {}
        self.registry_disabled = False

    def model(
        self,
        full_name: str,
        *,
        owner: str = ADMIN,
        versions: Sequence[Mapping[str, Any]] = (),
        aliases: Mapping[str, int] | None = None,
        tags: Mapping[str, str] | None = None,
        deployment_job_id: str | None = None,
        **more: Any,
    ) -> Json:
        """A model in Unity Catalog; a version may carry `tags`, its `mlmodel` file, its `deployment_job_state`, and any field of ModelVersionInfo."""
        catalog, schema, name = full_name.split(".")
        place = {"catalog_name": catalog, "schema_name": schema}
        row: Json = {"name": name, "full_name": full_name, "owner": owner, "metastore_id": self.metastore_id, **place}
        row |= {"created_at": NOW, "created_by": owner, "updated_at": NOW}
        if aliases:
            row["aliases"] = [
                {"alias_name": alias, "version_num": number, "model_name": name, **place} for alias, number in aliases.items()
            ]
        self.model_tags[full_name] = dict(tags or {})
        if deployment_job_id is not None:
            self.model_jobs[full_name] = deployment_job_id
        self.none("model_versions")
        for number, version in enumerate(versions, 1):
            given = dict(version)
            number = int(given.pop("version", number))  # noqa: PLW2901 a seed may number itself
            self.version_tags[full_name, str(number)] = dict(given.pop("tags", {}))
            self.version_jobs[full_name, str(number)] = dict(given.pop("deployment_job_state", {}))
            mlmodel = given.pop("mlmodel", "run_id: run-1\nsignature:\n  inputs: '[]'\n")
            self.version_files[full_name, str(number)] = {} if mlmodel is None else {"MLmodel": mlmodel.encode()}
            raw = given.pop("raw", None)
            seed = {"model_name": name, "version": number, "status": "READY", "created_at": NOW, "created_by": owner, **place}
            seed |= {"id": f"{full_name}/{number}", "metastore_id": self.metastore_id} | given
            self.seed("model_versions", str(number), "catalog.ModelVersionInfo", seed, parent=full_name, raw=raw)
        return self.seed("models", full_name, "catalog.RegisteredModelInfo", row | more, parent=f"{catalog}.{schema}")

    def legacy_model(
        self,
        name: str,
        *,
        id: str | None = None,  # noqa: A002 the field's word
        versions: Sequence[Mapping[str, Any]] = (),
        webhooks: Sequence[Mapping[str, Any]] = (),
        transition_requests: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        tags: Mapping[str, str] | None = None,
        permission_level: str = "CAN_MANAGE",
        **more: Any,
    ) -> Json:
        """A model of the workspace registry; permissions are kept under its id, never under its name."""
        row: Json = {
            "name": name,
            "id": id or hashlib.blake2b(name.encode(), digest_size=16).hexdigest(),
            "user_id": ADMIN,
            "permission_level": permission_level,
        }
        row |= {"creation_timestamp": NOW, "last_updated_timestamp": NOW} | more | _pairs("tags", tags)
        self.none("legacy_versions", "webhooks", "transition_requests")
        for number, version in enumerate(versions, 1):
            given = dict(version)
            pairs = _pairs("tags", given.pop("tags", None))
            seed = {"name": name, "version": str(number), "current_stage": "None", "status": "READY", "user_id": ADMIN}
            seed |= {"creation_timestamp": NOW, "last_updated_timestamp": NOW} | given | pairs
            self.seed("legacy_versions", str(seed["version"]), "ml.ModelVersion", seed, parent=name)
        for number, webhook in enumerate(webhooks, 1):
            seed = {"id": f"{name}-{number}", "model_name": name, "status": "ACTIVE", **webhook}
            self.seed("webhooks", str(seed["id"]), "ml.RegistryWebhook", seed)
        for of, requests in (transition_requests or {}).items():
            for at, request in enumerate(requests):
                self.seed("transition_requests", str(at), "ml.TransitionRequest", dict(request), parent=f"{name}/{of}")
        return self.seed("legacy_models", name, "ml.ModelDatabricks", row)

    def experiment(self, id: str, name: str, *, tags: Mapping[str, str] | None = None, **more: Any) -> Json:  # noqa: A002 the field's word
        row = {"experiment_id": id, "name": name, "lifecycle_stage": "active", "creation_time": NOW, "last_update_time": NOW}
        self.none("runs", "logged_models")
        return self.seed(
            "experiments", id, "ml.Experiment", row | {"artifact_location": f"dbfs:/mlflow/{id}"} | more | _pairs("tags", tags)
        )

    def run(
        self,
        run_id: str,
        experiment: str,
        *,
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        inputs: Sequence[Mapping[str, Any]] = (),
        raw: Mapping[str, Any] | None = None,
        **info: Any,
    ) -> Json:
        """A run; an input is a dataset with its context, or a whole dataset input."""
        about = {"run_id": run_id, "run_uuid": run_id, "experiment_id": experiment, "status": "FINISHED", "start_time": NOW}
        about |= {"end_time": NOW + 60_000, "lifecycle_stage": "active", "user_id": ADMIN, "run_name": run_id}
        data = _pairs("params", params) | _pairs("tags", tags)
        if metrics:
            data["metrics"] = [{"key": key, "value": value, "timestamp": NOW, "step": 0} for key, value in metrics.items()]
        row: Json = {"info": about | info} | ({"data": data} if data else {})
        if inputs:
            row["inputs"] = {"dataset_inputs": [dict(one) if "dataset" in one else {"dataset": dict(one)} for one in inputs]}
        return self.seed("runs", run_id, "ml.Run", row, parent=experiment, raw=raw)

    def logged_model(
        self,
        model_id: str,
        experiment: str,
        *,
        source_run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        metrics: Sequence[Mapping[str, Any]] = (),
        **info: Any,
    ) -> Json:
        about: Json = {"model_id": model_id, "experiment_id": experiment, "name": model_id, "status": "LOGGED_MODEL_READY"}
        about |= {"creation_timestamp_ms": NOW} | ({} if source_run_id is None else {"source_run_id": source_run_id}) | info
        data = _pairs("params", params) | ({"metrics": [dict(one) for one in metrics]} if metrics else {})
        row = {"info": about | _pairs("tags", tags)} | ({"data": data} if data else {})
        return self.seed("logged_models", model_id, "ml.LoggedModel", row, parent=experiment)


def _pairs(field: str, values: Mapping[str, str] | None) -> Json:
    return {field: [{"key": key, "value": value} for key, value in values.items()]} if values else {}
