"""The rows of `ci_jobs` and `ci_reach`: a job, and its steps that run at other times than the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.ci import CiJob, CiReach
from lakewarden.sources.repository.ci.reach import Moments, Reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.origin import Origin
    from lakewarden.policy.model import Policy
    from lakewarden.sources.repository.ci.shell.values import Guard
    from lakewarden.sources.repository.ci.workflow import Job, Step, Workflow

_UNCLEAR = "when the job runs depends on what is known only then"


class Notes:
    """Tells gaps of single values, each once for its place."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._told: set[tuple[str, str, str]] = set()

    def unresolved(self, table: str, reason: str, project: str, origin: Origin) -> None:
        """Explain a NULL."""
        where = f"{origin.path}:{origin.line}: {reason}"
        if (table, where, project) not in self._told:
            self._told.add((table, where, project))
            self.facts.unresolved(table, where, project=project, origin=origin)

    def not_asked(self, table: str, what: str, project: str, origin: Origin) -> None:
        """Explain a NULL that only the Git host could fill, once for each project."""
        reason = f"{what} is known to the Git host alone"
        if (table, reason, project) not in self._told:
            self._told.add((table, reason, project))
            remedy = "run `lakewarden audit`"
            self.facts.gap(Gap(Cause.NOT_ASKED, table, reason, remedy, project=project, origin=origin, value=True))


class Units:
    """The rows of one job for one project. `reach` holds what was found for each by its key."""

    def __init__(
        self, workflow: Workflow, job: Job, project: str, policy: Policy, notes: Notes, code: Callable[[str], tuple[str, ...]]
    ) -> None:
        self.job = job
        self._code = code
        self.project = project
        self.system = workflow.system
        self.key = f"{project}/{workflow.path}/{job.name}"
        self.moments = Moments(workflow, policy, project)
        self.reach: dict[str, list[Reach]] = {}
        self.notes = notes
        self._known: dict[tuple[int, tuple[Guard, ...]], str] = {}
        self.of(None, ())

    def conditions(self, step: Step | None, guards: tuple[Guard, ...]) -> list[Guard]:
        """All that has to hold for a step to run."""
        return [self.job.can_run, *([] if step is None else [step.can_run]), *guards]

    def on_pull_request(self, step: Step, guards: tuple[Guard, ...]) -> bool | None:
        """Can a step run for code that asks to be merged, whatever of the project's code is changed?"""
        asks = self.job.starts_for
        return self.moments.on_pull_request(self.conditions(step, guards), None if asks is None else self._covers)

    def _covers(self, event: str) -> bool | None:
        asks = self.job.starts_for
        answers = {True if asks is None else asks(event, path) for path in self._code(self.project)}
        return None if len(answers) > 1 else next(iter(answers), True)

    def of(self, step: Step | None, guards: tuple[Guard, ...] = ()) -> str:
        """The key of the row for a step; the job's own where it runs whenever the job does."""
        known = self._known.get((id(step), guards))
        if known is not None:
            return known
        reach = self.moments.reach(self.conditions(step, guards))
        key = next((key for key, found in self.reach.items() if found == reach), None)
        if key is None:
            key = f"{self.key}#step{len(self.reach)}" if self.reach else self.key
            self._write(key, reach, self.job.origin if step is None else step.origin)
        self._known[id(step), guards] = key
        return key

    def _write(self, key: str, reach: list[Reach], origin: Origin) -> None:
        self.reach[key] = reach
        job, project = self.job, self.project
        self.notes.facts.add(
            CiJob(
                key=key,
                project=project,
                project_key=project,
                environment_protected=False if job.environment == "" else job.environment_protected,
                environment=_environment(self.system, job.environment),
                head_state=job.head,
                checks_out_pr_head=job.checks_out_pr_head,
                origin=origin,
            )
        )
        if job.environment != "" and job.environment_protected is None:
            self.notes.not_asked("ci_jobs", "what protects an environment", project, origin)
        if any(None in one for one in reach):
            self.notes.unresolved("ci_reach", _UNCLEAR, project, origin)
        for at, (event, ref_class) in enumerate(reach):
            name = f"{event or '?'}/{ref_class or f'?{at}'}"
            self.notes.facts.add(
                CiReach(key=f"{key}/{name}", project=project, ci_job=key, event=event, ref_class=ref_class, origin=origin)
            )


def _environment(system: str, name: str | None) -> str | None:
    return None if name is None else f"{system}:{name}" if name else "none"
