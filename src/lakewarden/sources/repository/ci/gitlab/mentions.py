"""Which refs and target branches a pipeline of GitLab CI speaks of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.gitlab.expressions import Pattern, Text, Variable, compared, parse, pattern_of
from lakewarden.sources.repository.ci.gitlab.patterns import samples
from lakewarden.sources.repository.ci.gitlab.rules import flat, text_of
from lakewarden.sources.repository.ci.gitlab.scripts import value_of
from lakewarden.sources.repository.ci.workflow import DEFAULT_BRANCH
from lakewarden.sources.yaml_nodes import Map

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lakewarden.sources.repository.ci.gitlab.expressions import Atom
    from lakewarden.sources.repository.ci.gitlab.jobs import Pipeline
    from lakewarden.sources.yaml_nodes import Node

_KINDS = {
    "CI_COMMIT_BRANCH": ("branch",),
    "CI_COMMIT_REF_NAME": ("branch", "tag"),
    "CI_COMMIT_REF_SLUG": ("branch", "tag"),
    "CI_COMMIT_TAG": ("tag",),
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": ("base",),
}
_VERSION = re.compile(r"v?\d|release-\d", re.IGNORECASE)


class Mentions:
    """Gathers what is mentioned. `texts` is true once a condition speaks of schedules."""

    def __init__(self) -> None:
        self.refs: dict[str, None] = {}
        self.bases: dict[str, None] = {}
        self.schedules = False

    def add(self, pipeline: Pipeline) -> None:
        """Gather from a pipeline, and from those that its jobs start."""
        config = pipeline.config
        top = config.items.get("variables")
        variables = top.items if isinstance(top, Map) else {}
        workflow = config.items.get("workflow")
        self._rules(workflow.get("rules") if isinstance(workflow, Map) else None, variables)
        for rules in config.rules.values():
            for node in rules:
                self._rules(node, variables)
        if config.workflow.startswith("Workflows/MergeRequest"):
            self.refs[f"refs/heads/{DEFAULT_BRANCH}"] = None
        for name in pipeline.jobs.names():
            job = pipeline.jobs.job(name)
            known = pipeline.jobs.variables(job)
            self._rules(job.get("rules"), known)
            for key in ("only", "except"):
                self._only(job.get(key), known)
            child = pipeline.child(job, name, {})
            if child is not None:
                self.add(child)

    def _rules(self, node: Node | None, variables: Mapping[str, Node]) -> None:
        for rule in flat(node):
            if isinstance(rule, Map):
                self._condition(text_of(rule.get("if")), variables)

    def _only(self, node: Node | None, variables: Mapping[str, Node]) -> None:
        refs = node.get("refs") if isinstance(node, Map) else node
        for item in flat(refs):
            told = text_of(item)
            self.schedules |= told == "schedules"
            pattern = pattern_of(told)
            names = samples(pattern.source, pattern.flags) if pattern is not None else (told.partition("@")[0],)
            self._names(("branch", "tag"), [name for name in names if name not in _WORDS])
        if isinstance(node, Map):
            for item in flat(node.get("variables")):
                self._condition(text_of(item), variables)

    def _condition(self, source: str, variables: Mapping[str, Node]) -> None:
        for comparison in compared(parse(source)):
            for one, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
                if isinstance(one, Variable) and one.name in _KINDS:
                    self._names(_KINDS[one.name], list(_told(other, variables)))
                if isinstance(one, Variable) and one.name == "CI_PIPELINE_SOURCE":
                    self.schedules |= any("schedule" in text for text in _told(other, variables))

    def _names(self, kinds: Iterable[str], names: list[str]) -> None:
        several = len(tuple(kinds)) > 1
        for name in filter(None, names):
            for kind in kinds:
                if kind == "base":
                    self.bases[name] = None
                elif kind == "branch":
                    self.refs[f"refs/heads/{name}"] = None
                elif not several or _VERSION.match(name):
                    self.refs[f"refs/tags/{name}"] = None


_WORDS = frozenset(
    {
        "branches", "tags", "merge_requests", "pushes", "web", "api", "schedules", "triggers", "pipelines", "chat", "external",
        "external_pull_requests",
    }
)  # fmt: skip


def _told(atom: Atom, variables: Mapping[str, Node]) -> Iterator[str]:
    """The names that one side of a comparison stands for."""
    if isinstance(atom, Pattern):
        yield from samples(atom.source, atom.flags)
    elif isinstance(atom, Text):
        if atom.value is not None:
            yield atom.value
    elif atom.name == "CI_DEFAULT_BRANCH":
        yield DEFAULT_BRANCH
    elif atom.name in variables:
        node = variables[atom.name]
        text = value_of(node)
        pattern = pattern_of(text)
        yield from samples(pattern.source, pattern.flags) if pattern is not None else [text] if "$" not in text else []
