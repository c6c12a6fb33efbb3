"""What a report shows of each control. Nothing that was loosened, tolerated or not seen makes a control met."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lakewarden.rule import Status

if TYPE_CHECKING:
    from lakewarden.judge.result import Result, RuleOutcome
    from lakewarden.reports.controls.framework import Control, Framework


class State(str, Enum):
    """What is shown of a control."""

    MET = "met"
    EXCEPTIONS = "met with exceptions"
    NOT_MET = "not met"
    UNDECIDED = "not decided"
    NOT_COVERED = "not covered"


@dataclass(frozen=True)
class OfRule:
    """What one rule says: None for its state where it had nothing to judge."""

    code: str
    covers: str
    state: State | None
    why: str


@dataclass(frozen=True)
class Assessed:
    """A control with what was shown of it. `label` is for people: it never says met without saying how much of it is covered."""

    control: Control
    state: State
    why: str
    rules: tuple[OfRule, ...]

    @property
    def label(self) -> str:
        """The state in words."""
        partly = self.control.coverage == "partly" and self.state in {State.MET, State.EXCEPTIONS}
        return f"{self.state.value} (partly covered)" if partly else self.state.value


#: Remarks of a run that findings were left out of it, or that something missing was accepted.
_LEFT_OUT = re.compile(r"\baccepted(?: until \S+)?:|\bare not shown\b|\bleaves out\b|\bis not shown\b")


def assess(framework: Framework, result: Result) -> list[Assessed]:
    """Every control of the framework."""
    outcomes = {outcome.rule.code: outcome for outcome in result.rules}
    whole_run = _of_whole_run(result)
    return [_assessed(control, outcomes, whole_run) for control in framework.controls]


def _of_whole_run(result: Result) -> list[str]:
    """What keeps every rule of the run from being met without exception."""
    said = [note for note in result.notes if _LEFT_OUT.search(note)]
    if result.part:
        said.append(f"only a part was judged: {', '.join(result.part)}")
    if result.incomplete:
        said.append(f"the run was incomplete: {result.incomplete[0]}")
    told = sum(outcome.baselined for outcome in result.rules)
    if result.baselined > told:
        said.append(f"{result.baselined - told} violations are passed over, and the report does not say of which rules")
    return said


def _assessed(control: Control, outcomes: dict[str, RuleOutcome], whole_run: list[str]) -> Assessed:
    if not control.rules:
        return Assessed(control, State.NOT_COVERED, control.why, ())
    said = tuple(
        _of_rule(code, covers, outcomes.get(code), whole_run)
        for covers, codes in (("full", control.full), ("partly", control.partly))
        for code in codes
    )
    states = {one.state for one in said}
    if State.NOT_MET in states:
        state = State.NOT_MET
    elif State.UNDECIDED in states or not states & {State.MET, State.EXCEPTIONS}:
        state = State.UNDECIDED
    else:
        state = State.EXCEPTIONS if State.EXCEPTIONS in states else State.MET
    deciding = [one for one in said if one.state is state]
    why = "; ".join(f"{one.code}: {one.why}" for one in deciding) or "no rule had anything to judge"
    return Assessed(control, state, why, said)


def _of_rule(code: str, covers: str, outcome: RuleOutcome | None, whole_run: list[str]) -> OfRule:
    if outcome is None:
        return OfRule(code, covers, State.UNDECIDED, "the report does not know the rule")
    if outcome.crashed is not None:
        return OfRule(code, covers, State.UNDECIDED, f"the rule is broken: {outcome.crashed}")
    if outcome.failed:
        return OfRule(code, covers, State.NOT_MET, f"{outcome.failed:,} of {_all(outcome):,} violate it")
    if outcome.skipped_reason is not None:
        return OfRule(code, covers, State.UNDECIDED, f"it was not asked: {outcome.skipped_reason}")
    if outcome.unknown:
        return OfRule(code, covers, State.UNDECIDED, f"{outcome.unknown:,} of {_all(outcome):,} could not be decided")
    exceptions = [
        *([f"{outcome.waived:,} are waived"] if outcome.waived else []),
        *([f"{outcome.baselined:,} are in the baseline"] if outcome.baselined else []),
        *(["the rule is a preview"] if outcome.rule.status is Status.PREVIEW else []),
        *outcome.loosened,
        *whole_run,
    ]
    if not outcome.passed and not outcome.waived and not outcome.baselined:
        return OfRule(code, covers, None, "it had nothing to judge: not applicable, which shows nothing")
    if exceptions:
        return OfRule(code, covers, State.EXCEPTIONS, "; ".join(exceptions))
    return OfRule(code, covers, State.MET, f"{outcome.passed:,} of {outcome.passed:,} pass")


def _all(outcome: RuleOutcome) -> int:
    return outcome.passed + outcome.failed + outcome.unknown + outcome.waived + outcome.baselined
