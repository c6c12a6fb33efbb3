"""The code that a task runs: where it is declared to lie, and which file of the repository that is."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.sources.repository.bundle.places import place_of_code
from lakewarden.sources.repository.bundle.reader import NONE, Reader
from lakewarden.sources.repository.bundle.variables import Kind, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.yaml_nodes import Map, Node

_ENDINGS = ("", ".py", ".ipynb", ".sql", ".scala", ".r", ".R")
_NOTEBOOKS = frozenset(_ENDINGS[1:])
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_ENTRY = r"""["']?{name}["']?\s*[:=]\s*["']([\w.]+):\w+"""


class Code(NamedTuple):
    """The code of a task. `path` as declared, `file` the key of the file, `real` its path in the repository, `deployed`
    its path below the bundle's folder.
    """

    path: str | None
    place: str | None
    file: str | None
    real: str | None = None
    deployed: str | None = None


NO_CODE = Code(NONE, NONE, NONE)


def read_code(
    reader: Reader, node: Node | None, table: str, *, from_git: bool | None = False, around: Node | None = None
) -> Code:
    """The code at a path. `around` is the job or pipeline that names it, whose folder counts where a target overrides it."""
    path = reader.text(node, table, None)
    if path is None or node is None:
        return Code(None, None, None)
    if from_git is None:
        return Code(path, None, None)
    if from_git:
        real = _existing(reader, path.lstrip("/"))
        if real is None:
            _tell_missing(reader, node, table, path)
        return Code(path, "git", _key(reader, real), real, path)
    below = below_root(reader, path)
    if below is not None:
        inside = posixpath.join(reader.bundle.folder, below)
        real = _existing(reader, inside) if below else None
        if real is None:
            _tell_missing(reader, node, table, inside)
        return Code(path, "deployed", _key(reader, real), real, _bare(below))
    if path.startswith(("/", "~", "${")) or re.match(r"[\w+.-]+:", path):
        place = place_of_code(path)
        if place is None:
            reader.gap(table, Problem(Kind.DEPLOYMENT, f"{path} is in the folder of whoever deploys"), node.origin)
        return Code(path, place, NONE if place is not None else None)
    real = next(
        (found for folder in _folders(reader, node, around) if (found := _existing(reader, posixpath.join(folder, path)))), None
    )
    if real is None:
        _tell_missing(reader, node, table, posixpath.normpath(posixpath.join(posixpath.dirname(node.path), path)))
        return Code(path, "deployed", None, None, _bare(path.removeprefix("./")))
    return Code(path, "deployed", _key(reader, real), real, _bare(posixpath.relpath(real, reader.bundle.folder or ".")))


def read_wheel(reader: Reader, block: Map, table: str, origin: Node) -> Code:
    """The code of a wheel that the bundle builds: the module of its entry point, as the project file names it."""
    name = reader.text(block.get("entry_point"), table, None)
    if name is not None:
        for project in _project_files(reader):
            real = _of_entry_point(reader, project, name)
            if real is not None:
                return Code(NONE, NONE, _key(reader, real), real)
        what = f"the module behind entry point {name} is not found in the repository"
        reader.gap(table, Problem(Kind.BROKEN, what, "name it under `scripts` of pyproject.toml"), origin.origin)
    return Code(NONE, NONE, None)


def below_root(reader: Reader, path: str) -> str | None:
    """The part of a path below the folder that the bundle deploys its files to; None for a path elsewhere."""
    bare = path.removeprefix("/Workspace")
    for root in ("${workspace.file_path}", "${workspace.root_path}"):
        text = reader.resolver.text(root).text
        if text is not None:
            prefix = text.removeprefix("/Workspace").rstrip("/")
            if bare == prefix or bare.startswith(f"{prefix}/"):
                rest = bare[len(prefix) :].strip("/")
                return rest if root == "${workspace.file_path}" else rest.removeprefix("files/")
    _, found, rest = bare.partition("/.bundle/")
    return rest.partition("/files/")[2] if found else None


def _folders(reader: Reader, node: Node, around: Node | None) -> Iterator[str]:
    """The folders that a relative path may start from; in resolved configuration the tool has rewritten most of them."""
    if reader.exact:
        yield reader.bundle.folder
    yield posixpath.dirname(node.path)
    if around is not None:
        yield posixpath.dirname(around.path)
    if not reader.exact:
        yield reader.bundle.folder


def _existing(reader: Reader, path: str) -> str | None:
    """The file at a path; a notebook may be named without its ending."""
    tree = reader.context.tree
    path = posixpath.normpath(path)
    for ending in _ENDINGS:
        real = tree.real(path + ending)
        if real and tree.exists(real) and not tree.is_dir(real):
            return real
    return None


def _key(reader: Reader, real: str | None) -> str | None:
    return None if real is None else f"{reader.context.layout.project_of(real)}/{real}"


def _bare(path: str) -> str:
    stem, ending = posixpath.splitext(path)
    return stem if ending in _NOTEBOOKS else path


def _tell_missing(reader: Reader, node: Node, table: str, path: str) -> None:
    """Code that is deployed with the bundle and that nobody sees: whatever it does is not known."""
    tree = reader.context.tree
    if any(sign in path for sign in "*?[") or tree.is_dir(path):
        return
    left_out = next((kind for ending in _ENDINGS if (kind := tree.left_out.get(path + ending)) is not None), None)
    what = f"{path} is not in the repository" if left_out is None else f"{path} is not read ({left_out})"
    problem = Problem(Kind.BROKEN, what, "add the file, or mend the path")
    reader.gap(table, problem, node.origin)
    reader.gap("files", problem, node.origin, value=False)


def _project_files(reader: Reader) -> list[str]:
    """The files that describe Python projects: those of the bundle, those nearest to its folder first, then the root's."""
    folder = f"{reader.bundle.folder}/" if reader.bundle.folder else ""
    of_bundle = [path for path in reader.context.layout.documents.named(_PROJECT_FILES) if path.startswith(folder)]
    root = [name for name in _PROJECT_FILES if folder and reader.context.tree.exists(name)]
    return sorted(of_bundle, key=lambda path: (path.count("/"), path)) + root


def _of_entry_point(reader: Reader, project: str, name: str) -> str | None:
    tree = reader.context.tree
    folder = posixpath.dirname(project)
    try:
        text = tree.text(project)
    except SourceError:
        return None  # whoever reads code says so
    found = re.search(_ENTRY.format(name=re.sub(r"[-_]", "[-_]", re.escape(name).replace("\\-", "-"))), text)
    if found is None:
        return None
    module = found[1].replace(".", "/")
    candidates = (posixpath.join(folder, base, module + end) for base in ("src", "") for end in (".py", "/__init__.py"))
    return next((real for path in candidates if (real := tree.real(path)) and tree.exists(real)), None)
