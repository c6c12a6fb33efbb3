"""Libraries that a task installs, requirement files followed."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from lakewarden.facts.model.workloads import TaskLibrary
from lakewarden.sources.repository.bundle.code import below_root
from lakewarden.sources.repository.bundle.installs import installs_of
from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.places import place_of_code
from lakewarden.sources.repository.bundle.requirements import (
    REQUIREMENTS,
    Spec,
    is_path,
    is_pinned,
    names_version,
    of_requirements,
    without_editable,
)
from lakewarden.sources.repository.bundle.variables import Kind, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.sources.repository.bundle.reader import Reader
    from lakewarden.sources.yaml_nodes import Map, Node

_TABLE = "task_libraries"
#: Runtimes that are another one when a new one is there.
_LATEST = re.compile(r"auto:", re.IGNORECASE)


def read_libraries(reader: Reader, task: str, specs: Iterable[Spec]) -> None:
    """Write what a task installs, one row for each library or line of requirements."""
    seen: set[str] = set()
    for at, spec in enumerate(specs):
        key = f"{task}/?{at}" if spec.text is None else f"{task}/{spec.text}"
        if key in seen:
            continue
        seen.add(key)
        reader.facts.add(
            TaskLibrary(
                key=key, project=reader.project, task=task, place=reader.key, target=reader.key, spec=spec.text,
                pinned=spec.pinned, path_place=spec.place, origin=spec.origin,
            )
        )  # fmt: skip


def of_libraries(reader: Reader, node: Node | None, task: str) -> Iterator[Spec]:
    """The entries of `libraries`: pypi, maven, cran, wheels, jars, eggs, requirements."""
    for item in reader.maps(node, _TABLE, parent=task):
        for kind, inner in item.items.items():
            if is_null(inner):
                continue
            if kind in ("pypi", "maven", "cran"):
                whole = reader.map(inner, _TABLE, parent=task)
                name = whole.get("coordinates" if kind == "maven" else "package") if whole is not None else None
                if whole is not None:
                    text = reader.text(name, _TABLE, None)
                    pinned = None if text is None else maven_pinned(text) if kind == "maven" else is_pinned(text)
                    yield Spec(text, (name or inner).origin, pinned, "index")
            elif kind in ("whl", "jar", "egg"):
                yield _of_path(reader, inner, reader.text(inner, _TABLE))
            elif kind == "requirements":
                yield from _of_file(reader, inner, reader.text(inner, _TABLE), task)
            else:
                _tell(reader, inner, task, f"{kind} is no kind of library that is known here")


def of_dependencies(reader: Reader, node: Node | None, task: str) -> Iterator[Spec]:
    """The entries of `dependencies`: requirement lines, paths of wheels, and `-r` with a file of them."""
    for item in reader.items(node, _TABLE, parent=task):
        if is_null(item):
            continue
        text = reader.text(item, _TABLE, None)
        text = None if text is None else without_editable(text)
        file = REQUIREMENTS.fullmatch(text.strip()) if text is not None else None
        if file is not None:
            yield from _of_file(reader, item, file[1], task)
        elif text is not None and is_path(text):
            yield _of_path(reader, item, text)
        elif text is None or not text.strip().startswith("-"):
            yield Spec(text, item.origin, None if text is None else is_pinned(text), "index")


def of_cluster(reader: Reader, cluster: Map | None) -> Iterator[Spec]:
    """The runtime of a cluster, where that is whatever is the newest."""
    version = cluster.get("spark_version") if cluster is not None else None
    if version is None or is_null(version):
        return
    text = reader.text(version, _TABLE, None)
    if text is None or _LATEST.match(text):
        yield Spec(None if text is None else f"runtime {text}", version.origin, None if text is None else False, "index")


def of_notebook(reader: Reader, path: str | None, task: str) -> Iterator[Spec]:
    """What the notebook of a task installs by `%pip install`."""
    if path is None or not path.endswith((".py", ".ipynb")):
        return
    known = reader.context.layout.documents.installs
    if path not in known:
        known[path] = installs_of(reader.context.tree, path)
    for install in known[path]:
        text = install.text
        if install.file is not None:
            if text is not None and not text.startswith(("/", "~")):
                yield from of_requirements(reader, posixpath.join(posixpath.dirname(path), text), install.origin, task)
        elif text is not None and is_path(text):
            yield Spec(text, install.origin, names_version(text), "deployed" if text.startswith(".") else place_of_code(text))
        else:
            if text is None:
                reader.gap(_TABLE, Problem(Kind.RUN, "what %pip installs is known when the notebook runs"), install.origin)
            yield Spec(text, install.origin, None if text is None else is_pinned(text), "index")


def maven_pinned(coordinates: str) -> bool:
    """Do the coordinates of a package name exactly one version?"""
    version = coordinates.split(":")[2:]
    return bool(version) and not re.search(r"[\[\](),+]|latest|release|snapshot", version[-1], re.IGNORECASE)


def _of_path(reader: Reader, node: Node, text: str | None) -> Spec:
    if text is None:
        return Spec(None, node.origin, None, None)
    pinned = names_version(text)
    absolute = text.startswith(("/", "~", "${")) or ":" in text.partition("/")[0]
    place = "deployed" if not absolute or below_root(reader, text) is not None else place_of_code(text)
    if place is None:
        reader.gap(_TABLE, Problem(Kind.DEPLOYMENT, f"{text} is in the folder of whoever deploys"), node.origin)
    return Spec(text, node.origin, pinned, place)


def _of_file(reader: Reader, node: Node, text: str | None, task: str) -> Iterator[Spec]:
    """The lines of a file of requirements, and of those that it names."""
    if text is None:
        _tell(reader, node, task, "the file of requirements is not known")
        return
    below = below_root(reader, text)
    if below is None and (text.startswith(("/", "~", "${")) or ":" in text.partition("/")[0]):
        _tell(reader, node, task, f"{text} is outside the repository")
        return
    starts = [reader.bundle.folder, posixpath.dirname(node.path)]
    if below is None and not reader.exact:
        starts.reverse()
    paths = [posixpath.join(start, text if below is None else below) for start in starts]
    start = next((path for path in paths if reader.context.tree.exists(posixpath.normpath(path))), paths[0])
    yield from of_requirements(reader, start, node.origin, task)


def _tell(reader: Reader, node: Node, task: str, reason: str) -> None:
    reader.gap(_TABLE, Problem(Kind.BROKEN, reason), node.origin, parent=task, value=False)
