"""Stages and jobs of an expanded pipeline of Azure Pipelines, and which of them can run in a situation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.azure.conditions import DEFAULT, Waits, can_run, required, resolved
from lakewarden.sources.repository.ci.azure.nodes import MAYBE, UNREAD, items_of, static_variables
from lakewarden.sources.repository.ci.azure.steps import flag, read_steps, text_of
from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.repository.ci.workflow import HOLE
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.ci.azure.situations import Told
    from lakewarden.sources.repository.ci.azure.steps import Checkout, Draft, Pairs
    from lakewarden.sources.repository.ci.workflow import Situation, Unread

MAX_MATRIX = 50
_HOOKS = ("preDeploy", "deploy", "routeTraffic", "postRouteTraffic")


class JobDraft(NamedTuple):
    """A job, without what depends on how the pipeline is started."""

    stage: str
    name: str
    variant: str
    origin: Origin
    condition: str
    sure: bool | None
    depends: tuple[str, ...]
    variables: Pairs
    steps: tuple[Draft, ...]
    checkout: Checkout
    environment: str | None
    ignores_failure: bool | None
    unread: tuple[Unread, ...]


class Stage(NamedTuple):
    """A stage with its jobs."""

    name: str
    condition: str
    sure: bool | None
    depends: tuple[str, ...]
    variables: Mapping[str, str]
    jobs: tuple[JobDraft, ...]


def read_stages(root: Map, unread: Mapping[int, Unread]) -> tuple[list[Stage], list[Unread]]:
    """The stages of a pipeline, and what of them could not be read. A pipeline without stages is one stage."""
    missing: list[Unread] = []
    variables = static_variables(items_of(root.get("variables")))
    windows = _on_windows(root, False)
    if "stages" not in root.items:
        return [Stage("", DEFAULT, True, (), variables, _jobs("", root, variables, unread, missing, windows))], missing
    stages: list[Stage] = []
    for node in _maps(root.get("stages"), unread, missing):
        name = text_of(node.get("stage")) or f"stage {len(stages) + 1}"
        own = {**variables, **static_variables(items_of(node.get("variables")))}
        before = (stages[-1].name,) if stages else ()
        depends = _names(node.get("dependsOn")) if "dependsOn" in node.items else before
        jobs = _jobs(name, node, own, unread, missing, _on_windows(node, windows))
        stages.append(Stage(name, _condition(node), _sure(node), depends, own, jobs))
    return stages, missing


class Run:
    """What can run of an expanded pipeline in one situation; without one, whatever the situation."""

    def __init__(self, stages: list[Stage], situation: Situation | None, told: Told, *, batched: bool = False) -> None:
        self.stages = {stage.name.lower(): stage for stage in stages}
        self.situation = situation
        self.told = told
        self.batched = batched
        self._known: dict[tuple[str, str], bool | None] = {}

    def all(self) -> None:
        """Ask for everything once, so that all is told that refs are compared with."""
        for stage in self.stages.values():
            for job in stage.jobs:
                self.job(stage, job)
                for step in job.steps:
                    self.step(job, step)

    def job(self, stage: Stage, job: JobDraft) -> bool | None:
        """Can a job run?"""
        return every([self._stage(stage.name), self._job(stage, job.name)])

    def step(self, job: JobDraft, step: Draft) -> bool | None:
        """Can a step run, if its job does?"""
        waits = Waits({"": True})
        variables = dict(job.variables)
        return every([step.sure, can_run(step.condition, waits, variables, self.situation, self.told, batched=self.batched)])

    def _stage(self, name: str) -> bool | None:
        stage = self.stages.get(name.lower())
        if stage is None:
            return True
        key = ("", stage.name)
        if key not in self._known:
            self._known[key] = None  # for a stage that waits for itself
            direct = {other: self._whole(other) for other in stage.depends if other.lower() in self.stages}
            indirect = every([self._stage(other) for other in self._behind(stage)])
            waits = Waits(direct, indirect or None)
            self._known[key] = every([stage.sure, self._can(stage.condition, waits, stage.variables)])
        return self._known[key]

    def _whole(self, name: str) -> bool | None:
        """Does a stage do anything? A stage none of whose jobs run may count as skipped."""
        stage = self.stages[name.lower()]
        jobs = some([self._job(stage, job.name) for job in stage.jobs])
        return every([self._stage(name), True if jobs else None])

    def _job(self, stage: Stage, name: str) -> bool | None:
        drafts = [job for job in stage.jobs if job.name.lower() == name.lower()]
        if not drafts:
            return True
        key = (stage.name, drafts[0].name)
        if key not in self._known:
            self._known[key] = None
            job = drafts[0]
            direct = {other: self._job(stage, other) for other in job.depends}
            behind = _closed(job.depends, {one.name.lower(): one.depends for one in stage.jobs})
            indirect = every([self._job(stage, other) for other in behind])
            waits = Waits(direct, indirect or None)
            self._known[key] = every([job.sure, self._can(job.condition, waits, dict(job.variables))])
        return self._known[key]

    def _behind(self, stage: Stage) -> list[str]:
        return _closed(stage.depends, {name: one.depends for name, one in self.stages.items()})

    def _can(self, condition: str, waits: Waits, variables: Mapping[str, str]) -> bool | None:
        return can_run(condition, waits, variables, self.situation, self.told, batched=self.batched)


def needed(stages: list[Stage], stage: Stage, job: JobDraft) -> tuple[tuple[str, str], ...]:
    """The jobs without whose success a job never runs, by stage and name."""
    of_name = {one.name.lower(): one for one in stages}
    found = [(stage.name.lower(), name.lower()) for name in required(job.condition, job.depends)]
    for name in required(stage.condition, stage.depends):
        before = of_name.get(name.lower())
        if before is not None:
            found += ((before.name.lower(), one.name.lower()) for one in before.jobs if not one.ignores_failure)
    return tuple(dict.fromkeys(found))


def _closed(names: tuple[str, ...], depends: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What stands behind names, at any distance."""
    found: dict[str, None] = {}
    waiting = [other for name in names for other in depends.get(name.lower(), ())]
    while waiting:
        name = waiting.pop()
        if name.lower() not in found:
            found[name.lower()] = None
            waiting += depends.get(name.lower(), ())
    return list(found)


