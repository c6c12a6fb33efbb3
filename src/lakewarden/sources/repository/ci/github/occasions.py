"""Ways in which a workflow is started, each with what its expressions can read of it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.github.payload import (
    COMMIT,
    HEAD_BRANCH,
    REPOSITORY,
    RUN_BRANCH,
    event_payload,
    pull_request,
)
from lakewarden.sources.repository.ci.github.triggers import PULL_REQUESTS, activities, merges, starts
from lakewarden.sources.repository.ci.github.values import Object, Unknown, Value, anything, number, to_text, unknown_at
from lakewarden.sources.repository.ci.workflow import Situation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lakewarden.sources.repository.ci.github.triggers import Input, Trigger, Triggers

MAX_CHOICES = 48
#: With more choices than this, texts are not tried with their defaults.
MAX_DOUBLED = 4

#: Stands for the folder of the checkout in texts, until the working directory is known.
WORKSPACE = "\ue000"

_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_BOOLEANS: dict[str, Value] = {"true": True, "false": False}


class Occasion:
    """One way to be started. `starts` says whether the triggers let it; `domains` holds all values that a path may have.

    `situation` is the situation that it is, None for a merged pull request, of which a shell sees other variables.
    """

    __slots__ = ("_known", "domains", "event", "github", "inputs", "situation", "starts")

    def __init__(
        self,
        event: str,
        starts: bool | None,
        github: Object,
        inputs: Object | None,
        domains: Mapping[str, tuple[Value, ...]],
        situation: Situation | None,
    ) -> None:
        self.event = event
        self.situation = situation
        self.starts = starts
        self.github = github
        self.inputs = inputs
        self.domains = domains
        self._known: dict[str, Value] = {}

    def at(self, path: str) -> Value:
        """The value at a path of `github` or `inputs`."""
        if path not in self._known:
            root, *keys = path.split(".")
            value: Value = self.github if root == "github" else self.inputs
            for key in keys:
                value = value.get(key) if isinstance(value, Object) else (value if isinstance(value, Unknown) else None)
            self._known[path] = value
        return self._known[path]

    def key(self, paths: Sequence[str]) -> tuple[object, ...]:
        """What tells it from others for texts that put in these paths."""
        return tuple(_tagged(self.at(path)) for path in paths)


class Occasions:
    """The occasions of a workflow. `compared` holds, for each input that is read, the texts that it is compared with."""

    def __init__(
        self, triggers: Triggers, name: str, compared: Mapping[str, Iterable[str]], default_branch: str | None = None
    ) -> None:
        self.triggers = triggers
        self.name = name
        self.default_branch = default_branch
        self._choices = list(_choices(triggers.asked, compared))
        self._known: dict[Situation, tuple[Occasion, ...]] = {}

    def of(self, situation: Situation) -> tuple[Occasion, ...]:
        """The occasions that are one situation."""
        found = self._known.get(situation)
        if found is None:
            found = self._known[situation] = tuple(self._find(situation))
        return found

    def _find(self, situation: Situation) -> Iterator[Occasion]:
        event, ref, base = situation
        if event in ("push", "tag"):
            yield from self._pushes(event, ref)
            return
        trigger = self.triggers.of(event)
        if trigger is None:
            if not self.triggers.by_event:
                yield self._make(event, None, event, ref, base, {}, inputs=Object({}, anything))
            return
        started = starts(trigger, ref, base)
        if event == "manual":
            for inputs in self._choices:
                texts = {key: value if isinstance(value, Unknown) else to_text(value) for key, value in inputs.items()}
                fields: dict[str, Value] = {"inputs": Object(texts, anything)}
                yield self._make(event, started, trigger.event, ref, "", fields, inputs=Object(inputs, anything))
        elif event in PULL_REQUESTS:
            at = f"{_HEADS}{base}" if event == "pull_request_target" and base else ref
            yield self._make(event, started, event, at, base, {"pull_request": pull_request(base, merged=False)}, trigger=trigger)
        elif event == "schedule":
            crons: tuple[Value, ...] = self.triggers.schedules
            for cron in crons or (Unknown(),):
                yield self._make(event, started, event, ref, "", {"schedule": cron})
        else:
            yield self._make(event, started, trigger.event, ref, base, {}, trigger=trigger)

    def _pushes(self, event: str, ref: str) -> Iterator[Occasion]:
        """Pushes, and merges of pull requests, which put the same into the branch."""
        is_tag = ref.startswith(_TAGS)
        if event == "tag" and not is_tag:
            return
        trigger = self.triggers.by_event.get("push")
        if trigger is not None or not self.triggers.by_event:
            started = None if trigger is None else starts(trigger, ref, "")
            # Nothing here calls it: what it is called with is not known.
            called = Object({}, anything) if trigger is None else None
            yield self._make(event, started, "push", ref, "", {}, inputs=called)
        base = ref.removeprefix(_HEADS)
        for merging in self.triggers.by_event.values():
            if merges(merging) and not is_tag:
                fields: dict[str, Value] = {"pull_request": pull_request(base, merged=True), "action": "closed"}
                yield self._make(event, starts(merging, ref, base), merging.event, ref, base, fields)

    def _make(
        self,
        event: str,
        started: bool | None,
        name: str,
        ref: str,
        base: str,
        fields: dict[str, Value],
        *,
        inputs: Object | None = None,
        trigger: Trigger | None = None,
    ) -> Occasion:
        name = {"manual": "workflow_dispatch", "tag": "push"}.get(name, name)
        domains: dict[str, tuple[Value, ...]] = {}
        types = () if trigger is None else activities(trigger)
        if len(types) == 1:
            fields["action"] = types[0]
        elif types:
            domains["github.event.action"] = types
        of_pull_request = name in PULL_REQUESTS
        is_tag = ref.startswith(_TAGS)
        short = ref.removeprefix(_TAGS if is_tag else _HEADS).removeprefix("refs/pull/")
        if name == "workflow_run" and trigger is not None:
            only = trigger.branches.only
            if only and not any(set("*?+[!{$\\") & set(pattern) for pattern in only):
                domains[RUN_BRANCH] = only
        github: dict[str, Value] = {
            "event_name": name,
            "ref": ref,
            "ref_name": short,
            "ref_type": "tag" if is_tag else "branch",
            "base_ref": (base or Unknown(truth=True)) if of_pull_request else "",
            "head_ref": unknown_at(HEAD_BRANCH) if of_pull_request else "",
            "event": event_payload(name, ref, short, fields, self.default_branch),
            "sha": unknown_at(COMMIT),
            "workflow": self.name,
            "repository": unknown_at(REPOSITORY),
            "workspace": Unknown(WORKSPACE, truth=True, name="workspace"),
            "server_url": "https://github.com",
            "api_url": "https://api.github.com",
        }
        situation = None if fields.get("action") == "closed" and event == "push" else Situation(event, ref, base)
        return Occasion(event, started, Object(github, anything), inputs, domains, situation)


def _choices(asked: Sequence[Input], compared: Mapping[str, Iterable[str]]) -> Iterator[dict[str, Value]]:
    """What whoever starts it by hand may fill in.

    Inputs that nothing reads, and too many of them, are left unknown. Of texts that are compared with nothing, all keep their
    defaults or none does.
    """
    values = {one.name: _values(one, list(compared[one.name])) for one in asked if one.name in compared}
    kept = {one.name: one.default for one in asked if not values.get(one.name) and one.name in compared}
    listed = {name: several for name, several in values.items() if several}
    while _count(listed) > MAX_CHOICES:
        # Texts first: what is chosen from a list says more.
        del listed[max(listed, key=lambda name: (isinstance(listed[name][-1], Unknown), len(listed[name])))]
    typed: dict[str, Value] = {one.name: Unknown() for one in asked}
    defaults: dict[str, Value] = {name: Unknown() if default is None else default for name, default in kept.items()}
    for chosen in product(*listed.values()):
        picked = dict(zip(listed, chosen, strict=True))
        if _count(listed) <= MAX_DOUBLED and any(not isinstance(default, Unknown) for default in defaults.values()):
            yield {**typed, **defaults, **picked}
        yield {**typed, **picked}


def _count(listed: Mapping[str, Sequence[Value]]) -> int:
    count = 1
    for several in listed.values():
        count *= len(several)
    return count


def _values(one: Input, compared: Sequence[str]) -> list[Value]:
    """The values that an input may have, the last standing for all others; none for a text that is compared with nothing."""
    if one.kind == "choice" and one.options:
        first = [one.default] if one.default in one.options else []
        return [*first, *(option for option in one.options if option not in first)]
    if one.kind == "boolean":
        return [True, False] if one.default == "true" else [False, True]
    if one.kind == "number":
        return [*([number(one.default)] if one.default else []), Unknown()]
    if not compared:
        return []
    texts = dict.fromkeys([one.default or "", *compared])
    return [*texts, Unknown(truth=None if all(texts) else True, unlike=frozenset(text.lower() for text in texts))]


def _tagged(value: Value) -> object:
    """The value, so that `1` and true differ, and each object is one of its own."""
    return (type(value).__name__, id(value) if isinstance(value, Object) else value)
