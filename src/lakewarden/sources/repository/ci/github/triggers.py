"""`on:`: which events start a workflow, for which branches and tags, and what a start by hand asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.github.patterns import admits
from lakewarden.sources.repository.ci.github.scalars import text_of, texts_of
from lakewarden.sources.repository.ci.workflow import DEFAULT_BRANCH
from lakewarden.sources.yaml_nodes import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lakewarden.sources.yaml_nodes import Node

PULL_REQUESTS = frozenset({"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"})
#: The names that events have in facts, where they are not GitHub's own.
_NAMES = {"workflow_dispatch": "manual"}
_ORIGINAL = {"manual": "workflow_dispatch", "tag": "push"}
_USUAL_TYPES = ("opened", "synchronize", "reopened")
_CALL = "workflow_call"


class Filter(NamedTuple):
    """`branches` and `branches-ignore`, or the same for tags; None where the key is not there."""

    only: tuple[str, ...] | None = None
    ignored: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        """Is there any?"""
        return self.only is not None or self.ignored is not None

    def lets(self, name: str) -> bool | None:
        """Does it let a name through? The default branch may be any of the names that it holds."""
        found = admits((self.only if self.only is not None else self.ignored) or (), name)
        if name == DEFAULT_BRANCH and not found and self:
            return None
        return found if self.only is not None or found is None else not found

    @property
    def names(self) -> Iterator[str]:
        """What it mentions."""
        return (name.removeprefix("!") for name in (*(self.only or ()), *(self.ignored or ())))


class Trigger(NamedTuple):
    """One event. `types` are its activities, empty where none are named; `paths` the files of which one has to be changed."""

    event: str
    branches: Filter = Filter()
    tags: Filter = Filter()
    types: tuple[str, ...] = ()
    paths: Filter = Filter()


class Input(NamedTuple):
    """An input of a start by hand, or of a call. `default` is None where there is none."""

    name: str
    kind: str
    default: str | None
    options: tuple[str, ...] = ()


class Triggers(NamedTuple):
    """All of `on:`. `asked` are the inputs of a start by hand, `called` those of a call; None where it cannot be called."""

    by_event: Mapping[str, Trigger]
    asked: tuple[Input, ...] = ()
    called: tuple[Input, ...] | None = None
    schedules: tuple[str, ...] = ()

    @property
    def events(self) -> tuple[str, ...]:
        """The events under the names that they have in facts."""
        found: dict[str, None] = {}
        for trigger in self.by_event.values():
            if trigger.event == "push":
                found.update({name: None for name, there in (("push", _branches(trigger)), ("tag", _tags(trigger))) if there})
            else:
                found[_NAMES.get(trigger.event, trigger.event)] = None
            if merges(trigger):
                found["push"] = None
        return tuple(found)

    def of(self, event: str) -> Trigger | None:
        """The trigger for an event, under whichever name."""
        return self.by_event.get(_ORIGINAL.get(event, event))


def triggers_of(node: Node | None) -> Triggers:
    """Read `on:`."""
    by_event: dict[str, Trigger] = {}
    asked: tuple[Input, ...] = ()
    called: tuple[Input, ...] | None = None
    schedules: tuple[str, ...] = ()
    for event, below in _events(node):
        if event == _CALL:
            called = tuple(_inputs(below))
            continue
        if event == "workflow_dispatch":
            asked = tuple(_inputs(below))
        elif event == "schedule":
            schedules = tuple(_crons(below))
        keys = below if isinstance(below, Map) else None
        by_event[event] = Trigger(
            event,
            Filter(_list(keys, "branches"), _list(keys, "branches-ignore")),
            Filter(_list(keys, "tags"), _list(keys, "tags-ignore")),
            _list(keys, "types") or (),
            Filter(_list(keys, "paths"), _list(keys, "paths-ignore")),
        )
    return Triggers(by_event, asked, called, schedules)


def starts(trigger: Trigger, ref: str, base: str) -> bool | None:
    """Does a trigger start for a ref, or for a pull request into a base?"""
    if trigger.event == "push":
        if ref.startswith("refs/tags/"):
            return _tags(trigger) and trigger.tags.lets(ref.removeprefix("refs/tags/"))
        return _branches(trigger) and trigger.branches.lets(ref.removeprefix("refs/heads/"))
    if trigger.event in PULL_REQUESTS or trigger.event == "merge_group":
        if not trigger.branches:
            return True
        return trigger.branches.lets(base) if base else None
    return True


def starts_for(triggers: Triggers) -> Callable[[str, str], bool | None] | None:
    """Whether an event starts the workflow that changes one file alone; None where no trigger asks for files."""
    if not any(trigger.paths for trigger in triggers.by_event.values()):
        return None

    def answer(event: str, path: str) -> bool | None:
        trigger = triggers.of(event)
        return True if trigger is None or not trigger.paths else trigger.paths.lets(path)

    return answer


def activities(trigger: Trigger) -> tuple[str, ...]:
    """The activities that start it; empty where any may."""
    return trigger.types or (_USUAL_TYPES if trigger.event in ("pull_request", "pull_request_target") else ())


def merges(trigger: Trigger) -> bool:
    """Does a merged pull request start it? Then it runs on the base branch, after the merge."""
    return trigger.event in ("pull_request", "pull_request_target") and "closed" in trigger.types


def _branches(trigger: Trigger) -> bool:
    """May a push of a branch start it?"""
    return bool(trigger.branches) or not trigger.tags


def _tags(trigger: Trigger) -> bool:
    """May a push of a tag start it?"""
    return bool(trigger.tags) or not trigger.branches


def _events(node: Node | None) -> Iterator[tuple[str, Node | None]]:
    if isinstance(node, Scalar) and not node.is_null:
        yield node.text, None
    elif isinstance(node, List):
        for item in node.items:
            yield from _events(item)
    elif isinstance(node, Map):
        yield from node.items.items()


def _list(keys: Map | None, key: str) -> tuple[str, ...] | None:
    node = None if keys is None else keys.get(key)
    return None if node is None or (isinstance(node, Scalar) and node.is_null) else tuple(texts_of(node))


def _crons(node: Node | None) -> Iterator[str]:
    for item in node.items if isinstance(node, List) else ():
        cron = text_of(item.get("cron")) if isinstance(item, Map) else None
        if cron:
            yield cron


def _inputs(node: Node | None) -> Iterator[Input]:
    inputs = node.get("inputs") if isinstance(node, Map) else None
    for name, below in inputs.items.items() if isinstance(inputs, Map) else ():
        keys = below if isinstance(below, Map) else Map("", 0, 0, 0)
        yield Input(
            name.lower(),
            (text_of(keys.get("type")) or "string").lower(),
            text_of(keys.get("default")),
            tuple(texts_of(keys.get("options"))),
        )
