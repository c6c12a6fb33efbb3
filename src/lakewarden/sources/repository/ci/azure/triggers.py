"""What starts a pipeline of Azure Pipelines: `trigger`, `pr`, `schedules` and other pipelines."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.ternary import some
from lakewarden.sources.yaml_nodes import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.repository.ci.workflow import Situation
    from lakewarden.sources.yaml_nodes import Node

_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_OFF = frozenset({"none", "false"})


class Filter(NamedTuple):
    """Globs of branches that are let through. An empty `include` means all; `answer` is what holds for those let through."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    answer: bool | None = True

    def lets(self, ref: str) -> bool | None:
        """Is a ref let through?"""
        if any(_matches(glob, ref) for glob in self.exclude):
            return False
        return self.answer if not self.include or any(_matches(glob, ref) for glob in self.include) else False


class Triggers(NamedTuple):
    """What starts a pipeline. None stands for a trigger that the file does not have."""

    push: Filter | None
    tag: Filter | None
    pull_request: Filter | None
    schedules: tuple[Filter, ...]
    pipelines: tuple[Filter, ...]
    batched: bool
    paths: Mapping[str, Filter] = {}

    def starts_for(self, event: str, path: str) -> bool | None:
        """Does an event start it that changes one file alone?"""
        found = self.paths.get(event)
        if found is None:
            return True
        if any(_holds(folder, path) for folder in found.exclude):
            return any(_holds(folder, path) and len(folder) > _longest(found.exclude, path) for folder in found.include)
        return not found.include or any(_holds(folder, path) for folder in found.include)

    @property
    def events(self) -> tuple[str, ...]:
        """The events that may start it. By hand it may always be started."""
        found = {
            "push": self.push, "tag": self.tag, "pull_request": self.pull_request, "manual": True,
            "schedule": self.schedules or None, "workflow_run": self.pipelines or None,
        }  # fmt: skip
        return tuple(event for event, trigger in found.items() if trigger is not None)

    def start(self, situation: Situation) -> bool | None:
        """Does it start in a situation?"""
        event, ref = situation.event, situation.ref
        if event == "manual":
            return True
        if event in ("push", "tag"):
            found = self.tag if ref.startswith(_TAGS) else self.push
            return False if found is None else found.lets(ref)
        if event == "pull_request":
            return False if self.pull_request is None else self.pull_request.lets(_HEADS + situation.base)
        if event == "schedule":
            return some([schedule.lets(ref) for schedule in self.schedules])
        return some([pipeline.lets(ref) for pipeline in self.pipelines]) if event == "workflow_run" else False

    def mentions(self) -> tuple[list[str], list[str]]:
        """The refs and the target branches that the triggers name."""
        filters = [self.push, self.tag, *self.schedules, *self.pipelines]
        globs = [_full(glob) for found in filters if found is not None for glob in (*found.include, *found.exclude)]
        refs = [ref for glob in globs for ref in spoken_of(glob)]
        request = self.pull_request
        bases = [] if request is None else [glob.removeprefix(_HEADS) for glob in (*request.include, *request.exclude)]
        return [ref for ref in refs if ref != _HEADS + "*"], [base for base in bases if base != "*"]


def triggers(root: Map, *, reckons_with_requests: bool, reckons_with_schedules: bool) -> Triggers:
    """What starts the pipeline of a file. Its conditions may reckon with starts that are set up elsewhere."""
    push, tag = _push(root.get("trigger"))
    schedules = [_filter(item.get("branches"), True) for item in _maps(root.get("schedules"))]
    if reckons_with_schedules and not schedules:
        schedules.append(Filter(answer=None))
    trigger = root.get("trigger")
    batch = trigger.get("batch") if isinstance(trigger, Map) else None
    return Triggers(
        push, tag, _pull_request(root.get("pr"), reckons_with_requests), tuple(schedules), tuple(_pipelines(root)),
        isinstance(batch, Scalar) and batch.value is True,
        {event: paths for event, node in (("push", trigger), ("pull_request", root.get("pr"))) if (paths := _paths(node)) is not None},
    )  # fmt: skip


def _paths(node: Node | None) -> Filter | None:
    paths = node.get("paths") if isinstance(node, Map) else None
    return None if paths is None else _filter(paths, True)


