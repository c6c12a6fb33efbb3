"""Results of gates to report on."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from lakewarden.gate.checks import CHECKS, reached
from lakewarden.gate.decide import exit_code
from lakewarden.gate.result import CheckResult, Evidence, GateResult, Level, Link, Outcome, Said
from lakewarden.judge.result import Waiver
from lakewarden.reports.gate import write
from lakewarden.reports.options import Options

DIGEST = "4f3c2d1e" * 8
WAIVER = Waiver("policy", "agreed until the job records it", "2026-12-31", "ann", "OPS-1")
_VERDICTS = {Outcome.PASS: "pass", Outcome.FAIL: "fail", Outcome.MISSING: "unknown", Outcome.WAIVED: "unknown"}


def check(number: int, outcome: Outcome, *, required: bool = True, text: str = "of run r-1") -> CheckResult:
    one = CHECKS[number - 1]
    verdict = _VERDICTS[outcome]
    bad = verdict != "pass"
    unknown = verdict == "unknown"
    said = Said(
        one.rules[0],
        "a-rule",
        1,
        verdict,
        "runs",
        text,
        f"{'cannot tell: ' if unknown else ''}something is wrong {text}" if bad else "",
        f"nobody recorded it {text}" if unknown else "",
        f"record it {text}" if unknown else "",
    )
    evidence = (
        Evidence("run_commit.commit", f"abc {text}", f"https://host/{text}", "2026-01-01T00:00:00Z", "run-tags"),
        Evidence("run_commit.dirty", None),
    )
    return CheckResult(
        number,
        one.name,
        one.title,
        one.level,
        required,
        outcome,
        (said,),
        evidence,
        f"record it {text}" if unknown else "",
        replace(WAIVER, reason=f"agreed {text}") if outcome is Outcome.WAIVED else None,
    )


def result(
    level: Level = "lineage", text: str = "of run r-1", /, *, model: str = "prod.ml.churn", **outcomes: Outcome
) -> GateResult:
    """A gate of a level; `C7=Outcome.FAIL` says what is not a pass."""
    levels = ("identity", "lineage", "validated", "approved")
    checks = tuple(
        check(
            one.number,
            outcomes.get(f"C{one.number}", Outcome.PASS),
            required=levels.index(one.level) <= levels.index(level),
            text=text,
        )
        for one in CHECKS
    )
    return GateResult(
        version="1.2.3",
        kind="promotion",
        asked=f"models:/{model}@challenger",
        registry="unity_catalog",
        model=model,
        number="7",
        uri=f"databricks-uc://meta/{model}/versions/7",
        digest=DIGEST,
        stage="production",
        environment="production",
        place="ci",
        level=level,
        reached=reached(one.number for one in checks if one.outcome in (Outcome.PASS, Outcome.WAIVED)),
        project="churn",
        policy_path="lakewarden.toml",
        policy_digest=DIGEST,
        checks=checks,
        chain=(Link("alias", "@challenger"), Link("version", f"meta/{model}/7", "https://host/v"), Link("run", None)),
        exit_code=exit_code(checks),
        begun="2026-01-01T00:00:00Z",
        finished="2026-01-01T00:00:02Z",
        requests=12,
        gaps=tuple(said.reason for one in checks for said in one.said if said.reason),
    )


PASSED = result()
MIXED = result(C6=Outcome.MISSING, C7=Outcome.FAIL, C10=Outcome.WAIVED, C14=Outcome.FAIL)
INCOMPLETE = result(C6=Outcome.MISSING)
WAIVED = result(C10=Outcome.WAIVED)
NOTHING = replace(
    result(**{f"C{n}": Outcome.MISSING for n in range(1, 21)}),
    exit_code=4, number=None, uri=None, digest=None, reached=None, chain=(), policy_path=None, policy_digest=None, project=None,
    environment=None,
    checks=tuple(replace(check(n, Outcome.MISSING), said=(), evidence=()) for n in range(1, 21)),
)  # fmt: skip
ALL = (PASSED, MIXED, INCOMPLETE, WAIVED, NOTHING)


def report(name: str, made: GateResult, **options: Any) -> str:
    out = io.StringIO()
    write(name, made, out, Options(**options))
    return out.getvalue()
