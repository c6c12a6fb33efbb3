"""Which files are pipelines of Azure Pipelines, and which are templates."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.sources.repository.ci.azure.parameters import declarations
from lakewarden.sources.repository.ci.workflow import HOLE
from lakewarden.sources.yaml_nodes import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.repository.layout import Documents
    from lakewarden.sources.tree import Tree
    from lakewarden.sources.yaml_nodes import Node

_CONTENT = re.compile(rb"^(?:\xef\xbb\xbf)?(?:stages|jobs|steps|extends)[ \t]*:", re.MULTILINE)
_CERTAIN = re.compile(rb"^(?:trigger|pr|schedules|pool)[ \t]*:", re.MULTILINE)
_OTHERS = re.compile(r"(?:^|/)(?:\.github|\.gitlab|\.circleci|\.buildkite)/|(?:^|/)(?:databricks|action|\.gitlab-ci)\.ya?ml$")
_OWN_NAME = re.compile(
    r"(?:^|/)(?:\.?azure[-_]?pipelines?[^/]*|\.vsts-ci[^/]*)\.ya?ml$|(?:^|/)\.(?:azure|azuredevops|azdo|ado)[^/]*/", re.IGNORECASE
)

_LIKELY_NAME = re.compile(r"pipeline|devops|(?:^|[/_.-])(?:ci|cd|cicd|build|deploy|release)(?:[/_.-]|$)", re.IGNORECASE)

#: Keys that files of other systems have, and no pipeline.
_FOREIGN = frozenset(
    {"on", "true", "runs", "kind", "apiVersion", "bundle", "targets", "image", "services", "workflow", "default"}
)
_STEPS = frozenset(
    {"script", "bash", "pwsh", "powershell", "task", "template", "checkout", "download", "publish", "downloadBuild", "getPackage"}
)
_ITEMS = {"stages": frozenset({"stage", "template"}), "jobs": frozenset({"job", "deployment", "template"}), "steps": _STEPS}
_PIPELINE = frozenset({"trigger", "pr", "schedules", "resources", "pool", "name", "extends", "lockBehavior"})


class Files(NamedTuple):
    """The pipelines of a tree, the templates that none of them uses, and the pipelines that cannot be read."""

    pipelines: dict[str, Map]
    orphans: dict[str, Map]
    broken: dict[str, SourceError]


def find(tree: Tree, documents: Documents) -> Files:
    """Look through the YAML files of a tree."""
    roots: dict[str, Map] = {}
    broken: dict[str, SourceError] = {}
    for path, _ in tree.files:
        if not path.endswith((".yml", ".yaml")) or _OTHERS.search(path):
            continue
        try:
            data = tree.read(path)
        except SourceError as problem:
            if _OWN_NAME.search(path) or _LIKELY_NAME.search(path):
                broken[path] = problem
            continue
        data = _as_utf8(data)
        if not _CONTENT.search(data):
            continue
        try:
            root = documents.load(path).root
        except SourceError as problem:
            if _CERTAIN.search(data) or _OWN_NAME.search(path):
                broken[path] = problem
            continue
        if isinstance(root, Map) and is_azure(root):
            roots[path] = root
    used = _used(roots)
    pipelines = {path: root for path, root in roots.items() if _is_pipeline(path, root, used)}
    orphans = {path: root for path, root in roots.items() if path not in pipelines and not used(path)}
    return Files(pipelines, orphans, {path: problem for path, problem in broken.items() if not used(path)})


def _as_utf8(data: bytes) -> bytes:
    """The text of a file in UTF-16, which editors on Windows write, in UTF-8: to look for words that tell what it is."""
    return data.decode("utf-16", "replace").encode() if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data


def is_azure(root: Map) -> bool:
    """Does the top of a file look like a pipeline, or a template of one?"""
    if not _FOREIGN.isdisjoint(root.items):
        return False
    extends = root.get("extends")
    if isinstance(extends, Map):
        return "template" in extends.items
    for key, names in _ITEMS.items():
        held = root.get(key)
        if isinstance(held, List):
            return any(_is_item(item, names) for item in held.items)
    return False


def _is_item(item: Node, names: frozenset[str]) -> bool:
    if isinstance(item, Scalar):
        return item.text.startswith("${{")
    if not isinstance(item, Map):
        return False
    return not names.isdisjoint(item.items) or any(key.startswith("${{") for key in item.items)


def _is_pipeline(path: str, root: Map, used: _Used) -> bool:
    if not {"trigger", "pr", "schedules"}.isdisjoint(root.items):
        return True
    if used(path) or any(default is None for _, _, default in declarations(root.get("parameters"))):
        return False
    if not _PIPELINE.isdisjoint(root.items):
        return True
    if "template" in path.lower():
        return False
    own_name = _OWN_NAME.search(path) is not None
    if "parameters" in root.items:
        return own_name
    return own_name or "variables" in root.items or "stages" in root.items


class _Used:
    """Is a file used as a template?"""

    def __init__(self, paths: set[str], patterns: list[re.Pattern[str]]) -> None:
        self.paths = paths
        self.patterns = patterns

    def __call__(self, path: str) -> bool:
        return path in self.paths or any(pattern.fullmatch(path) for pattern in self.patterns)


def _used(roots: dict[str, Map]) -> _Used:
    paths: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    for path, root in roots.items():
        for wanted in _templates(root):
            if "${{" in wanted:
                stem, problem = template_path(re.sub(r"\$\{\{.*?\}\}", "*", wanted), path)
                if problem is None and stem != path:
                    patterns.append(re.compile(re.escape(stem).replace(r"\*", "[^/]*")))
            else:
                found, problem = template_path(wanted, path)
                if problem is None and found != path:
                    paths.add(found)
    return _Used(paths, patterns)


def _templates(root: Map) -> Iterator[str]:
    """The templates that a file names."""
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Map):
            name = node.get("template")
            if isinstance(name, Scalar):
                yield name.text
            waiting += node.items.values()
        elif isinstance(node, List):
            waiting += node.items


def template_path(wanted: str, path: str) -> tuple[str, tuple[str, str, str] | None]:
    """The path of a template that a file names, and why it cannot be read, if that shows."""
    name, at, repository = wanted.partition("@")
    if HOLE in wanted or "$(" in wanted or not name:
        shown = wanted.replace(HOLE, "…")
        return "", ("unresolved", f"the template {shown!r} is known only when the pipeline runs", "name the template by its path")
    if at and repository.strip() != "self":
        reason = f"the template {name!r} is in another repository, {repository.strip()!r}"
        return "", ("not-asked", reason, "check that repository too")
    name = name.replace("\\", "/")
    place = name.lstrip("/") if name.startswith("/") else posixpath.join(posixpath.dirname(path), name)
    return posixpath.normpath(place), None
