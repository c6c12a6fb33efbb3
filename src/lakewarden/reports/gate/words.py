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
    if not failed and not missing and required and result.number is not None:
        return f"{name} does not serve {result.stage} by this gate: all checks hold, but not all that was asked for was done"
    told = [f"{_and(codes)} {what}" for codes, what in ((failed, "failed"), (missing, "missing evidence")) if codes]
    return f"{name} may not serve {result.stage}: {'; '.join(told) or 'nothing was checked'}"


#: What is asked of a version on a way out, instead of a level.
_ASKED = {
    "rollback": "A rollback asks for no level: only that the version is ready, that its files are those that were attested, that the "
    "promoter may promote, and that nothing moved meanwhile.",
    "adoption": "An adoption asks for no level: it records which version is live, with which files.",
}


def held_to(result: GateResult) -> str:
    """What the version is held to, after its name."""
    return result.kind if result.kind in _ASKED else f"level {result.level}"


def standing(result: GateResult) -> str:
    """The level that it reaches; on a way out what is asked instead."""
    if result.kind in _ASKED:
        return _ASKED[result.kind]
    return f"It reaches level {result.reached}." if result.reached else "It reaches no level."


def acted(result: GateResult) -> list[str]:
    """What was done beside judging, and why not more: the ticket of a broken glass, the alias, the tags, the attestation."""
    told = [f"glass broken under {result.ticket}: {result.reason}"] if result.ticket is not None else []
    told += result.done
    if result.attestation is not None:
        told.append(f"attestation {result.attestation} (SHA-256 {result.attestation_sha256 or 'not known'})")
    return told


def state(check: CheckResult) -> str:
    """The outcome of a check; one above the level is never told as more than what was seen."""
    return check.outcome.value if check.required else f"{check.outcome.value}, not required"


def against(check: CheckResult) -> list[str]:
    """What rules say against it, each once."""
    return list(dict.fromkeys(f"{one.rule}: {one.message}" for one in check.said if one.verdict in ("fail", "unknown")))


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
