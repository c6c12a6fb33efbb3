"""What a gate's verdict is called, in one sentence: the same in every format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.gate.result import Outcome

if TYPE_CHECKING:
    from lakewarden.gate.result import CheckResult, GateResult


def verdict(result: GateResult) -> str:
    """The verdict, with what stands against it."""
    name = f"{result.model} version {result.number}" if result.number is not None else result.asked
    required = [check for check in result.checks if check.required]
    failed = [check.code for check in required if check.outcome is Outcome.FAIL]
    missing = [check.code for check in required if check.outcome is Outcome.MISSING]
    waived = [check.code for check in required if check.outcome is Outcome.WAIVED]
    if result.passed:
        waivers = f", with waivers of {_and(waived)}" if waived else ""
        what = (
            f"of level {result.level}" if result.kind == "promotion" else f"of a{'n' * (result.kind[0] in 'aeiou')} {result.kind}"
        )
        return f"{name} may serve {result.stage}: all checks {what} hold{waivers}"
    told = [f"{_and(codes)} {what}" for codes, what in ((failed, "failed"), (missing, "missing evidence")) if codes]
    return f"{name} may not serve {result.stage}: {'; '.join(told) or 'nothing was checked'}"


def state(check: CheckResult) -> str:
    """The outcome of a check; one above the level is never told as more than what was seen."""
    return check.outcome.value if check.required else f"{check.outcome.value}, not required"


def against(check: CheckResult) -> list[str]:
    """What rules say against it, each once."""
    return list(dict.fromkeys(f"{one.rule}: {one.message}" for one in check.said if one.verdict in ("fail", "unknown")))


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
