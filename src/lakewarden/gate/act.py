"""What a gate does with its decision: store it, then move the alias, then tag the version; nothing that was not asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import ExitCode, SigningError, SourceError, UsageError
from lakewarden.gate.attestation.statement import refuse_unattestable
from lakewarden.gate.attestation.store import store
from lakewarden.gate.attested import tags_of
from lakewarden.gate.checks import UNBREAKABLE
from lakewarden.gate.result import Outcome
from lakewarden.gate.run import judge, recorded
from lakewarden.sources.platform.gate import alias as registry
from lakewarden.sources.platform.gate.promoter import has_role

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.gate.attestation.sign import Sealer
    from lakewarden.gate.attestation.store import Stored
    from lakewarden.gate.result import GateResult
    from lakewarden.gate.run import Docket


class Orders(NamedTuple):
    """What is to be done: where attestations are stored, who signs them, the alias to be moved, and whether to tag."""

    folder: Path
    sealer: Sealer
    alias: str | None = None
    tag: bool = False


class _Kept(NamedTuple):
    stored: Stored | None
    why: str = ""
    remedy: str = ""


def carry_out(docket: Docket, orders: Orders) -> GateResult:
    """Judge, store, and act where the result allows it. The result tells what was done, and why not more."""
    docket, result, told = _glass(docket, judge(docket))
    may = result.exit_code == ExitCode.CLEAN or result.kind == "break-glass"
    kept = _keep(docket, result, orders)
    if kept.stored is None:
        told += (f"@{orders.alias} was not moved: the decision was not recorded",) if orders.alias is not None else ()
        return replace(recorded(docket, result, stored=None, reason=kept.why, remedy=kept.remedy), done=told)
    if orders.alias is None or not may:
        told += (f"@{orders.alias} was not moved",) if orders.alias is not None else ()
        return _tagged(docket, recorded(docket, result, stored=True), orders, kept.stored, told)
    moved = _move(docket, result, orders.alias)
    if moved.done:
        before = "from nothing" if moved.before == "none" else f"from version {moved.before}"
        told += (f"@{orders.alias} was moved {before} to version {moved.stands}",)
        return _tagged(docket, recorded(docket, result, stored=True), orders, kept.stored, told)
    told += (f"@{orders.alias} was not moved: {moved.why}",)
    if moved.changed:
        return _superseded(docket, orders, told)
    differs = "read back" in moved.why
    last = recorded(docket, result, stored=False if differs else None, reason=moved.why, remedy=moved.remedy)
    # Whatever the check says: what was asked for is not done, and the verdict on the version is another question.
    return replace(_stored(last, kept.stored), done=told, exit_code=int(ExitCode.INCOMPLETE))


def _move(docket: Docket, result: GateResult, alias: str) -> registry.Moved:
    if docket.read.home is None or result.number is None:
        return registry.Moved(False, None, None, "the registry did not answer", "run again")
    return registry.move(docket.read.home, docket.request, alias, result.number)


def _glass(docket: Docket, result: GateResult) -> tuple[Docket, GateResult, tuple[str, ...]]:
    """Whether the glass is broken: not where every check passes, the bytes are not known, or the policy does not name who asks."""
    if docket.kind != "break-glass":
        return docket, result, ()
    why = _why_not(docket, result)
    if not why:
        said = f"the glass is broken for {docket.ticket}: the version goes live against its checks, until a whole gate passes it"
        return docket, result, (said,)
    docket = docket._replace(kind="promotion", ticket=None, reason=None)
    return docket, judge(docket), (f"the glass was not broken: {why}",)


def _why_not(docket: Docket, result: GateResult) -> str:
    if result.exit_code == ExitCode.CLEAN:
        return "every check that is required passes"
    bad = [check.code for check in result.checks if check.number in UNBREAKABLE and check.outcome is not Outcome.PASS]
    if bad:
        return f"{', '.join(bad)} does not pass, and a version whose bytes are not known is promoted by nobody"
    try:
        if docket.read.home is None or not has_role(docket.read.home, "break_glass"):
            return "the policy does not name who runs the gate under identities.break_glass"
    except SourceError as problem:
        return f"nobody says who runs the gate: {problem.reason}"
    return ""


def _keep(docket: Docket, result: GateResult, orders: Orders) -> _Kept:
    try:
        refuse_unattestable(result)
    except UsageError as problem:
        return _Kept(None, problem.message, problem.advice)
    try:
        return _Kept(store(result, orders.folder, orders.sealer, docket.read.secrets))
    except SigningError as problem:
        return _Kept(None, problem.message, problem.advice)


def _superseded(docket: Docket, orders: Orders, told: tuple[str, ...]) -> GateResult:
    """What changed between the last question and the alias: the decision is made and stored again, and is a refusal."""
    for row in docket.read.facts.rows["rereads"]:
        row.unchanged = False  # type: ignore[attr-defined]  # a column
    result = judge(docket)
    kept = _keep(docket, result, orders)
    stored = None if kept.stored is None else True
    last = recorded(docket, result, stored=stored, reason=kept.why or "nothing was recorded", remedy=kept.remedy)
    return replace(last if kept.stored is None else _stored(last, kept.stored), done=told)


def _stored(result: GateResult, stored: Stored) -> GateResult:
    return replace(result, attestation=str(stored.paths["vsa"]), attestation_sha256=stored.digests["vsa"])


def _tagged(docket: Docket, result: GateResult, orders: Orders, stored: Stored, told: tuple[str, ...]) -> GateResult:
    """Tag the version, if that was asked for."""
    result = replace(_stored(result, stored), done=told)
    home = docket.read.home
    if not orders.tag or home is None or result.number is None:
        return result
    tags = tags_of(result, stored.paths["vsa"], stored.digests["vsa"])
    try:
        registry.tag(home, docket.request, result.number, tags)
    except SourceError as problem:
        done = (*told, f"the version was not tagged: {problem.reason}")
        code = result.exit_code or int(ExitCode.INCOMPLETE)
        return replace(result, done=done, exit_code=code)
    return replace(result, done=(*told, f"the version was tagged: {', '.join(sorted(tags))}"))
