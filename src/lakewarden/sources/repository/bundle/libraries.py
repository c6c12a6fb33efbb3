"""Libraries that a task installs, requirement files followed."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.workloads import TaskLibrary
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.bundle.code import below_root
from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.places import place_of_code
from lakewarden.sources.repository.bundle.variables import Kind, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.sources.repository.bundle.reader import Reader
    from lakewarden.sources.yaml_nodes import Node

_TABLE = "task_libraries"
_REQUIREMENTS = re.compile(r"(?:-r|--requirement)(?:\s+|=)?(\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)")
_EXACT = re.compile(r"(?<![=!<>~])===?\s*[^\s*,;]+(?:\s*$|\s*;|\s+--hash|\s*\\)")
_DIGEST = re.compile(r"--hash[= ]|#(?:sha256|md5)=|@[0-9a-f]{40}\b|@v?\d+\.\d+[\w.]*(?:#|$)")
_WHEEL = re.compile(r"[\w.]+-\d[\w.!+]*(?:-[\w.]+)*-[\w.]+-[\w.]+-[\w.]+\.whl$")
_VERSIONED = re.compile(r"[-_]v?\d+(?:\.\d+)+[\w.+-]*\.(?:jar|egg|whl|tar\.gz|zip)$")
_URL = re.compile(r"(?:[\w.-]+(?:\[[^\]]*\])?\s*@\s*)?(?:git\+)?(?:https?|ssh)://", re.IGNORECASE)


class Spec(NamedTuple):
    """What one entry installs: its text, place, whether it is pinned, and where it lies."""

    text: str | None
    origin: Origin | None
    pinned: bool | None
    place: str | None


def read_libraries(reader: Reader, task: str, specs: Iterable[Spec]) -> None:
    """Write what a task installs, one row for each library or line of requirements."""
    for at, spec in enumerate(specs):
        reader.facts.add(
            TaskLibrary(
                key=f"{task}/{at}", project=reader.project, task=task, place=reader.key, target=reader.key, spec=spec.text,
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
                    pinned = None if text is None else _maven_pinned(text) if kind == "maven" else is_pinned(text)
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
        text = None if text is None else _without_editable(text)
        file = _REQUIREMENTS.fullmatch(text.strip()) if text is not None else None
        if file is not None:
            yield from _of_file(reader, item, file[1], task)
        elif text is not None and _is_path(text):
            yield _of_path(reader, item, text)
        elif text is None or not text.strip().startswith("-"):
            yield Spec(text, item.origin, None if text is None else is_pinned(text), "index")


def is_pinned(requirement: str) -> bool:
    """Does a requirement name exactly one build?"""
    text = requirement.split(" #", maxsplit=1)[0].strip()
    if _URL.match(text):
        return _DIGEST.search(text) is not None or _WHEEL.search(text) is not None
    return _EXACT.search(text) is not None or _DIGEST.search(text) is not None


def _maven_pinned(coordinates: str) -> bool:
    version = coordinates.split(":")[2:]
    return bool(version) and not re.search(r"[\[\](),+]|latest|release|snapshot", version[-1], re.IGNORECASE)


def _without_editable(line: str) -> str:
    """What is installed by a line, whether or not it can be edited there."""
    return _EDITABLE.sub("", line.strip())


def _is_path(text: str) -> bool:
    bare = text.strip()
    if _URL.match(bare):
        return False
    return bare.startswith((".", "/", "~", "${", "dbfs:")) or bare.endswith((".whl", ".jar", ".tar.gz", ".zip"))


def _of_path(reader: Reader, node: Node, text: str | None) -> Spec:
    if text is None:
        return Spec(None, node.origin, None, None)
    pinned = "*" not in text and (_WHEEL.search(text) is not None or _VERSIONED.search(text) is not None)
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
    start = (
        posixpath.join(reader.bundle.folder, below) if below is not None else posixpath.join(posixpath.dirname(node.path), text)
    )
    if not reader.context.tree.exists(posixpath.normpath(start)):
        start = posixpath.join(reader.bundle.folder, text)
    todo = [posixpath.normpath(start)]
    seen: set[str] = set()
    while todo:
        path = todo.pop(0)
        if path in seen:
            continue
        seen.add(path)
        try:
            lines = reader.context.tree.text(path).splitlines()
        except SourceError as problem:
            gap = Gap(
                Cause(problem.cause),
                _TABLE,
                problem.reason,
                problem.remedy,
                project=reader.project,
                parent=task,
                origin=node.origin,
            )
            reader.facts.gap(gap)
            continue
        for number, whole in _requirements(lines):
            line = _without_editable(whole)
            file = _REQUIREMENTS.fullmatch(line)
            if file is not None:
                todo.append(posixpath.normpath(posixpath.join(posixpath.dirname(path), file[1].strip())))
            elif not line.startswith("-"):
                place = "deployed" if _is_path(line) else "index"
                yield Spec(line, Origin(path, number, 1, number), is_pinned(line), place)


def _requirements(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Requirement lines with their numbers: comments left out, continued lines joined."""
    whole, first = "", 0
    for number, raw in enumerate(lines, 1):
        line = re.sub(r"(?:^|\s)#.*$", "", raw).strip()
        if not whole:
            first = number
        whole = f"{whole} {line}".strip()
        if whole.endswith("\\"):
            whole = whole[:-1].strip()
            continue
        if whole:
            yield first, whole
        whole = ""
    if whole:
        yield first, whole


def _tell(reader: Reader, node: Node, task: str, reason: str) -> None:
    reader.gap(_TABLE, Problem(Kind.BROKEN, reason), node.origin, parent=task, value=False)