def _holds(folder: str, path: str) -> bool:
    """Does a filter of paths, a file, a folder or a glob, hold a file? Without a wildcard it also holds what is below."""
    folder = folder.lstrip("/").rstrip("/")
    if folder in ("", "*", "**"):
        return True
    if "*" in folder or "?" in folder:
        return fnmatchcase(path, folder.replace("[", "[[]")) or fnmatchcase(path, folder.replace("[", "[[]") + "/*")
    return path == folder or path.startswith(f"{folder}/")


def _longest(folders: tuple[str, ...], path: str) -> int:
    return max((len(folder) for folder in folders if _holds(folder, path)), default=0)


def spoken_of(glob: str) -> list[str]:
    """What a glob of refs is taken to speak of: `release*` of `release` and of what is below it, tags of versions."""
    if glob.startswith(_TAGS):
        return [glob if glob == _TAGS + "*" else glob.replace("*", "1")]
    return [glob[:-1], f"{glob[:-1]}/*"] if glob.endswith("*") and glob[-2:-1].isalnum() else [glob]


def _push(node: Node | None) -> tuple[Filter | None, Filter | None]:
    """The branches and the tags whose pushes start it. Without a trigger that is every branch, and no tag."""
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return Filter(), None
    if _is_off(node):
        return None, None
    if not isinstance(node, Map):
        return _split(_filter(node, True))
    branches, tags = node.get("branches"), node.get("tags")
    push, tag = (None, None) if branches is None else _split(_filter(branches, True))
    if tags is not None:
        tag = _filter(tags, True)
        tag = tag._replace(include=tuple(map(_tag, tag.include)), exclude=tuple(map(_tag, tag.exclude)))
    elif branches is None:
        push = Filter(answer=None)  # a filter of paths alone: documented to need branches
    return push, tag


def _split(found: Filter) -> tuple[Filter | None, Filter | None]:
    """Branches may be told with tags among them."""
    tags = tuple(glob for glob in found.include if glob.startswith(_TAGS))
    heads = tuple(glob for glob in found.include if not glob.startswith(_TAGS))
    push = None if tags and not heads else found._replace(include=heads)
    return push, Filter(tags, found.exclude) if tags else None


def _pull_request(node: Node | None, reckons: bool) -> Filter | None:
    """The target branches of pull requests that start it. Azure Repos has policies of branches instead."""
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return Filter(answer=True if reckons else None)
    if _is_off(node):
        return Filter(answer=None) if reckons else None
    return _filter(node.get("branches") if isinstance(node, Map) else node, True)


def _pipelines(root: Map) -> list[Filter]:
    """Other pipelines, and other resources, that start it: which branch is built then is not told by the file."""
    resources = root.get("resources")
    if not isinstance(resources, Map):
        return []
    found = []
    for kind in ("pipelines", "containers", "packages", "webhooks"):
        for item in _maps(resources.get(kind)):
            trigger = item.get("trigger")
            if kind != "webhooks" and (trigger is None or _is_off(trigger)):
                continue
            branches = trigger.get("branches") if isinstance(trigger, Map) else None
            found.append(_filter(branches, None))
    return found


def _filter(node: Node | None, answer: bool | None) -> Filter:
    if isinstance(node, Map):
        return Filter(_globs(node.get("include")), _globs(node.get("exclude")), answer)
    return Filter(_globs(node), (), answer)


def _globs(node: Node | None) -> tuple[str, ...]:
    items = node.items if isinstance(node, List) else [node]
    return tuple(item.text.strip() for item in items if isinstance(item, Scalar) and not item.is_null)


def _is_off(node: Node | None) -> bool:
    """Does it say that nothing starts the pipeline? A list of `none` alone is meant so, too."""
    if isinstance(node, Map):
        branches = node.get("branches")
        return _is_off(branches.get("include") if isinstance(branches, Map) else branches) and "tags" not in node.items
    items = node.items if isinstance(node, List) else [node]
    return len(items) == 1 and isinstance(items[0], Scalar) and items[0].text.strip().lower() in _OFF


def _maps(node: Node | None) -> list[Map]:
    return [item for item in node.items if isinstance(item, Map)] if isinstance(node, List) else []


def _full(glob: str) -> str:
    return glob if glob.startswith("refs/") else _HEADS + glob


def _tag(glob: str) -> str:
    return glob if glob.startswith("refs/") else _TAGS + glob


def _matches(glob: str, ref: str) -> bool:
    return fnmatchcase(ref, _full(glob).replace("[", "[[]"))