def _jobs(
    stage: str, node: Map, variables: Mapping[str, str], unread: Mapping[int, Unread], missing: list[Unread], windows: bool
) -> tuple[JobDraft, ...]:
    """The jobs of a stage, or of a pipeline without stages; steps alone are one job."""
    if "jobs" not in node.items:
        return tuple(_drafts(stage, node, "job", False, variables, unread, windows)) if "steps" in node.items else ()
    found: list[JobDraft] = []
    for job in _maps(node.get("jobs"), unread, missing):
        deployment = "deployment" in job.items
        name = text_of(job.get("deployment" if deployment else "job")) or f"job {len(found) + 1}"
        found += _drafts(stage, job, name, deployment, variables, unread, windows)
    return tuple(found)


def _drafts(
    stage: str, node: Map, name: str, deployment: bool, above: Mapping[str, str], unread: Mapping[int, Unread], windows: bool
) -> Iterator[JobDraft]:
    """A job, once for each combination of its matrix."""
    strategy = node.get("strategy")
    steps = _hooks(strategy) if deployment else items_of(node.get("steps"))
    missing = tuple(unread[id(step)] for step in steps if step.tag == UNREAD and id(step) in unread)
    for variant, more in _matrix(strategy):
        variables = {**above, **static_variables(items_of(node.get("variables"))), **more}
        drafts, checkout = read_steps(steps, variables, deployment=deployment, windows=_on_windows(node, windows))
        # Steps alone are the pipeline itself: its name and conditions are not those of a job.
        whole = name == "job" and "job" not in node.items
        yield JobDraft(
            stage, name, variant, node.origin, DEFAULT if whole else _condition(node), True if whole else _sure(node),
            () if whole else _names(node.get("dependsOn")), tuple(variables.items()), drafts, checkout,
            _environment(node.get("environment"), variables), flag(node.get("continueOnError"), variables), missing,
        )  # fmt: skip


def _hooks(strategy: Node | None) -> list[Node]:
    """The steps of a deployment, in the order of its hooks."""
    found: list[Node] = []
    kinds = strategy.items.values() if isinstance(strategy, Map) else ()
    for kind in kinds:
        if not isinstance(kind, Map):
            continue
        for name in _HOOKS:
            hook = kind.get(name)
            found += items_of(hook.get("steps")) if isinstance(hook, Map) else []
        after = kind.get("on")
        for hook in after.items.values() if isinstance(after, Map) else ():
            found += items_of(hook.get("steps")) if isinstance(hook, Map) else []
    return found


def _matrix(strategy: Node | None) -> list[tuple[str, dict[str, str]]]:
    matrix = strategy.get("matrix") if isinstance(strategy, Map) else None
    if not isinstance(matrix, Map) or not matrix.items:
        return [("", {})]
    found = []
    for name, values in list(matrix.items.items())[:MAX_MATRIX]:
        items = values.items.items() if isinstance(values, Map) else ()
        found.append((name, {key.lower(): value.text for key, value in items if isinstance(value, Scalar)}))
    return found


def _environment(node: Node | None, variables: Mapping[str, str]) -> str | None:
    name = node.get("name") if isinstance(node, Map) else node
    text = resolved(text_of(name), variables)
    return None if HOLE in text or "$(" in text else text


def _on_windows(node: Map, above: bool) -> bool:
    pool = node.get("pool")
    if pool is None:
        return above
    image = pool.get("vmImage") if isinstance(pool, Map) else pool
    return "windows" in text_of(image).lower()


def _condition(node: Map) -> str:
    return text_of(node.get("condition")).strip() or DEFAULT


def _sure(node: Map) -> bool | None:
    return None if node.tag == MAYBE else True


def _names(node: Node | None) -> tuple[str, ...]:
    items = node.items if isinstance(node, List) else [node]
    return tuple(text for text in map(text_of, items) if text and HOLE not in text)


def _maps(node: Node | None, unread: Mapping[int, Unread], missing: list[Unread]) -> Iterator[Map]:
    for item in items_of(node):
        if item.tag == UNREAD:
            missing += [unread[id(item)]] if id(item) in unread else []
        elif isinstance(item, Map):
            yield item
