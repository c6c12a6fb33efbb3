"""Jobs, pipelines, endpoints, experiments and models of the workspace registry that Terraform declares."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.sources.repository.bundle.experiments import read_experiments
from lakewarden.sources.repository.bundle.jobs import read_jobs
from lakewarden.sources.repository.bundle.names import Names
from lakewarden.sources.repository.bundle.pipelines import read_pipelines
from lakewarden.sources.repository.bundle.reader import Reader
from lakewarden.sources.repository.bundle.serving import read_models, read_served_entities
from lakewarden.sources.repository.layout import Bundle
from lakewarden.sources.repository.terraform.convert import Converter, Settled
from lakewarden.sources.repository.terraform.principals import made_here
from lakewarden.sources.repository.terraform.values import to_text
from lakewarden.sources.yaml_nodes import Map

if TYPE_CHECKING:
    from lakewarden.sources.repository.terraform.root import Item, Root
    from lakewarden.sources.yaml_nodes import Node

#: Each type of resource with what bundles call it.
_KINDS = {
    "databricks_job": "jobs",
    "databricks_pipeline": "pipelines",
    "databricks_model_serving": "model_serving_endpoints",
    "databricks_mlflow_experiment": "experiments",
    "databricks_mlflow_model": "models",
}
_UPLOADS = ("databricks_notebook", "databricks_workspace_file")
_OF_JOBS = frozenset({"jobs", "pipelines"})


def write_workloads(root: Root) -> None:
    """Write what runs in a workspace, place by place."""
    converter = Converter(_uploads(root), lambda value: made_here(root, value))
    of_place: dict[str, dict[str, dict[str, Node]]] = {}
    for kind, resources in _KINDS.items():
        for item in root.of(kind):
            of_place.setdefault(root.place(item), {}).setdefault(resources, {})[item.address] = _resource(
                root, converter, item, resources
            )
    for place, resources_of in of_place.items():
        config = _map({"resources": _map({kind: _map(items) for kind, items in resources_of.items()})})
        bundle = Bundle(root.path, root.folder, root.project)
        reader = Reader(root.context, root.facts, bundle, place, root.names.get(place) or "", config, Settled(), root.told)
        reader.managed_by = "terraform"
        reader.host = root.hosts.get(place)
        names = Names(reader)
        read_jobs(reader, names)
        read_pipelines(reader, names)
        read_models(reader)
        read_served_entities(reader)
        read_experiments(reader, names)


def _resource(root: Root, converter: Converter, item: Item, resources: str) -> Map:
    """A resource in the form of a bundle; what of its lists cannot be told is a gap under the job or the task."""
    made = converter.job(item.section) if resources == "jobs" else converter.block(item.section, resources, None, 0)
    job = f"{root.place(item)}/{resources}.{item.address}"
    for lost in converter.lost:
        parent = f"{job}/{lost.task}" if lost.task is not None and lost.table == "task_libraries" else job
        where = f"{lost.origin.path}:{lost.origin.line}: "
        if resources in _OF_JOBS:
            root.facts.gap(
                Gap(
                    Cause.UNRESOLVED, lost.table, where + lost.why.reason, lost.why.remedy, project=root.project,
                    parent=parent if lost.table in ("tasks", "job_params") or lost.task is not None else None, origin=lost.origin,
                )
            )  # fmt: skip
        elif resources == "model_serving_endpoints" and lost.table == "tasks":
            root.gap("served_entities", lost.why, lost.origin, value=False)
    converter.lost.clear()
    return made


def _uploads(root: Root) -> dict[str, str | None]:
    """The file of the repository behind each path in the workspace that Terraform puts code at; None for inline code."""
    found: dict[str, str | None] = {}
    tree = root.context.tree
    for kind in _UPLOADS:
        for item in root.of(kind):
            path, source = to_text(item.section.value("path")), to_text(item.section.value("source"))
            if path is None:
                continue
            real = None
            for start in ("", root.folder):
                known = tree.real(posixpath.join(start, source)) if source is not None else None
                if known and tree.exists(known):
                    real = known
            found[path] = real
    return found


def _map(items: dict[str, Node] | dict[str, Map]) -> Map:
    return Map("", 1, 1, 1, dict(items))
