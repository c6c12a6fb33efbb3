"""When jobs of GitLab CI are part of a pipeline: `rules`, `only`, `except` and `workflow:rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.gitlab.expressions import answer, parse, pattern_of
from lakewarden.sources.repository.ci.gitlab.patterns import matches
from lakewarden.sources.repository.ci.gitlab.situations import Lookup
from lakewarden.sources.repository.ci.gitlab.values import DUNNO, FREE, NO, YES, Answer, both, either, of
from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.repository.ci.workflow import HOLE
from lakewarden.sources.yaml_nodes import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lakewarden.sources.repository.ci.gitlab.situations import Start
    from lakewarden.sources.repository.ci.gitlab.values import Set
    from lakewarden.sources.yaml_nodes import Node

_KEYWORDS = {
    "pushes": ("push",),
    "web": ("web",),
    "api": ("api",),
    "schedules": ("schedule",),
    "triggers": ("trigger",),
    "pipelines": ("pipeline",),
    "chat": ("chat",),
    "external": ("external",),
    "external_pull_requests": ("external_pull_request_event",),
}


class Rule(NamedTuple):
    """One of `rules`. `group` numbers the rules that give a job the same variables and the same way to take failure."""

    condition: str | None
    changes: bool
    compares: bool
    exists: bool | None
    never: bool
    group: int


class Group(NamedTuple):
    """What the rules of a group give: variables, and whether a failure of the job is allowed."""

    variables: Mapping[str, Node]
    allows_failure: Node | None


def read_rules(node: Node | None, exists: Callable[[Node], bool | None]) -> tuple[list[Rule], list[Group]]:
    """The rules of a job, of the pipeline or of an include, and their groups."""
    rules: list[Rule] = []
    groups: list[Group] = []
    for item in flat(node):
        if not isinstance(item, Map):
            rules.append(Rule(HOLE, False, False, True, False, _number(groups, Group({}, None))))
            continue
        condition, changes, files = item.get("if"), item.get("changes"), item.get("exists")
        when = text_of(item.get("when"))
        variables = item.get("variables")
        held = variables.items if isinstance(variables, Map) else {}
        group = _number(groups, Group(held, item.get("allow_failure")))
        compares = isinstance(changes, Map) and "compare_to" in changes.items
        written = None if condition is None else condition.text if isinstance(condition, Scalar) else HOLE
        found = True if files is None else exists(files)
        rules.append(Rule(written, changes is not None, compares, found, when == "never", group))
    return rules, groups


def follow(rules: Iterable[Rule], groups: frozenset[int], start: Start, variables: Mapping[str, Set]) -> bool | None:
    """Can one of the rules of the groups be the first that holds, and let the job in?"""
    found: bool | None = False
    reached: bool | None = True
    for rule in rules:
        holds = _holds(rule, start, variables)
        if not rule.never and rule.group in groups:
            found = some([found, every([reached, holds.true])])
        reached = every([reached, holds.false])
        if reached is False:
            break
    return found


def only_except(job: Map, start: Start, variables: Mapping[str, Set], *, by_default: bool) -> bool | None:
    """Do `only` and `except` let a job in? Without both, branches and tags do, unless `by_default` says that everything does."""
    only, barred = job.get("only"), job.get("except")
    if only is None and barred is None and by_default:
        return True
    if only is None:
        lets = of(not start.is_request)
    elif isinstance(only, Map):
        parts = [_refs(only.get("refs"), start) if "refs" in only.items else of(not start.is_request)]
        parts += _conditions(only, start, variables)
        lets = both(parts)
    else:
        lets = _refs(only, start)
    if barred is None:
        return lets.true
    if isinstance(barred, Map):
        bars = [_refs(barred.get("refs"), start)] if "refs" in barred.items else []
        bars += _conditions(barred, start, variables)
        return every([lets.true, either(bars).false])
    return every([lets.true, _refs(barred, start).false])


def _holds(rule: Rule, start: Start, variables: Mapping[str, Set]) -> Answer:
    parts = [of(rule.exists)]
    if rule.condition is not None:
        parts.append(answer(parse(rule.condition), Lookup(start, variables)))
    if rule.changes:
        parts.append(_changes(start, compares=rule.compares))
    return both(parts)


def _changes(start: Start, *, compares: bool) -> Answer:
    """Whether files changed depends on the commit; without a push or a merge request they count as changed."""
    return FREE if compares or start.situation.event in ("push", "merge_request") else YES


def _conditions(node: Map, start: Start, variables: Mapping[str, Set]) -> list[Answer]:
    found = []
    if "variables" in node.items:
        lookup = Lookup(start, variables)
        found.append(either([answer(parse(text_of(item)), lookup) for item in flat(node.get("variables"))]))
    if "changes" in node.items:
        found.append(_changes(start, compares=False))
    if "kubernetes" in node.items:
        found.append(DUNNO)
    return found


def _refs(node: Node | None, start: Start) -> Answer:
    return either([_ref(text_of(item), start) for item in flat(node)])


def _ref(told: str, start: Start) -> Answer:
    """Does an item of `only` or `except` speak of what is built?"""
    if not told or HOLE in told:
        return DUNNO
    name = start.branch or start.tag
    if told in ("branches", "tags", "merge_requests"):
        return of({"branches": start.branch is not None, "tags": start.tag is not None, "merge_requests": start.is_request}[told])
    if told in _KEYWORDS:
        return of(not start.child and start.source in _KEYWORDS[told])
    if name is None:
        return NO
    pattern = pattern_of(told)
    if pattern is not None:
        return of(matches(pattern.source, pattern.flags, name))
    branch, at, _ = told.partition("@")
    found = of(branch == name)
    return both([found, DUNNO]) if at else found


def flat(node: Node | None, depth: int = 0) -> list[Node]:
    """The items of a list, those of lists in it included; one value is a list of one."""
    if isinstance(node, List):
        return [found for item in node.items for found in flat(item, depth + 1)] if depth < 10 else []  # noqa: PLR2004
    return [] if node is None else [node]


def _number(groups: list[Group], group: Group) -> int:
    for number, known in enumerate(groups):
        if _same(known, group):
            return number
    groups.append(group)
    return len(groups) - 1


def _same(one: Group, other: Group) -> bool:
    if {name: text_of(value) for name, value in one.variables.items()} != {
        name: text_of(value) for name, value in other.variables.items()
    }:
        return False
    return text_of(one.allows_failure).lower() == text_of(other.allows_failure).lower()


def text_of(node: Node | None) -> str:
    """The text of a value; empty where it is none."""
    return node.text if isinstance(node, Scalar) else ""
