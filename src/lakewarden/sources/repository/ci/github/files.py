"""Workflow files and composite actions of a tree, each read once."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.sources.repository.ci.github.mentions import Mentions, mentions, merged
from lakewarden.sources.repository.ci.github.scalars import text_of, texts_of
from lakewarden.sources.repository.ci.github.triggers import Triggers, triggers_of
from lakewarden.sources.yaml_nodes import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lakewarden.sources.repository.layout import Documents
    from lakewarden.sources.tree import Tree
    from lakewarden.sources.yaml_nodes import Node

_WORKFLOW = re.compile(r"(?:(?P<root>.+)/)?\.github/workflows/[^/]+\.ya?ml")
_ACTION_FILES = ("action.yml", "action.yaml")
_MAX_CALLED = 100


class File(NamedTuple):
    """A workflow file. `root` is the folder above `.github`: what stands in it is checked out. Names of jobs are in lower case."""

    path: str
    root: str
    node: Map
    triggers: Triggers
    jobs: Mapping[str, Map]

    def needs(self, job: str) -> tuple[str, ...]:
        """The jobs that one waits for."""
        node = self.jobs.get(job)
        return () if node is None else tuple(dict.fromkeys(name.lower() for name in texts_of(node.get("needs"))))


class Action(NamedTuple):
    """A composite action: its folder, the defaults of its inputs, its steps."""

    folder: str
    node: Map
    defaults: Mapping[str, Node | None]
    steps: Node | None


class Files:
    """What of a tree GitHub Actions reads."""

    def __init__(self, tree: Tree, documents: Documents) -> None:
        self.tree = tree
        self._documents = documents
        self._files: dict[str, File | None] = {}
        self._actions: dict[str, Action | None] = {}

    def paths(self) -> Iterator[str]:
        """The workflow files, sorted."""
        for path in self._documents.paths:
            if "workflows/" in path and _WORKFLOW.fullmatch(path):
                yield path

    def workflow(self, path: str) -> File | None:
        """A workflow file; None where it holds nothing.

        Raises:
            SourceError: it cannot be read, or is no workflow.
        """
        if path not in self._files:
            self._files[path] = self._load(path)
        return self._files[path]

    def called(self, uses: str, root: str) -> File | None:
        """The workflow of this repository that a job calls; None where it cannot be read."""
        path = _inside(root, uses)
        if path is None or not _WORKFLOW.fullmatch(path) or not self.tree.exists(path):
            return None
        try:
            return self.workflow(path)
        except SourceError:
            return None

    @staticmethod
    def calls(file: File) -> Iterator[str]:
        """The workflows that jobs of a file call."""
        for job in file.jobs.values():
            uses = text_of(job.get("uses"))
            if uses is not None and uses.startswith("./"):
                yield uses.strip()

    def action(self, folder: str) -> Action | None:
        """The composite action in a folder; None where there is none, or one that runs no steps."""
        if folder not in self._actions:
            self._actions[folder] = self._load_action(folder)
        return self._actions[folder]

    def mentions(self, root: str, *nodes: Node | None, conditions: Iterable[Node | None] = ()) -> Mentions:
        """What some nodes mention, and all that they call in this repository."""
        found = [mentions(*nodes, conditions=conditions)]
        waiting = list(_uses(*nodes))
        seen: set[str] = set()
        while waiting and len(seen) < _MAX_CALLED:
            uses = waiting.pop()
            called = None if uses in seen else self._called_node(uses, root)
            seen.add(uses)
            if called is not None:
                below = mentions(called)
                # Inputs of what is called are filled in by the call, whose own texts are among those above.
                found.append(below._replace(texts={path for path in below.texts if not path.startswith("inputs.")}))
                waiting.extend(_uses(called))
        return merged(found)

    def _called_node(self, uses: str, root: str) -> Map | None:
        workflow = self.called(uses, root)
        if workflow is not None:
            return workflow.node
        folder = _inside(root, uses)
        action = None if folder is None else self.action(folder)
        return None if action is None else action.node

    def _load(self, path: str) -> File | None:
        node = self._documents.load(path).root
        found = _WORKFLOW.fullmatch(path)
        if node is None or found is None:
            return None
        jobs = node.get("jobs") if isinstance(node, Map) else None
        if not isinstance(node, Map) or not isinstance(jobs, Map) or node.get("on") is None:
            what = "`on:`" if isinstance(jobs, Map) else "`jobs:`"
            raise SourceError("failed", f"{path}: this is no workflow: it has no {what}", "mend the file, or move it elsewhere")
        named = {name.lower(): job for name, job in jobs.items.items() if isinstance(job, Map)}
        return File(path, found["root"] or "", node, triggers_of(node.get("on")), named)

    def _load_action(self, folder: str) -> Action | None:
        for name in _ACTION_FILES:
            path = posixpath.join(folder, name)
            if not self.tree.exists(path):
                continue
            try:
                node = self._documents.load(path).root
            except SourceError:
                return None
            runs = node.get("runs") if isinstance(node, Map) else None
            if not isinstance(node, Map) or not isinstance(runs, Map) or text_of(runs.get("using")) != "composite":
                return None
            inputs = node.get("inputs")
            defaults = {
                key.lower(): below.get("default") if isinstance(below, Map) else None
                for key, below in (inputs.items.items() if isinstance(inputs, Map) else ())
            }
            return Action(folder, node, defaults, runs.get("steps"))
        return None


def _inside(root: str, uses: str) -> str | None:
    """The path in the tree that a local `uses:` names."""
    if not uses.startswith("./"):
        return None
    path = posixpath.normpath(posixpath.join(root, uses))
    return None if path.startswith("..") else ("" if path == "." else path)


def _uses(*nodes: Node | None) -> Iterator[str]:
    """What is called in the repository itself."""
    waiting = [node for node in nodes if node is not None]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, (Map, List)) or id(node.items) in seen:
            continue
        seen.add(id(node.items))
        if isinstance(node, List):
            waiting.extend(node.items)
            continue
        for key, below in node.items.items():
            if key == "uses" and isinstance(below, Scalar) and below.text.startswith("./"):
                yield below.text.strip()
            else:
                waiting.append(below)
