"""The gate's report for programs, `gate-v1`: what its fields mean is in `gate-v1.schema.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from lakewarden.reports.dump import dump
from lakewarden.reports.escape import clean
from lakewarden.reports.gate.words import verdict

if TYPE_CHECKING:
    from lakewarden.gate.result import CheckResult, Evidence, GateResult, Link, Said
    from lakewarden.judge.result import Waiver
    from lakewarden.reports.options import Options

VERSION = "gate-v1"


def write(result: GateResult, out: TextIO, _: Options) -> None:
    """Write the report."""
    dump(document(result), out, levels=3)


def document(result: GateResult) -> dict[str, Any]:
    """The report as JSON values. The rows that were read are in the evidence of an attestation, not here."""
    return {
        "version": VERSION,
        "tool": {"name": "lakewarden", "version": result.version},
        "kind": result.kind,
        "verdict": {
            "passed": result.passed,
            "exit_code": result.exit_code,
            "sentence": clean(verdict(result)),
            "level": result.level,
            "reached": result.reached,
            "first_promotion": result.first_promotion,
        },
        "request": {
            "asked": clean(result.asked),
            "stage": clean(result.stage),
            "environment": _text(result.environment),
            "place": clean(result.place),
        },
        "subject": {
            "registry": result.registry,
            "model": clean(result.model),
            "version": _text(result.number),
            "uri": _text(result.uri),
            "sha256": _text(result.digest),
            "project": _text(result.project),
        },
        "policy": {"path": _text(result.policy_path), "sha256": _text(result.policy_digest)},
        "chain": [_link(link) for link in result.chain],
        "checks": [_check(check) for check in result.checks],
        "acted": {
            "done": [clean(line) for line in result.done],
            "attestation": _attestation(result),
            "ticket": _text(result.ticket),
            "reason": _text(result.reason),
        },
        "gaps": [clean(gap) for gap in result.gaps],
        "requests": result.requests,
        "begun": clean(result.begun),
        "finished": clean(result.finished),
    }


def _attestation(result: GateResult) -> dict[str, Any] | None:
    if result.attestation is None:
        return None
    return {"path": clean(result.attestation), "sha256": _text(result.attestation_sha256)}


def _link(link: Link) -> dict[str, Any]:
    return {"kind": link.kind, "value": _text(link.value), "source": _text(link.source or None)}


def _check(check: CheckResult) -> dict[str, Any]:
    return {
        "code": check.code,
        "name": check.name,
        "title": check.title,
        "level": check.level,
        "required": check.required,
        "outcome": check.outcome.value,
        "remedy": _text(check.remedy or None),
        "waiver": _waiver(check.waiver),
        "said": [_said(one) for one in check.said],
        "evidence": [evidence(one) for one in check.evidence],
    }


def _said(said: Said) -> dict[str, Any]:
    return {
        "rule": said.rule,
        "name": said.name,
        "revision": said.revision,
        "verdict": said.verdict.replace(" ", "_"),
        "facts": said.kind,
        "subject": clean(said.subject),
        "message": _text(said.message or None),
        "reason": _text(said.reason or None),
        "remedy": _text(said.remedy or None),
    }


def evidence(one: Evidence) -> dict[str, Any]:
    """One fact that a check stands on."""
    return {
        "what": clean(one.what),
        "value": _text(one.value),
        "source": _text(one.source or None),
        "time": _text(one.time),
        "rung": _text(one.rung),
    }


def _waiver(waiver: Waiver | None) -> dict[str, Any] | None:
    if waiver is None:
        return None
    return {
        "reason": clean(waiver.reason),
        "until": _text(waiver.until),
        "owner": _text(waiver.owner),
        "ticket": _text(waiver.ticket),
    }


def _text(value: str | None) -> str | None:
    return None if value is None else clean(value)
