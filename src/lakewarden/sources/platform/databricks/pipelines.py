"""Pipelines; their libraries stand as tasks. Lists leave out the specification, so each is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.model.workloads import Job, Task
from lakewarden.sources.platform.databricks.bundles import Code, code_at, code_of
from lakewarden.sources.platform.databricks.once import attempt
from lakewarden.sources.platform.databricks.task_installs import write_libraries
from lakewarden.sources.platform.databricks.workloads import (
    Workload,
    bundle_of,
    creator_kind,
    explain_run_as,
    managed_by,
    read_ahead,
    require_metadata,
    workload,
)
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, field_of
from lakewarden.sources.platform.wire.errors import Failed
from lakewarden.sources.platform.wire.gather import gather
from lakewarden.sources.repository.bundle.roles import OTHER, role_of_task

if TYPE_CHECKING:
    from lakewarden.errors import SourceError
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.estate import Estate

_PATH = "/api/2.0/pipelines"
_CODE = (("notebook", "path"), ("file", "path"), ("glob", "include"))
_WITHOUT_FILE = ("maven", "jar", "whl", "pypi")
_FAMILY = "pipelines"


def collect(estate: Estate) -> None:
    """List the pipelines of the workspace and ask for each."""
    with estate.facts.listing("jobs", plane=DEPLOYED, of=estate.workspace, origin=estate.at(_PATH)):
        listed = list(estate.api.pages(_PATH, "statuses", {"max_results": 100}, family=_FAMILY))
        numbers = sorted(field_of(row, "pipeline_id", "a pipeline of the list") for row in listed)
        read: list[tuple[str, dict[str, Any]]] = []
        problems: list[SourceError] = []
        for number, answer in gather(lambda number: _ask(estate, number), numbers):
            said = attempt(problems, answer.get)
            if said is not None and said.get("spec"):
                read.append((number, said))
            elif said is not None:
                reason = f"the answer about pipeline {number} has no specification"
                problems.append(Failed(reason, "run again; report it if it stays so"))
        read_ahead(estate, (said.get("spec") or {} for _, said in read))
        for number, said in read:
            _write(estate, number, said)
        if problems:
            raise problems[0]
        estate.rights.require_admin("pipelines")
        require_metadata(estate, "pipeline")


def _ask(estate: Estate, number: str) -> dict[str, Any]:
    return estate.api.get(f"{_PATH}/{number}", family=_FAMILY, right=f"CAN_VIEW on the pipeline {number}")


def _write(estate: Estate, number: str, said: dict[str, Any]) -> None:
    spec: dict[str, Any] = said.get("spec") or {}
    one = workload(estate, "pipeline", number, said.get("name") or spec.get("name"), said, spec)
    origin = estate.at(f"{_PATH}/{number}")
    bundle = bundle_of(estate, one)
    codes: list[Code] = []
    with estate.facts.listing("tasks", plane=DEPLOYED, of=one.key, origin=origin):
        codes = _libraries(estate, one, spec, origin)
    with estate.facts.listing("job_params", plane=DEPLOYED, of=one.key, origin=origin):
        pass  # a pipeline has none
    explain_run_as(estate, one, origin)
    estate.facts.add(
        Job(
            key=one.key,
            plane=DEPLOYED,
            project=None if bundle is None else bundle.name,
            origin=origin,
            place=estate.workspace,
            name=one.name,
            kind="pipeline",
            run_as_kind=one.run_as.kind,
            run_as=one.run_as.name,
            run_as_from="job",
            managed_by=managed_by(estate, one, spec, "jobs", origin),
            creator_kind=creator_kind(estate, one, origin),
            dirty_state="none",
            git_ref_kind="none",
            git_ref="none",
            development=spec.get("development") is True,
            is_deployment_job=False,
            max_concurrent_runs=1,
            code=code_of(codes),
            pause_status="none",
        )
    )


def _libraries(estate: Estate, one: Workload, spec: dict[str, Any], origin: Origin) -> list[Code]:
    bundle = bundle_of(estate, one)
    project = None if bundle is None else bundle.name
    installs = {"environment_key": "pipeline"}
    settings = {"environments": [{"environment_key": "pipeline", "spec": spec.get("environment") or {}}]}
    codes: list[Code] = []
    for at, library in enumerate(spec.get("libraries") or ()):
        path = next((str(library[field][inner]) for field, inner in _CODE if (library.get(field) or {}).get(inner)), None)
        if path is None and any(library.get(field) for field in _WITHOUT_FILE):
            continue
        code = Code(None, None, None) if path is None else code_at(path, bundle)
        key, role = f"{one.key}/{at}", role_of_task((), one.name or "", path)
        estate.facts.add(
            Task(
                key=key,
                plane=DEPLOYED,
                project=project,
                origin=origin,
                job=one.key,
                project_key=project or one.key,
                place=estate.workspace,
                name=f"{one.name}[{at}]",
                kind="pipeline_library",
                role=role if role != "deployment" else OTHER,
                code_path=code.path,
                code_place=code.place,
                file="none",
                max_retries=0,
            )
        )
        codes.append(code)
        with estate.facts.listing("task_libraries", plane=DEPLOYED, of=key, origin=origin):
            write_libraries(estate, key, installs, settings, bundle, project, origin)
        with estate.facts.listing("task_upstream", plane=DEPLOYED, of=key, origin=origin):
            pass  # its libraries run together
    return codes


COLLECTOR = Collector(
    "pipelines",
    frozenset({"jobs", "job_params", "tasks", "task_libraries", "task_upstream"}),
    (
        Need("GET /api/2.0/pipelines", "workspace admin: others are shown the pipelines that they may view"),
        Need("GET /api/2.0/pipelines/{id}", "CAN_VIEW on the pipeline"),
    ),
    collect,
)
