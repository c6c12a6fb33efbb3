"""One gate: what was read is made ready, asked and decided; the result holds all of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden import __version__
from lakewarden.errors import ExitCode, SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.gate import Decision
from lakewarden.gate import asking
from lakewarden.gate.attested import uri_of
from lakewarden.gate.chain import chain_of, links
from lakewarden.gate.checks import all_rules, core_rules, reached
from lakewarden.gate.closure import ask_closure
from lakewarden.gate.decide import Court, decide, exit_code
from lakewarden.gate.original import Original, with_original
from lakewarden.gate.result import GateResult, Level, Outcome
from lakewarden.gate.stored import StoredAudit
from lakewarden.judge.catalogue import load_rules
from lakewarden.policy.attribute import project_of_model

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.store import Prepared
    from lakewarden.gate.result import CheckResult, Kind
    from lakewarden.policy.model import Policy
    from lakewarden.rule import Rule
    from lakewarden.sources.platform.gate.read import Read
    from lakewarden.sources.platform.gate.request import Request

#: Gaps behind which a version may be.
_HIDE = frozenset({Cause.REFUSED, Cause.TRUNCATED, Cause.UNREACHABLE, Cause.FAILED})
#: The last check is decided once the decision is recorded.
RECORDED = 20


class Docket(NamedTuple):
    """What a gate was asked, under which policy, and what was read for it. `begun` and `finished` are ISO times in UTC."""

    request: Request
    policy: Policy
    level: Level
    kind: Kind
    read: Read
    place: str
    environment: str | None
    today: dt.date
    begun: str
    finished: str
    ticket: str | None = None
    reason: str | None = None
    stored: StoredAudit = StoredAudit()
    original: Original | None = None


def rules(kind: Kind = "promotion") -> list[Rule]:
    """The rules that a gate of this kind asks, with those of their queries that can be about a version."""
    return asking.narrowed(all_rules(load_rules(), kind))


def judge(docket: Docket) -> GateResult:
    """Judge what was read. The last check waits for `recorded`: until then it is missing, and the exit code leaves it out."""
    asked_rules = rules(docket.kind)
    asked = asking.make_ready(docket.read.facts, docket.read.filled, docket.policy, asked_rules)
    chain = chain_of(asked.prepared.rows)
    catalogue = load_rules()
    core = core_rules(catalogue)
    said = dict(asking.ask(asked, [rule for rule in asked_rules if rule.code not in core], chain))
    of_core = [rule for rule in asked_rules if rule.code in core]
    closure = ask_closure(asked, docket.read.facts, of_core, chain, docket.stored, docket.policy)
    said.update(closure.said)
    audits = docket.stored.evidence
    court = Court(said, asked.prepared, chain, docket.policy, catalogue, docket.environment, docket.today, audits)
    checks = decide(court, docket.level, docket.kind)
    original = docket.original
    judged = None if original is None or original.docket is None else judge(original.docket)
    if original is not None:
        checks = with_original(checks, original, judged)
    version = next(iter(chain.get("candidates", ())), None)
    unseen = _unseen(docket, version)
    row: dict[str, Any] = next((r for r in asked.prepared.rows["artifacts"] if r["key"] == version), {})
    digest = row.get("digest")
    request, policy = docket.request, docket.policy
    rows = [(table, _shown(asked.prepared, table, keys)) for table, keys in sorted(chain.items())]
    rows += [(table, _shown(read.prepared, table, keys)) for table, read, keys in closure.rows]
    return GateResult(
        version=__version__,
        kind=docket.kind,
        asked=request.asked,
        registry=request.registry,
        model=request.name,
        number=None if version is None else version.rpartition("/")[2],
        uri=None if version is None else uri_of(version),
        digest=None if digest in (None, "none") else str(digest),
        stage=request.stage,
        environment=docket.environment,
        place=docket.place,
        level=docket.level,
        reached=reached(check.number for check in checks if _holds(check)),
        project=project_of_model(policy, request.name).project,
        policy_path=policy.path,
        policy_digest=policy_digest(policy),
        checks=checks,
        chain=links(asked.prepared.rows, chain, asked.prepared.origins, request.alias),
        exit_code=_code([check for check in checks if check.number != RECORDED], unseen),
        begun=docket.begun,
        finished=docket.finished,
        requests=sum(docket.read.requests.values()) + (0 if judged is None else judged.requests),
        gaps=tuple(
            dict.fromkeys(
                (*unseen, *docket.stored.refused, *(said.reason for check in checks for said in check.said if said.reason))
            )
        ),
        rows=(*((table, row) for table, of_table in rows for row in of_table), *(() if judged is None else judged.rows)),
        first_promotion=_is_first(docket.read.facts),
        ticket=docket.ticket,
        reason=docket.reason,
        inputs=(*docket.stored.inputs, *docket.read.inputs, *(() if judged is None else judged.inputs)),
    )


def _is_first(facts: Facts) -> bool:
    """Is no version live yet, neither by an alias nor, in a registry that has stages, by its stage?"""
    return any(row.__dict__.get("live_version") == "none" for row in facts.rows["version_comparisons"])


def recorded(
    docket: Docket, result: GateResult, *, stored: bool | None, reason: str = "nothing was recorded yet", remedy: str = ""
) -> GateResult:
    """The result once the decision was recorded, or not: the last check is asked of the rules too, and then counts. `reason` and
    `remedy` tell why nobody knows whether it is.
    """
    facts = docket.read.facts
    for candidate in facts.rows["candidates"]:
        with facts.listing("decisions", plane=candidate.plane, of=candidate.key):
            if stored is None:
                raise SourceError(Cause.FAILED.value, reason, remedy or "let the gate write its attestation")
            facts.add(Decision(key=candidate.key, plane=candidate.plane, recorded=stored))
    again = judge(docket)
    last = again.checks[-1]
    checks = (*result.checks[:-1], last)
    passed = (check.number for check in checks if _holds(check))
    return replace(result, checks=checks, exit_code=_code(checks, _unseen(docket, result.number)), reached=reached(passed))


def _unseen(docket: Docket, version: str | None) -> list[str]:
    """Why no version was found, where something did not answer or was refused; nothing once one was found."""
    if version is not None:
        return []
    gaps = docket.read.facts.gaps
    return list(dict.fromkeys(gap.reason for gap in gaps if gap.cause in _HIDE and not gap.value))


def _code(checks: Sequence[CheckResult], unseen: Sequence[str]) -> int:
    """The exit code: that there is nothing to check is only said where somebody could look."""
    code = exit_code(checks)
    return int(ExitCode.INCOMPLETE) if unseen and code == ExitCode.NOTHING_CHECKED else code


def _holds(check: CheckResult) -> bool:
    """Does it hold? The last one is not decided yet while nothing is recorded."""
    return check.outcome in (Outcome.PASS, Outcome.WAIVED) or check.number == RECORDED


def policy_digest(policy: Policy) -> str | None:
    """SHA-256 over the files of the policy, nearest first; None where there is none."""
    if policy.path is None:
        return None
    digest = hashlib.sha256()
    for file in policy.files or (policy.path,):
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def _shown(prepared: Prepared, table: str, keys: Iterable[str]) -> list[dict[str, object]]:
    """The rows of the chain as they were judged, each with where it was read."""
    wanted = set(keys)
    return [
        {**row, "origin": None if row["origin"] is None else prepared.origins[row["origin"]], "gap": row["gap"] is not None}
        for row in prepared.rows.get(table, ())
        if row["key"] in wanted and row["plane"] != "declared"
    ]
