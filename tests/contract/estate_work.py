"""Jobs, pipelines, endpoints, files and warehouses, as the estate's seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract.seeds import checked
from tests.contract.store import ADMIN, NOW, Json, Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HOLDERS = ("user_name", "group_name", "service_principal_name")


class Working(Store):
    """What runs in the workspace, who may touch it, and where its files are."""

    def __init__(self, *, complete: bool) -> None:
        super().__init__(complete=complete)
        self.acls: dict[tuple[str, str], list[Json]] = {}
        self.files: dict[str, bytes] = {}
        self.statements: dict[str, Any] = {}
        self.polls = 0  # how often a statement is asked about before it has ended
        self.waiting: dict[str, int] = {}
        self.system_tables: dict[str, tuple[list[str], list[list[Any]]]] = {}

    def job(
        self,
        job_id: int,
        *,
        settings: Mapping[str, Any],
        creator: str = ADMIN,
        run_as: str = ADMIN,
        raw: Mapping[str, Any] | None = None,
    ) -> Json:
        """A job with its settings; `run_as` is the name that the service works out."""
        row = {"job_id": job_id, "creator_user_name": creator, "run_as_user_name": run_as, "created_time": NOW}
        self.none("job_runs")
        return self.seed("jobs", str(job_id), "jobs.Job", row | {"settings": dict(settings)}, raw=raw)

    def job_run(self, run_id: int, job_id: int, *, raw: Mapping[str, Any] | None = None, **more: Any) -> Json:
        row = {"run_id": run_id, "job_id": job_id, "start_time": NOW, "end_time": NOW + 60_000, "run_type": "JOB_RUN"}
        row |= {"state": {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}, "creator_user_name": ADMIN}
        return self.seed("job_runs", str(run_id), "jobs.Run", row | more, raw=raw)

    def pipeline(self, pipeline_id: str, name: str, *, spec: Mapping[str, Any], run_as: str = ADMIN, **more: Any) -> Json:
        row = {"pipeline_id": pipeline_id, "name": name, "state": "IDLE", "creator_user_name": ADMIN, "run_as_user_name": run_as}
        return self.seed("pipelines", pipeline_id, "pipelines.GetPipelineResponse", row | {"spec": dict(spec)} | more)

    def endpoint(self, name: str, *, id: str | None = None, **more: Any) -> Json:  # noqa: A002 the field's word
        """A serving endpoint; those of foundation models have no id, and others are not named by it."""
        row: Json = {"name": name, "creator": ADMIN, "creation_timestamp": NOW, "last_updated_timestamp": NOW}
        row |= {"state": {"ready": "READY", "config_update": "NOT_UPDATING"}} | ({} if id is None else {"id": id}) | more
        return self.seed("endpoints", name, "serving.ServingEndpointDetailed", row)

    def permissions(self, object_type: str, object_id: str | int, acl: Sequence[Mapping[str, str]], *, raw: bool = False) -> None:
        """Who may do what: entries of `user_name`, `group_name` or `service_principal_name`, `permission_level` and `inherited_from`."""
        entries: list[Json] = []
        for one in acl:
            above = one.get("inherited_from")
            level: Json = {"permission_level": one["permission_level"], "inherited": above is not None}
            holder = {key: one[key] for key in _HOLDERS if key in one}
            entries.append(holder | {"all_permissions": [level | ({"inherited_from_object": [above]} if above else {})]})
        if raw:
            self.raw.append(f"permissions of {object_type} {object_id}")
        elif entries:
            checked("iam.ObjectPermissions", {"access_control_list": entries})
        self.acls[object_type, str(object_id)] = entries

    def workspace_file(
        self,
        path: str,
        content: bytes = b"",
        *,
        object_type: str = "FILE",
        object_id: int | None = None,
        modified_at: int = NOW,
        **more: Any,
    ) -> Json:
        """A file, notebook or Git folder, and the directories above it."""
        parent = path.rpartition("/")[0]
        if parent and self._object(parent) is None:
            self.workspace_file(parent, object_type="DIRECTORY")
        if object_type in {"FILE", "NOTEBOOK"}:
            self.files[path] = content
            more = {"size": len(content)} | more if content else more
        number = object_id if object_id is not None else 1000 + sum(len(self.under("objects", one)) for one in self._folders())
        row = {"path": path, "object_type": object_type, "object_id": number, "created_at": NOW, "modified_at": modified_at}
        return self.seed("objects", path, "workspace.ObjectInfo", row | more, parent=parent)

    def repo(self, id: int, path: str, url: str, **more: Any) -> Json:  # noqa: A002 the field's word
        row = {"id": id, "path": path, "url": url, "provider": "gitHub", "branch": "main"} | more
        return self.seed("repos", str(id), "workspace.RepoInfo", row)

    def cluster_policy(self, policy_id: str, name: str, definition: str = "{}", **more: Any) -> Json:
        row = {"policy_id": policy_id, "name": name, "definition": definition, "creator_user_name": ADMIN} | more
        return self.seed("cluster_policies", policy_id, "compute.Policy", row)

    def warehouse(self, id: str, name: str = "warehouse", **more: Any) -> Json:  # noqa: A002 the field's word
        row = {"id": id, "name": name, "state": "RUNNING", "warehouse_type": "PRO"} | more
        return self.seed("warehouses", id, "sql.EndpointInfo", row)

    def deployment(self, name: str, *, versions: Sequence[Mapping[str, Any]] = (), **more: Any) -> Json:
        """A bundle deployment that the service keeps; `raw` of a version holds what the SDK does not know yet."""
        self.none("deployment_versions")
        for number, version in enumerate(versions, 1):
            given = dict(version)
            raw = given.pop("raw", None)
            full = f"deployments/{name}/versions/{given.get('version_id', number)}"
            seed = {"name": full, "version_id": str(number), "cli_version": "1.20.0", "version_type": "VERSION_TYPE_DEPLOY"}
            self.seed("deployment_versions", full, "bundle.Version", seed | given, parent=f"deployments/{name}", raw=raw)
        return self.seed("deployments", f"deployments/{name}", "bundle.Deployment", {"name": f"deployments/{name}", **more})

    def system_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table of the `system` catalog other than the information schema. Cells are text; of a column that has a type behind
        its name they are what JSON can say of it.
        """
        self.system_tables[name] = (list(columns), [list(row) for row in rows])

    def _object(self, path: str) -> Json | None:
        return self.find("objects", path, path.rpartition("/")[0]) if "objects" in self._rows else None

    def _folders(self) -> list[str]:
        return self.parents("objects") if "objects" in self._rows else []
