"""The pipelines of a target; their libraries stand as tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.bundle.code import Code, read_code
from lakewarden.sources.repository.bundle.libraries import of_dependencies, of_notebook, read_libraries
from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.parameters import map_parameters
from lakewarden.sources.repository.bundle.reader import NONE, Reader
from lakewarden.sources.repository.bundle.tasks import note_launch, write_parameters
from lakewarden.sources.repository.bundle.variables import Kind, Problem
from lakewarden.sources.repository.bundle.workload import write_task, write_workload
from lakewarden.sources.yaml_nodes import Map, Scalar

if TYPE_CHECKING:
    from lakewarden.sources.repository.bundle.names import Names

_CODE = (("notebook", "path"), ("file", "path"), ("glob", "include"))
#: Libraries that are no code of the pipeline.
_WITHOUT_FILE = frozenset({"maven", "jar", "whl", "pypi"})


def read_pipelines(reader: Reader, names: Names) -> None:
    """Write the pipelines of the target with their libraries."""
    for name, pipeline in reader.resources("pipelines"):
        key = f"{reader.key}/pipelines.{name}"
        codes = _libraries(reader, pipeline, key, name, names)
        write_workload(
            reader,
            "pipeline",
            name,
            pipeline,
            codes,
            git_ref_kind=NONE,
            git_ref=NONE,
            development=_development(reader, pipeline),
            is_deployment_job=False,
            max_concurrent_runs=1,
            pause_status=NONE,
        )


def _development(reader: Reader, pipeline: Map) -> bool | None:
    """Is it in development mode: by itself, by the presets, or by the mode of the target?"""
    if not is_null(pipeline.get("development")):
        return reader.flag(pipeline.get("development"), "jobs")
    presets, known = reader.section("presets", "jobs")
    by_mode = reader.development if known == NONE else None
    return reader.flag(presets.get("pipelines_development") if presets is not None else None, "jobs", absent=by_mode)


def _libraries(reader: Reader, pipeline: Map, key: str, name: str, names: Names) -> list[Code]:
    """Write the libraries of a pipeline as tasks; each is launched with the pipeline's configuration."""
    first = len(reader.facts.gaps)
    settings = reader.map(pipeline.get("configuration"), "task_params")
    pointer = f"resources.pipelines.{name}.configuration"
    parameters = list(map_parameters(reader, settings, "task", pointer)) if settings is not None else []
    environment = reader.map(pipeline.get("environment"), "task_libraries")
    dependencies = environment.get("dependencies") if environment is not None else None
    codes = []
    role = "other"
    for at, item in enumerate(reader.maps(pipeline.get("libraries"), "tasks", parent=key)):
        path = _path(reader, item, key)
        if path is None:
            if _WITHOUT_FILE.isdisjoint(item.items):
                reader.gap(
                    "tasks", Problem(Kind.BROKEN, "the code of this library is not known"), item.origin, parent=key, value=False
                )
            continue
        code = read_code(reader, path, "tasks", around=pipeline)
        task = f"{key}/{at}"
        role = write_task(reader, key, task, f"{name}[{at}]", "pipeline_library", code, item, 0)
        write_parameters(reader, task, parameters)
        note_launch(reader, first, code.real, [p._replace(scope="conf") for p in parameters], "PIPELINE")
        read_libraries(reader, task, [*of_dependencies(reader, dependencies, task), *of_notebook(reader, code.real, task)])
        codes.append(code)
    names.parameters(parameters, role)
    return codes


def _path(reader: Reader, item: Map, key: str) -> Scalar | None:
    """The path in `notebook`, `file` or `glob`."""
    for field, inner in _CODE:
        block = reader.map(item.get(field), "tasks", parent=key)
        path = block.get(inner) if block is not None else None
        if isinstance(path, Scalar) and not path.is_null:
            return path
    return None
