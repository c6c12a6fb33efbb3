"""Lines of requirements: files of them, and whether a line names exactly one build."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.repository.bundle.reader import Reader

_TABLE = "task_libraries"
REQUIREMENTS = re.compile(r"(?:-r|--requirement)(?:\s+|=)?(\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)")
_EXACT = re.compile(r"(?<![=!<>~])===?\s*[^\s*,;]+(?:\s*$|\s*;|\s+--hash|\s*\\)")
_DIGEST = re.compile(r"--hash[= ]|#(?:sha256|md5)=|@[0-9a-f]{40}\b|@v?\d+\.\d+[\w.]*(?:#|$)")
_WHEEL = re.compile(r"[\w.]+-\d[\w.!+]*(?:-[\w.]+)*-[\w.]+-[\w.]+-[\w.]+\.whl$")
_VERSIONED = re.compile(r"[-_]v?\d+(?:\.\d+)+[\w.+-]*\.(?:jar|egg|whl|tar\.gz|zip)$")
_URL = re.compile(r"(?:[\w.-]+(?:\[[^\]]*\])?\s*@\s*)?(?:git\+)?(?:https?|ssh)://", re.IGNORECASE)
_CONSTRAINTS = re.compile(r"(?:-c|--constraint)(?:\s+|=)?(\S.*)")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


class Spec(NamedTuple):
    """What one entry installs: its text, place, whether it is pinned, and where it lies."""

    text: str | None
    origin: Origin | None
    pinned: bool | None
    place: str | None


def of_requirements(reader: Reader, start: str, origin: Origin, task: str) -> Iterator[Spec]:
    """The lines of a file of requirements, and of those that it names; a file of constraints pins what it names."""
    todo = [(posixpath.normpath(start), False)]
    seen: set[str] = set()
    found: list[Spec] = []
    constrained: set[str] = set()
    doubtful = False
    while todo:
        path, constrains = todo.pop(0)
        if path in seen:
            continue
        seen.add(path)
        try:
            lines = reader.context.tree.text(path).splitlines()
        except SourceError as problem:
            gap = Gap(Cause(problem.cause), _TABLE, problem.reason, problem.remedy, project=reader.project, origin=origin)
            reader.facts.gap(gap._replace(value=True) if constrains else gap._replace(parent=task))
            doubtful = doubtful or constrains
            continue
        for number, whole in _requirements(lines):
            line = without_editable(whole)
            for pattern, of_constraints in ((REQUIREMENTS, constrains), (_CONSTRAINTS, True)):
                file = pattern.fullmatch(line)
                if file is not None:
                    todo.append((posixpath.normpath(posixpath.join(posixpath.dirname(path), file[1].strip())), of_constraints))
            if line.startswith("-"):
                continue
            if constrains:
                constrained.update(_names(line) if is_pinned(line) else ())
            else:
                place = "deployed" if is_path(line) else "index"
                found.append(Spec(line, Origin(path, number, 1, number), is_pinned(line), place))
    for spec in found:
        by_constraint = spec.place == "index" and _names(spec.text or "") <= constrained
        yield spec._replace(pinned=spec.pinned or by_constraint or (None if doubtful else False))


def is_pinned(requirement: str) -> bool:
    """Does a requirement name exactly one build?"""
    text = requirement.split(" #", maxsplit=1)[0].strip()
    if _URL.match(text):
        return _DIGEST.search(text) is not None or _WHEEL.search(text) is not None
    return _EXACT.search(text) is not None or _DIGEST.search(text) is not None


def without_editable(line: str) -> str:
    """What is installed by a line, whether or not it can be edited there."""
    return _EDITABLE.sub("", line.strip())


def is_path(text: str) -> bool:
    """Is it the path of a package, rather than the name of one?"""
    bare = text.strip()
    if _URL.match(bare):
        return False
    return bare.startswith((".", "/", "~", "${", "dbfs:")) or bare.endswith((".whl", ".jar", ".tar.gz", ".zip"))


def names_version(path: str) -> bool:
    """Does the path of a package say which build it is?"""
    return "*" not in path and (_WHEEL.search(path) is not None or _VERSIONED.search(path) is not None)


def _names(line: str) -> frozenset[str]:
    """The name of the package that a line asks for."""
    found = _NAME.match(line)
    return frozenset({re.sub(r"[-_.]+", "-", found[0]).lower()} if found is not None else {line})


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
