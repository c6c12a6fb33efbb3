"""in-toto statements about one version: the properties that it has (SVR), and the decision with what it rests on (SLSA VSA)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.errors import UsageError
from lakewarden.gate.attestation.bundle import shown_path
from lakewarden.gate.result import LEVELS, Outcome
from lakewarden.gate.unsaid import credentials
from lakewarden.sources.platform.wire.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.gate.result import CheckResult, GateResult

STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD = "application/vnd.in-toto+json"
SVR = "https://in-toto.io/attestation/svr/v0.2"
VSA = "https://slsa.dev/verification_summary/v1"
SLSA_VERSION = "1.2"
#: Who verifies. It changes when the same properties come to mean something else.
VERIFIER = "urn:lakewarden:gate:v1"

PASSED, FAILED = "PASSED", "FAILED"
ROLLBACK, ADOPTION = "LAKEWARDEN_ROLLBACK", "LAKEWARDEN_ADOPTION"
BREAK_GLASS, FIRST = "LAKEWARDEN_BREAK_GLASS", "LAKEWARDEN_FIRST_PROMOTION"
LEVEL_PROPERTIES = {level: f"LAKEWARDEN_GATE_{level.upper()}" for level in LEVELS}
_KINDS = {"rollback": ROLLBACK, "adoption": ADOPTION}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST = 4_000
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
#: Checks that no waiver covers: a version whose bytes or commit cannot be named is not decided about.
UNWAIVABLE = frozenset({2, 5, 7})
#: The check that the statement is stored.
RECORDED = 20


def refuse_unattestable(result: GateResult) -> None:
    """Raise a UsageError where there is nothing that a statement could be about."""
    what = f"{result.asked} cannot be attested"
    if result.kind == "report":
        raise UsageError(f"{what}: --report-only decides nothing", "run the gate without it")
    if result.uri is None or result.number is None:
        raise UsageError(f"{what}: the version that it names was not found", "see check C2 for what is missing")
    if result.digest is None or not _SHA256.fullmatch(result.digest):
        raise UsageError(
            f"{what}: the SHA-256 of its files is not known, so nothing says which bytes it would be about",
            "see checks C2 and C5 for what could not be read",
        )
    if result.policy_digest is None or not _SHA256.fullmatch(result.policy_digest):
        raise UsageError(f"{what}: there is no policy file that it was judged by", "name one with --policy")


def passed(result: GateResult) -> bool:
    """Is the decision a yes? An exit code of 0 is not believed where a check of the level says something else.

    C20 asks whether this very statement is stored: until it is, it cannot pass, and the exit code leaves it out.
    """
    good = (Outcome.PASS, Outcome.WAIVED)
    required = [check for check in result.checks if check.required and check.number != RECORDED]
    waived = {check.number for check in required if check.outcome is Outcome.WAIVED}
    return (
        result.passed
        and result.kind != "break-glass"
        and bool(required)
        and all(check.outcome in good for check in required)
        and not waived & UNWAIVABLE
    )


def svr(result: GateResult, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The simple verification result: what passed, and no word of what did not or was not demanded."""
    refuse_unattestable(result)
    properties = [named for check in result.checks if (named := _property(check)) is not None]
    if result.kind == "break-glass":
        properties.append(BREAK_GLASS)
        told = {"TICKET": result.ticket, "REASON": result.reason}
        properties += [f"{BREAK_GLASS}_{name}={value}" for name, value in told.items() if value is not None]
        known = credentials(secrets)
        properties = [redact(one, known, opaque=False, longest=_LONGEST) for one in properties]
    if passed(result):
        properties += _decided(result)
    predicate = {
        "verifier": {"id": VERIFIER, "policies": [_policy(result)]},
        "timeCreated": result.finished,
        "properties": properties,
    }
    return _statement(result, SVR, predicate)


def vsa(result: GateResult, evidence_name: str, evidence_sha256: str) -> dict[str, Any]:
    """The verification summary: passed or failed, by which policy, from which evidence."""
    refuse_unattestable(result)
    good = passed(result)
    waived = [named for check in result.checks if check.outcome is Outcome.WAIVED and (named := _property(check))]
    predicate = {
        "verifier": {"id": VERIFIER, "version": {"lakewarden": result.version}},
        "timeVerified": result.finished,
        "resourceUri": result.uri,
        "policy": _policy(result),
        "inputAttestations": [
            {"uri": quote(name), "digest": {"sha256": sha256}}
            for name, sha256 in ((evidence_name, evidence_sha256), *((str(shown_path(name)), one) for name, one in result.inputs))
        ],
        "verificationResult": PASSED if good else FAILED,
        "verifiedLevels": [*_decided(result), *waived] if good else [FAILED],
        "slsaVersion": SLSA_VERSION,
    }
    return _statement(result, VSA, predicate)


def _decided(result: GateResult) -> list[str]:
    """What a yes stands for. A rollback and an adoption ask less than any level: they are told as what they are."""
    decided = [_KINDS.get(result.kind) or LEVEL_PROPERTIES[result.level]]
    return [*decided, FIRST] if result.first_promotion else decided


def _property(check: CheckResult) -> str | None:
    if not check.required or check.number == RECORDED:
        return None
    if check.outcome is Outcome.WAIVED:
        return f"LAKEWARDEN_C{check.number:02}_WAIVED"
    if check.outcome is Outcome.PASS and _NAME.fullmatch(check.name) and check.name != "WAIVED":
        return f"LAKEWARDEN_C{check.number:02}_{check.name}"
    return None


def _policy(result: GateResult) -> dict[str, Any]:
    return {"uri": quote(shown_path(result.policy_path) or "policy"), "digest": {"sha256": result.policy_digest}}


def _statement(result: GateResult, kind: str, predicate: dict[str, Any]) -> dict[str, Any]:
    return {
        "_type": STATEMENT,
        "subject": [{"name": result.uri, "digest": {"sha256": result.digest}}],
        "predicateType": kind,
        "predicate": predicate,
    }
