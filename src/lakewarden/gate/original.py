"""The version that the candidate is a copy of, where the policy deploys models: what was tested is held to the checks, not the copy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import UsageError
from lakewarden.gate.result import Outcome
from lakewarden.policy.attribute import project_of_model, stage_before, stage_of_environment

if TYPE_CHECKING:
    from lakewarden.gate.result import CheckResult, GateResult, Said
    from lakewarden.gate.run import Docket
    from lakewarden.policy.model import Policy

DEPLOY_MODELS = "deploy-models"
#: What is asked of the copy and of the original: ready with known bytes; trained, and a copy of it; whose bytes.
BOTH = frozenset({2, 4, 5})
#: What the original is asked in place of the copy, whose tags and run are not its own.
INSTEAD = frozenset(range(6, 15))
_RANK = (Outcome.FAIL, Outcome.MISSING, Outcome.WAIVED, Outcome.PASS)


class Original(NamedTuple):
    """What was read of the version that was copied, by name; None with the reason where that could not be."""

    name: str
    docket: Docket | None = None
    reason: str = ""


def policy_of_original(policy: Policy, stage: str, model: str, original: str) -> tuple[Policy, str]:
    """The policy that the original is held to, and the environment that it is in: that of the stage before stands for the stage
    that is wanted, so that every rule asks of it what it asks of production.

    Raises:
        UsageError: the policy does not say which catalogs and workspaces are the stage before.
    """
    tested = stage_before(policy, stage)
    stages = {name: stage_of_environment(name, one) for name, one in policy.environments.items()}
    homes = [name for name, of in stages.items() if of == tested]
    said = [policy.environments[name] for name, of in stages.items() if of in (tested, stage)]
    if tested is None or len(homes) != 1 or not all(one.catalogs and one.workspaces for one in said):
        raise UsageError(
            f'deployment_pattern = "deploy-models" holds the version that was copied to the rules of stage {tested or "before"}',
            f"name catalogs and workspaces of one environment of stage {tested or 'before'}, and of {stage}, in the policy",
        )
    swapped = {tested: stage, stage: tested}
    environments = {
        name: replace(one, stage=swapped.get(str(stages[name]), stages[name]))  # type: ignore[arg-type]  # stages of the policy
        for name, one in policy.environments.items()
    }
    own = project_of_model(policy, model).project
    # The original is of the copy's project, whatever its name.
    projects = tuple(replace(one, models=(original,)) if one.name == own else one for one in policy.projects)
    parameters = replace(policy.parameters, deployment_pattern="deploy-code")
    return replace(policy, environments=environments, projects=projects, parameters=parameters), homes[0]


def with_original(checks: tuple[CheckResult, ...], original: Original, judged: GateResult | None) -> tuple[CheckResult, ...]:
    """The checks of the copy with those of the original. What nobody could ask of it is missing."""
    of = {} if judged is None else {check.number: check for check in judged.checks}
    return tuple(_joined(check, of.get(check.number), original) if check.number in BOTH | INSTEAD else check for check in checks)


def _joined(check: CheckResult, other: CheckResult | None, original: Original) -> CheckResult:
    own = check if check.number in BOTH else replace(check, outcome=Outcome.PASS, said=(), evidence=(), remedy="", waiver=None)
    if other is None:
        reason = f"{original.name}, which it is a copy of, was not read: {original.reason}"
        outcome = Outcome.FAIL if own.outcome is Outcome.FAIL else Outcome.MISSING
        return replace(own, outcome=outcome, remedy=reason, waiver=None)
    outcome = min(own.outcome, other.outcome, key=_RANK.index)
    said = (*own.said, *(_of_original(one, original) for one in other.said))
    remedy = own.remedy if own.outcome is outcome and own.remedy else other.remedy
    waiver = (own.waiver or other.waiver) if outcome is Outcome.WAIVED else None
    return replace(own, outcome=outcome, said=said, evidence=(*own.evidence, *other.evidence), remedy=remedy, waiver=waiver)


def _of_original(one: Said, original: Original) -> Said:
    return one._replace(message=f"of {original.name}, which it is a copy of: {one.message}") if one.message else one
