"""Jobs, pipelines, endpoints and experiments in the form in which bundles write them, so that one reader serves both."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.bundle.references import Resolver
from lakewarden.sources.repository.bundle.variables import Kind, Problem
from lakewarden.sources.repository.bundle.variables import Value as BundleValue
from lakewarden.sources.repository.terraform.values import Unknown, is_plain, to_text
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.terraform.sections import Section
    from lakewarden.sources.repository.terraform.values import Value

#: Blocks that may stand several times, with the name of their list.
_LISTS = {
    "task": "tasks",
    "job_cluster": "job_clusters",
    "environment": "environments",
    "parameter": "parameters",
    "library": "libraries",
    "depends_on": "depends_on",
    "served_entities": "served_entities",
    "served_models": "served_models",
    "routes": "routes",
    "tags": "tags",
}
_RENAMED = {"git_source": {"branch": "git_branch", "tag": "git_tag", "commit": "git_commit", "url": "git_url"}}
#: The list that is incomplete where blocks of a name cannot be told.
_TABLES = {"task": "tasks", "library": "task_libraries", "parameter": "job_params", "depends_on": "task_upstream"}
#: Attributes that name code in the workspace, which Terraform may have put there.
_CODE = frozenset({"notebook_path", "python_file", "path", "include"})
#: What a job that holds its only task itself says of it.
_OF_TASK = (
    "notebook_task", "spark_python_task", "python_wheel_task", "spark_jar_task", "spark_submit_task", "dbt_task", "pipeline_task",
    "run_job_task", "sql_task", "new_cluster", "existing_cluster_id", "libraries", "max_retries", "environment_key",
)  # fmt: skip
_MAX_DEPTH = 40


class Lost(NamedTuple):
    """Blocks that cannot be told: the table that lacks their rows, the task that they are of, and why."""

    table: str
    task: str | None
    why: Unknown
    origin: Origin


class Unsettled(Scalar):
    """A value that is not known."""

    __slots__ = ("problem",)

    def __init__(self, origin: Origin, problem: Problem) -> None:
        super().__init__(origin.path or "", origin.line or 1, origin.column or 1, origin.end_line or 1, "${…}", plain=False)
        self.problem = problem


class Settled(Resolver):
    """Resolves nothing: values are worked out before."""

    def __init__(self) -> None:
        super().__init__(Map("", 1, 1, 1), "", None, None)

    def scalar(self, node: Scalar) -> BundleValue:
        """The text of a node."""
        return BundleValue(None, node.problem) if isinstance(node, Unsettled) else BundleValue(node.text)

    def text(self, text: str) -> BundleValue:
        """A text as it is; the places of a bundle are none of Terraform."""
        if text.startswith("${workspace.") and "current_user" not in text:
            return BundleValue(None, Problem(Kind.UNSET, f"{text} has no meaning in Terraform"))
        return BundleValue(text)

    def node(self, node: Node | None) -> tuple[Node | None, Problem | None]:
        """A node as it is."""
        return (None, node.problem) if isinstance(node, Unsettled) else (node, None)

    def place(self, node: Node) -> Node:
        """Where a value is set: where it stands."""
        return node

    def shared(self, node: Node, value: BundleValue) -> bool | None:  # noqa: ARG002 - as its base
        """Is the value the same in all stages? Nobody knows."""
        return None


class Converter:
    """Converts blocks. `uploads` holds the file of the repository behind each path that Terraform puts code at; `made_here`
    names a principal that exists only once Terraform has run.
    """

    def __init__(self, uploads: Mapping[str, str | None], made_here: Callable[[Value], str | None]) -> None:
        self.uploads = uploads
        self.made_here = made_here
        self.lost: list[Lost] = []

    def job(self, section: Section) -> Map:
        """A job; one that holds its only task itself gets it as a task."""
        made = self.block(section, "job", None, 0)
        own = {name: made.items.pop(name) for name in _OF_TASK if name in made.items}
        if "tasks" not in made.items and any(name.endswith("_task") for name in own):
            task = _map(section.origin, own)
            task.items["task_key"] = _scalar("main", section.origin)
            made.items["tasks"] = _list(section.origin, [task])
        return made

    def block(self, section: Section, kind: str, task: str | None, depth: int) -> Map:
        """A block as a map."""
        made = _map(section.origin, {})
        if depth > _MAX_DEPTH:
            return made
        if kind == "task":
            task = to_text(section.value("task_key"))
        renamed = _RENAMED.get(kind, {})
        for name in section.names():
            value = section.value(name)
            origin = section.origin_of(name)
            if value is not None and not _is_blocks(value):
                node = self._uploaded(value, origin) if name in _CODE else None
                if kind == "run_as" and isinstance(value, Unknown) and (principal := self.made_here(value)) is not None:
                    node = _scalar(principal, origin)
                made.items[renamed.get(name, name)] = node or self.node(value, origin, depth + 1)
                continue
            blocks, unknown = section.sections(name)
            if unknown is not None:
                self.lost.append(Lost(_TABLES.get(name, "tasks"), task if name != "task" else None, unknown, section.origin))
            inner = [self.block(block, name, task, depth + 1) for block in blocks]
            if name in _LISTS and kind != "for_each_task":
                if inner:
                    made.items[_LISTS[name]] = _list(inner[0].origin, list(inner))
            elif inner:
                made.items[renamed.get(name, name)] = inner[0]
        return made

    def node(self, value: Value, origin: Origin, depth: int = 0) -> Node:
        """A value as a node."""
        if isinstance(value, Unknown) or not is_plain(value) or depth > _MAX_DEPTH:
            why = value if isinstance(value, Unknown) else Unknown("a whole resource stands where a value is expected")
            return Unsettled(origin, Problem(Kind.DEPLOYMENT if why.later else Kind.UNSET, why.reason, why.remedy))
        if isinstance(value, dict):
            return _map(origin, {key: self.node(item, origin, depth + 1) for key, item in value.items()})
        if isinstance(value, list):
            return _list(origin, [self.node(item, origin, depth + 1) for item in value])
        return _scalar(to_text(value), origin, plain=not isinstance(value, str))

    def _uploaded(self, value: Value, origin: Origin) -> Node | None:
        """Code that Terraform puts into the workspace, named by its file; None for any other."""
        text = to_text(value)
        if text is None or text not in self.uploads:
            return None
        file = self.uploads[text]
        if file is None:
            return Unsettled(origin, Problem(Kind.UNSET, f"{text} is put there from no file of the repository"))
        return _scalar(posixpath.relpath(file, posixpath.dirname(origin.path or "") or "."), origin)


def _is_blocks(value: Value) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _map(origin: Origin, items: dict[str, Node]) -> Map:
    return Map(origin.path or "", origin.line or 1, origin.column or 1, origin.end_line or origin.line or 1, items)


def _list(origin: Origin, items: list[Node]) -> List:
    return List(origin.path or "", origin.line or 1, origin.column or 1, origin.end_line or origin.line or 1, items)


def _scalar(text: str | None, origin: Origin, *, plain: bool = False) -> Scalar:
    return Scalar(
        origin.path or "", origin.line or 1, origin.column or 1, origin.end_line or origin.line or 1, text or "",
        plain=plain or text is None,
    )  # fmt: skip
