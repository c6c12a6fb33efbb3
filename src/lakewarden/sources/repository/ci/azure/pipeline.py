"""One pipeline of Azure Pipelines, in all situations and under all choices of its parameters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.ci.azure.conditions import DEFAULT
from lakewarden.sources.repository.ci.azure.jobs import Run, Stage, needed, read_stages
from lakewarden.sources.repository.ci.azure.nodes import has_one_value
from lakewarden.sources.repository.ci.azure.parameters import choices, unknown
from lakewarden.sources.repository.ci.azure.situations import mentioned
from lakewarden.sources.repository.ci.azure.steps import environment, unresolved
from lakewarden.sources.repository.ci.azure.templates import Expander, TooMuchError
from lakewarden.sources.repository.ci.azure.triggers import Triggers, triggers
from lakewarden.sources.repository.ci.samples import situations
from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.repository.ci.workflow import HOLE, Job, Situation, Step, Unread, Workflow
from lakewarden.sources.yaml_nodes import Map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakewarden.sources.repository.ci.azure.jobs import JobDraft
    from lakewarden.sources.repository.ci.azure.situations import Told
    from lakewarden.sources.repository.ci.azure.steps import Draft
    from lakewarden.sources.repository.layout import Documents
    from lakewarden.sources.tree import Tree

_ROUNDS = 4
_MAX_EXPANSIONS = 600
_REQUESTS = re.compile(rb"'pullrequest'|System\.PullRequest\.", re.IGNORECASE)
_SCHEDULES = re.compile(rb"'schedule'", re.IGNORECASE)


class _Expansion(NamedTuple):
    """A pipeline with its templates put in: its stages, and the numbers of its jobs with the stages that they are in."""

    stages: list[Stage]
    stage_of: dict[int, Stage]
    unread: list[Unread]
    root: Map


class TooManyError(Exception):
    """A pipeline has more outcomes than are followed."""


class Pipeline:
    """One pipeline. Jobs that are the same in several situations, or under several choices of parameters, are one."""

    def __init__(self, tree: Tree, documents: Documents, path: str, root: Map, *, starts: bool) -> None:
        self.tree = tree
        self.documents = documents
        self.path = path
        self.name = path.rpartition("/")[2]
        self.root = root
        self.told: Told = set()
        self.texts = tree.read(path)
        self.read: dict[str, Map] = {path: root}
        declared = root.get("parameters")
        self.choices = choices(declared) if starts else [unknown(declared)]
        self.drafts: dict[JobDraft, int] = {}
        self.labels: list[str] = []
        self.first_in: list[_Expansion] = []
        self.depends: list[bool] = []
        self.expansions: dict[tuple[int, Situation | None], _Expansion] = {}
        self.runs: dict[tuple[int, Situation], Run] = {}
        self.triggers: Triggers | None = None
        self.starts = starts
        self.batched = False
        self.tried: dict[Situation, None] = {}
        self.unread: list[Unread] = []

    def workflow(self) -> Workflow:
        """All that the pipeline says."""
        origin = Origin(self.path, self.root.line)
        try:
            self._expand_all()
        except TooMuchError:
            unread = Unread(
                "failed", "its templates expand to too much, or to themselves", "break the circle of templates", origin
            )
            return Workflow("azure", self.path, self.name, origin, None, (), unread=(unread,))
        names = self._names(self._living())
        jobs = _approved([self._job(at, draft, names) for draft, at in self.drafts.items() if at in names])
        refs, bases = self._mentions()
        missed = [part for expansion in self.expansions.values() for part in expansion.unread]
        events = self.triggers.events if self.triggers is not None and self.starts else None
        return Workflow(
            "azure", self.path, self.name, origin, events, jobs, refs, bases, tuple(dict.fromkeys([*missed, *self.unread])),
            has_one_value([expansion.root for expansion in self.expansions.values()]),
        )  # fmt: skip

    def _expand_all(self) -> None:
        """Expand for every choice, and for every situation where that makes a difference, until nothing new is mentioned."""
        for number in range(len(self.choices)):
            self.depends.append(False)
            self._expand(number, None)
        found = self.expansions[0, None].root
        self.triggers = triggers(
            found,
            reckons_with_requests=_REQUESTS.search(self.texts) is not None,
            reckons_with_schedules=_SCHEDULES.search(self.texts) is not None,
        )
        self.batched = self.triggers.batched
        try:
            self._try_all()
        except TooManyError:
            self.unread.append(
                Unread(
                    "unresolved", "its templates give more outcomes than are followed", "use fewer parameters", Origin(self.path)
                )
            )

    def _try_all(self) -> None:
        """Ask for everything in each situation, until nothing new is mentioned."""
        assert self.triggers is not None  # noqa: S101 - set before
        for _ in range(_ROUNDS):
            new = [situation for situation in situations(self.triggers.events, *self._mentions()) if situation not in self.tried]
            self.tried.update(dict.fromkeys(new))
            for situation in new:
                for run in self._runs(situation):
                    run.all()

    def _expand(self, number: int, situation: Situation | None) -> _Expansion:
        key = (number, situation if self.depends[number] else None)
        found = self.expansions.get(key)
        if found is not None:
            return found
        if len(self.expansions) >= _MAX_EXPANSIONS:
            raise TooManyError
        expander = Expander(self._load, situation, self.told, batched=self.batched)
        root = expander.root(self.root, self.choices[number].parameters)
        self.depends[number] |= expander.started
        stages, unread = read_stages(root, expander.unread)
        expansion = _Expansion(stages, {}, unread, root)
        if situation is not None or not expander.started:
            for stage in stages:
                for draft in stage.jobs:
                    at = self.drafts.setdefault(draft, len(self.drafts))
                    if at == len(self.labels):
                        self.labels.append(self.choices[number].label or (situation.ref if situation is not None else ""))
                        self.first_in.append(expansion)
                    expansion.stage_of[at] = stage
        self.expansions[key] = expansion
        return expansion

    def _load(self, path: str) -> Map:
        found = self.read.get(path)
        if found is None:
            real = self.tree.real(path)
            if real is None or not self.tree.exists(real):
                raise SourceError("unresolved", f"there is no template {path}", "mend the path of the template")
            root = self.documents.load(real).root
            self.texts += self.tree.read(real)
            found = self.read[path] = root if isinstance(root, Map) else Map(real, 1, 1, 1)
        return found

    def _runs(self, situation: Situation) -> Iterator[Run]:
        """What runs in a situation, for each choice that whoever starts it has."""
        for number in range(len(self.choices) if situation.event == "manual" else 1):
            yield self._run(number, situation)

    def _run(self, number: int, situation: Situation) -> Run:
        found = self.runs.get((number, situation))
        if found is None:
            expansion = self._expand(number, situation)
            found = self.runs[number, situation] = Run(expansion.stages, situation, self.told, batched=self.batched)
        return found

    def _can(self, at: int, draft: JobDraft, situation: Situation) -> bool | None:
        if self.triggers is None:
            return None
        starts = self.triggers.start(situation) if self.starts else None
        answers: list[bool | None] = []
        for number in range(len(self.choices) if situation.event == "manual" else 1):
            try:
                expansion = self._expand(number, situation)
            except (TooManyError, TooMuchError):
                return None
            stage = expansion.stage_of.get(at)
            answers.append(False if stage is None else self._run(number, situation).job(stage, draft))
        return every([starts, some(answers)])

    def _mentions(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        refs, bases = mentioned(self.told)
        more_refs, more_bases = self.triggers.mentions() if self.triggers is not None else ([], [])
        return tuple(dict.fromkeys([*more_refs, *refs])), tuple(dict.fromkeys([*more_bases, *bases]))

    def _living(self) -> list[tuple[int, JobDraft]]:
        """The jobs that can run. Of those that never can, one stays where there is no other of its name."""
        living: dict[tuple[str, str, str], list[tuple[int, JobDraft]]] = {}
        dead: dict[tuple[str, str, str], tuple[int, JobDraft]] = {}
        for draft, at in self.drafts.items():
            key = (draft.stage, draft.name, draft.variant)
            if any(self._can(at, draft, situation) is not False for situation in self.tried):
                living.setdefault(key, []).append((at, draft))
            else:
                dead.setdefault(key, (at, draft))
        kept = [one for held in living.values() for one in held] + [one for key, one in dead.items() if key not in living]
        return sorted(kept, key=lambda one: one[0])

    def _names(self, jobs: list[tuple[int, JobDraft]]) -> dict[int, str]:
        """A name for each job. Those that exist only for some choices or refs have these in their names."""
        taken: set[str] = set()
        names: dict[int, str] = {}
        for at, draft in jobs:
            label = self.labels[at]
            name = ".".join(part for part in (draft.stage, draft.name) if part) + (f" {draft.variant}" if draft.variant else "")
            name = name.replace(HOLE, "?")
            if name in taken and label:
                name += f" [{label}]"
            unique, count = name, 2
            while unique in taken:
                unique, count = f"{name} #{count}", count + 1
            taken.add(unique)
            names[at] = unique
        return names

    def _job(self, at: int, draft: JobDraft, names: dict[int, str]) -> Job:
        expansion = self.first_in[at]
        wanted = set(needed(expansion.stages, expansion.stage_of[at], draft))
        needs = [
            names[self.drafts[other]]
            for stage in expansion.stages
            for other in stage.jobs
            if (stage.name.lower(), other.name.lower()) in wanted and self.drafts[other] in names
        ]
        return Job(
            name=names[at],
            origin=draft.origin,
            can_run=lambda situation: self._can(at, draft, situation),
            steps=tuple(self._step(draft, step) for step in draft.steps),
            needs=tuple(dict.fromkeys(needs)),
            environment=draft.environment,
            environment_protected=False if draft.environment == "" else None,
            head=draft.checkout.head,
            checks_out_pr_head=draft.checkout.pull_request_head,
            ignores_failure=draft.ignores_failure,
            environ=environment(dict(draft.variables)),
            unread=draft.unread,
            starts_for=self.triggers.starts_for if self.triggers is not None and self.triggers.paths else None,
        )

    def _step(self, job: JobDraft, draft: Draft) -> Step:
        return Step(
            draft.origin, self._step_runs(job, draft), draft.text, draft.uses, dict(draft.inputs), dict(draft.environ),
            draft.folder, draft.ignores_failure, draft.logins, draft.text_line, draft.shell, unresolved(draft),
        )  # fmt: skip

    def _step_runs(self, job: JobDraft, draft: Draft) -> Callable[[Situation], bool | None]:
        if draft.condition == DEFAULT:
            return lambda _: draft.sure
        return lambda situation: Run([], situation, self.told, batched=self.batched).step(job, draft)


def _approved(jobs: list[Job]) -> tuple[Job, ...]:
    """The jobs; those that wait, at any distance, for a job in which somebody approves are protected by that."""
    waiting = [job.name for job in jobs if any(step.uses.lower().startswith("manualvalidation@") for step in job.steps)]
    if not waiting:
        return tuple(jobs)
    behind: dict[str, list[str]] = {}
    for job in jobs:
        for name in job.needs:
            behind.setdefault(name, []).append(job.name)
    found: set[str] = set()
    while waiting:
        for name in behind.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return tuple(job._replace(environment_protected=True) if job.name in found else job for job in jobs)
