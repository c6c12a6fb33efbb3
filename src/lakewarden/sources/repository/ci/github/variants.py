"""The jobs of a workflow, once for each text that they may have: what a text says may hang on how the workflow is started."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.ci.github.checkout import combined
from lakewarden.sources.repository.ci.github.jobs import drafts
from lakewarden.sources.repository.ci.github.occasions import Occasions
from lakewarden.sources.repository.ci.github.patterns import sample
from lakewarden.sources.repository.ci.github.runs import Call
from lakewarden.sources.repository.ci.github.triggers import PULL_REQUESTS
from lakewarden.sources.repository.ci.github.values import Unknown, Value
from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.repository.ci.workflow import Job, Situation, Step, Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lakewarden.sources.repository.ci.github.files import File, Files
    from lakewarden.sources.repository.ci.github.jobs import JobDraft
    from lakewarden.sources.repository.ci.github.occasions import Occasion

    #: A job and the number of what it says.
    _Variant = tuple[str, int]

MAX_JOBS = 256
MAX_OCCASIONS = 400

_HEADS, _TAGS = "refs/heads/", "refs/tags/"
#: A branch that no workflow names.
_OTHER = "some-other-branch"
_OF_TAGS = frozenset({"tag", "release"})


class Variants:
    """The jobs of one workflow file, and the branches and tags that it mentions."""

    def __init__(self, files: Files, file: File, name: str, default_branch: str | None) -> None:
        self._files = files
        self._file = file
        self._call = Call(file, outputs=self._outputs)
        mentioned = files.mentions(file.root, file.node)
        self.refs, self.bases = dict(mentioned.refs), dict(mentioned.bases)
        self._mention_triggers()
        self._occasions = Occasions(file.triggers, name, mentioned.inputs, default_branch)
        self._paths = {job: sorted(self._read_paths(job)) for job in file.jobs}
        self._known: dict[tuple[str, tuple[object, ...]], dict[int, JobDraft]] = {}
        self._numbers: dict[tuple[object, ...], int] = {}
        self._cut = False
        found = self._collect()
        self.jobs = tuple(self._jobs(found))
        reason = f"more than {MAX_JOBS} jobs come of {file.path}"
        self.unread = [Unread("truncated", reason, "split the workflow", Origin(file.path))] if self._cut else []

    def _mention_triggers(self) -> None:
        for trigger in self._file.triggers.by_event.values():
            branches = [name for name in trigger.branches.names if sample(name)]
            if trigger.event == "push":
                self.refs.update({f"{_HEADS}{name}": None for name in branches})
                self.refs.update({f"{_TAGS}{name}": None for name in trigger.tags.names if sample(name)})
            elif trigger.event in PULL_REQUESTS or trigger.event == "merge_group":
                self.bases.update(dict.fromkeys(branches))
            if trigger.event in ("pull_request", "pull_request_target") and "closed" in trigger.types:
                self.refs.update({f"{_HEADS}{name}": None for name in self.bases})

    def _read_paths(self, job: str) -> set[str]:
        """What of a start the texts of a job put in."""
        file = self._file
        around = (file.node.get("env"), file.node.get("defaults"))
        found = self._files.mentions(file.root, *around, file.jobs[job])
        if "needs" in found.contexts:
            before = [file.jobs[name] for name in self._call.order(job)[:-1] if name in file.jobs]
            found = self._files.mentions(
                file.root, *around, file.jobs[job], *before, conditions=[node.get("if") for node in before]
            )
        return found.paths()

    def _situations(self) -> Iterator[Situation]:
        """A situation of each kind."""
        triggers = self._file.triggers
        refs = [name for pattern in self.refs if (name := sample(pattern))]
        heads = [*(ref for ref in refs if ref.startswith(_HEADS)), f"{_HEADS}{_OTHER}"]
        tags = [*(ref for ref in refs if ref.startswith(_TAGS)), f"{_TAGS}{_OTHER}"]
        bases = [*(name for pattern in self.bases if (name := sample(pattern))), _OTHER]
        for event in triggers.events or ("push", "manual", "pull_request"):
            if event in PULL_REQUESTS:
                yield from (Situation(event, "refs/pull/1/merge", base) for base in bases)
            elif event in _OF_TAGS:
                yield from (Situation(event, ref) for ref in tags)
            else:
                yield from (Situation(event, ref) for ref in (heads if event == "push" else [*heads, *tags]))

    def _draft(self, job: str, occasion: Occasion) -> dict[int, JobDraft]:
        """What becomes of a job on an occasion, each under the number of what it says."""
        key = (job, occasion.key(self._paths[job]))
        if key not in self._known:
            found = list(islice(drafts(self._files, self._call, job, occasion), MAX_JOBS + 1))
            self._cut = self._cut or len(found) > MAX_JOBS
            self._known[key] = {self._numbers.setdefault(draft.says, len(self._numbers)): draft for draft in found[:MAX_JOBS]}
        return self._known[key]

    def _outputs(self, job: str, occasion: Occasion) -> Value:
        """The outputs of a job, where it runs once."""
        found = list(self._draft(job, occasion).values())
        return found[0].outputs if len(found) == 1 else Unknown()

    def _collect(self) -> dict[_Variant, list[Occasion]]:
        """The variants of jobs, each with the occasions on which it is there."""
        found: dict[_Variant, list[Occasion]] = {}
        occasions = (occasion for situation in self._situations() for occasion in self._occasions.of(situation))
        for occasion in islice((one for one in occasions if one.starts is not False), MAX_OCCASIONS):
            for job in self._file.jobs:
                for number in self._draft(job, occasion):
                    found.setdefault((job, number), []).append(occasion)
        return found

    def _jobs(self, found: dict[_Variant, list[Occasion]]) -> Iterator[Job]:
        self._cut = self._cut or len(found) > MAX_JOBS
        names: dict[str, int] = {}
        named: list[tuple[str, JobDraft, frozenset[Occasion], _Variant]] = []
        for (job, number), occasions in islice(found.items(), MAX_JOBS):
            draft = self._draft(job, occasions[0])[number]
            count = names[draft.name] = names.get(draft.name, 0) + 1
            name = draft.name if count == 1 else f"{draft.name}#{count}"
            named.append((name, draft, frozenset(occasions), (job, number)))
        for name, draft, mine, variant in named:
            needed = {
                other: None
                for other, before, at, _ in named
                if other != name and not set(before.levels).isdisjoint(draft.needs) and not at.isdisjoint(mine)
            }
            yield self._job(name, draft, variant, found[variant], tuple(needed))

    def _job(self, name: str, draft: JobDraft, variant: _Variant, occasions: Sequence[Occasion], needs: tuple[str, ...]) -> Job:
        job, number = variant
        calm = [occasion for occasion in occasions if occasion.event not in PULL_REQUESTS] or occasions
        head = combined(one(occasion) for occasion in calm for one in self._draft(job, occasion)[number].checkouts[-1:])
        pulls = combined(one(occasion) for occasion in occasions for one in self._draft(job, occasion)[number].checkouts)
        events = self._file.triggers.events
        attached = head.head
        if attached == "branch" and not head.names and events and _OF_TAGS.issuperset(events):
            attached = "detached"
        return Job(
            name=name,
            origin=draft.origin,
            can_run=self._asker(job, number, lambda draft, occasion: draft.condition(occasion)),
            steps=tuple(self._step(job, number, draft, at) for at in range(len(draft.steps))),
            needs=needs,
            environment=draft.environment,
            environment_protected=False if draft.environment == "" else None,
            head=attached if draft.checkouts else None,
            checks_out_pr_head=pulls.pull_request if draft.checkouts else False,
            ignores_failure=draft.ignores_failure,
            environ=dict(draft.environ),
            logins=draft.logins,
            unread=draft.unread,
        )

    def _step(self, job: str, number: int, draft: JobDraft, at: int) -> Step:
        step = draft.steps[at]

        def runs(draft: JobDraft, occasion: Occasion) -> bool | None:
            # An occasion on which the job does not run says nothing about its steps.
            return draft.condition(occasion) is not False and draft.steps[at].condition(occasion)

        return Step(
            step.origin, self._asker(job, number, runs), step.text, step.uses, dict(step.inputs), dict(step.environ), step.folder,
            step.ignores_failure, step.logins, step.text_line, step.shell, step.secrets,
        )  # fmt: skip

    def _asker(
        self, job: str, number: int, ask: Callable[[JobDraft, Occasion], bool | None]
    ) -> Callable[[Situation], bool | None]:
        """Does it hold on any of the occasions that are one situation, and on which the job says the same?"""

        def answers(situation: Situation) -> Iterator[bool | None]:
            for occasion in self._occasions.of(situation):
                if occasion.starts is False:
                    continue
                draft = self._draft(job, occasion).get(number)
                if draft is not None:
                    yield every((occasion.starts, ask(draft, occasion)))

        return lambda situation: some(answers(situation))
