"""What a deployed task installs, as far as its job says: libraries, its environment, the newest runtime."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.workloads import TaskLibrary
from lakewarden.sources.platform.databricks.bundles import is_deployed
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.repository.bundle.libraries import maven_pinned
from lakewarden.sources.repository.bundle.places import place_of_code
from lakewarden.sources.repository.bundle.requirements import REQUIREMENTS, is_path, is_pinned, names_version, without_editable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.databricks.bundles import Metadata
    from lakewarden.sources.platform.estate import Estate

_LATEST = re.compile(r"auto:", re.IGNORECASE)
_PACKAGES = {"pypi": "package", "cran": "package", "maven": "coordinates"}
_FILES = ("whl", "jar", "egg")


def write_libraries(
    estate: Estate,
    task: str,
    said: dict[str, Any],
    settings: dict[str, Any],
    bundle: Metadata | None,
    project: str | None,
    origin: Origin,
) -> None:
    """Write what a task installs. Raises a SourceError, after the rest was written, where something else is installed."""
    unseen: list[str] = []
    for spec, pinned, place in dict.fromkeys(_specs(said, settings, bundle, unseen)):
        estate.facts.add(
            TaskLibrary(
                key=f"{task}/{spec}", plane=DEPLOYED, project=project, origin=origin, task=task, place=estate.workspace,
                spec=spec, pinned=pinned, path_place=place,
            )
        )  # fmt: skip
    if unseen:
        raise SourceError(Cause.UNRESOLVED.value, f"{task} {unseen[0]}", "name the packages in the job, each with its version")


def _specs(
    said: dict[str, Any], settings: dict[str, Any], bundle: Metadata | None, unseen: list[str]
) -> Iterator[tuple[str, bool, str]]:
    for library in said.get("libraries") or ():
        yield from _library(library, bundle, unseen)
    cluster = said.get("new_cluster") or _named(settings, "job_clusters", "job_cluster_key", said).get("new_cluster")
    version = str((cluster or {}).get("spark_version") or "")
    if _LATEST.match(version):
        yield f"runtime {version}", False, "index"
    if said.get("existing_cluster_id"):
        unseen.append(f"runs on cluster {said['existing_cluster_id']}, and what is installed there is not read")
    spec = _named(settings, "environments", "environment_key", said).get("spec") or {}
    for line in spec.get("dependencies") or ():
        yield from _requirement(str(line), bundle, unseen)
    if spec.get("base_environment"):
        unseen.append(f"starts from the environment {spec['base_environment']}, which is not read")


def _named(settings: dict[str, Any], field: str, by: str, said: dict[str, Any]) -> dict[str, Any]:
    """The entry of a list of the job that a task names."""
    name = said.get(by)
    return next((one for one in settings.get(field) or () if name is not None and one.get(by) == name), {})


def _library(library: dict[str, Any], bundle: Metadata | None, unseen: list[str]) -> Iterator[tuple[str, bool, str]]:
    for kind, inner in library.items():
        if kind in _PACKAGES and isinstance(inner, dict):
            text = str(inner.get(_PACKAGES[kind]))
            yield text, maven_pinned(text) if kind == "maven" else is_pinned(text), "index"
        elif kind in _FILES:
            yield _file(str(inner), bundle)
        elif kind == "requirements":
            unseen.append(f"installs what {inner} lists, which is not read")
        else:
            unseen.append(f"has a library of the kind {kind}, which is not known here")


def _requirement(line: str, bundle: Metadata | None, unseen: list[str]) -> Iterator[tuple[str, bool, str]]:
    text = without_editable(line)
    if REQUIREMENTS.fullmatch(text.strip()) is not None:
        unseen.append(f"installs what {text} lists, which is not read")
    elif is_path(text):
        yield _file(text, bundle)
    elif not text.strip().startswith("-"):
        yield text, is_pinned(text), "index"


def _file(path: str, bundle: Metadata | None) -> tuple[str, bool, str]:
    return path, names_version(path), "deployed" if is_deployed(path, bundle) else place_of_code(path) or "workspace"
