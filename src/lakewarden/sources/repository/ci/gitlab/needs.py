"""What jobs of GitLab CI wait for: what they need, or else the stages before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.gitlab.rules import flat, text_of
from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.yaml_nodes import Map

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.repository.ci.gitlab.jobs import Found
    from lakewarden.sources.repository.ci.workflow import Job, Situation

_SELDOM = frozenset({"manual", "schedule"})


class Needs:
    """Of one workflow: all jobs, and the situations to try."""

    def __init__(self, found: list[Found], samples: list[Situation]) -> None:
        self.found = found
        self.samples = samples
        self.names = _unique(found)
        self.of: dict[tuple[tuple[str, ...], str], list[int]] = {}
        for at, one in enumerate(found):
            self.of.setdefault((one.scope, one.base), []).append(at)

    def jobs(self) -> tuple[Job, ...]:
        """The jobs with what they need. One that needs a job cannot run where that does not."""
        return tuple(self._whole(at, one) for at, one in enumerate(self.found))

    def _whole(self, at: int, one: Found) -> Job:
        names = [self.names[other] for other in self._needed(at, one)]
        requests = [situation for situation in self.samples if situation.event == "merge_request"]
        return one.job._replace(
            name=self.names[at],
            can_run=self._can_run(one),
            needs=tuple(dict.fromkeys(names)),
            needs_vary=bool(_rules_with_needs(one.node)),
            checks_out_pr_head=any(one.job.can_run(situation) is not False for situation in requests),
        )

    def _can_run(self, one: Found) -> Callable[[Situation], bool | None]:
        sure = [self.of[one.scope, name] for name, optional in _told(one.node) if not optional and (one.scope, name) in self.of]
        if not sure:
            return one.job.can_run

        def can_run(situation: Situation) -> bool | None:
            there = [some([self.found[other].job.can_run(situation) for other in others]) for others in sure]
            return every([one.job.can_run(situation), *there])

        return can_run

    def _needed(self, at: int, one: Found) -> list[int]:
        if "needs" in one.node.items:
            bases = dict(_told(one.node))
        else:
            before = (other.base for other in self.found if other.scope == one.scope and other.stage < one.stage)
            bases = dict.fromkeys(before, True)
        for rule in _rules_with_needs(one.node):
            # A rule that holds puts its own needs in place of these: what every way in waits for is what counts.
            own = dict(_told(rule))
            bases = {name: optional or own[name] for name, optional in bases.items() if name in own}
        found: list[int] = []
        for base, optional in bases.items():
            others = [other for other in self.of.get((one.scope, base), ()) if other != at]
            if not optional or self._always_with(one, others):
                found += [other for other in others if self.found[other].job.ignores_failure is not True]
        for other in tuple(found):
            found += (child for child in self._started_by(other) if self._always_with(one, [child]))
        if one.scope:
            found += self._before(one.scope)
        return found

    def _always_with(self, one: Found, others: list[int]) -> bool:
        """Is one of the others in every pipeline that the job is in? Those that somebody starts by hand count if there are no
        other pipelines.
        """
        here = [situation for situation in self.samples if one.job.can_run(situation) is not False]
        here = [situation for situation in here if situation.event not in _SELDOM] or here
        return all(some([self.found[other].job.can_run(situation) for other in others]) is not False for situation in here)

    def _started_by(self, at: int) -> list[int]:
        """The jobs of a pipeline that a job starts, if it waits for them."""
        one = self.found[at]
        trigger = one.node.get("trigger")
        if not isinstance(trigger, Map) or text_of(trigger.get("strategy")) not in ("depend", "mirror"):
            return []
        scope = (*one.scope, one.job.name)
        return [other for other, job in enumerate(self.found) if job.scope[: len(scope)] == scope]

    def _before(self, scope: tuple[str, ...]) -> list[int]:
        """What the job waits for that started the pipeline."""
        for at, one in enumerate(self.found):
            if one.scope == scope[:-1] and one.job.name == scope[-1]:
                return self._needed(at, one)
        return []


def _rules_with_needs(node: Map) -> list[Map]:
    """The rules of a job that say what it needs where they hold."""
    return [rule for rule in flat(node.get("rules")) if isinstance(rule, Map) and "needs" in rule.items]


def _told(node: Map) -> list[tuple[str, bool]]:
    """The jobs that a job says that it needs, and whether it can do without."""
    found = []
    for item in flat(node.get("needs")):
        if isinstance(item, Map):
            if "job" in item.items and not {"pipeline", "project"} & set(item.items):
                found.append((text_of(item.get("job")), text_of(item.get("optional")).lower() == "true"))
        else:
            found.append((text_of(item), False))
    return found


def _unique(found: list[Found]) -> list[str]:
    taken: set[str] = set()
    names = []
    for one in found:
        name = "/".join((*one.scope, one.job.name))
        unique, count = name, 2
        while unique in taken:
            unique, count = f"{name} #{count}", count + 1
        taken.add(unique)
        names.append(unique)
    return names
