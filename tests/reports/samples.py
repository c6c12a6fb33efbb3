"""Results to report on, as the judge makes them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from lakewarden.facts.collect import Skipped
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.judge.result import Finding, GapOutcome, Result, RuleOutcome, Verdict, Waiver
from lakewarden.reports.options import Options
from lakewarden.reports.registry import write
from lakewarden.rule import Confidence, Message, Profile, Rule, RuleDoc, Severity, Status

CATALOGS = Rule(
    code="ENV002",
    name="separate-catalogs",
    subject="target_catalogs",
    query="SELECT 1",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    profile=Profile.CORE,
    message="{target} shares catalog {catalog}",
)
SIGNATURE = Rule(
    code="TRK007",
    name="model-signature",
    subject="code_calls",
    query="SELECT 1",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    profile=Profile.RECOMMENDED,
    message={"ok": "no signature", "example": Message("no input example", Severity.NOTE)},
)
BINDINGS = Rule(
    code="ENV007",
    name="isolated-production-catalog",
    subject="catalogs",
    query="SELECT 1",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    profile=Profile.CORE,
    message="catalog {key}",
    status=Status.PREVIEW,
)
DOC = RuleDoc(
    title="Stages do not share a catalog",
    why="The catalog is the widest fence that Unity Catalog has. A second sentence.\n\nAnother paragraph.",
    fix="Give each stage a catalog of its own, as a variable:\n\n    variables:\n      catalog: dev\n\n- one\n- two",
    exceptions="A catalog that a stage only reads.",
    references=("https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow",),
)
YAML = ("targets:", "  dev:", "    variables:", "      catalog: main", "  prod:", "    variables:", "      catalog: main")


def finding(rule: Rule = CATALOGS, **changes: Any) -> Finding:
    made = Finding(
        rule=rule,
        verdict=Verdict.FAIL,
        severity=rule.severity,
        confidence=rule.confidence,
        plane="declared",
        project="churn",
        owner="team-churn",
        environment="production",
        target="prod",
        kind=rule.queries[0].subject,
        subject="churn/prod/main",
        condition="ok",
        message="prod shares catalog main with another stage: give each stage a catalog of its own",
        origin=Origin("databricks.yml", 7, 16, 7, 20),
        related=None,
        fingerprint="0123456789abcdef",
    )
    return replace(made, **changes)


def result(*findings: Finding, **changes: Any) -> Result:
    """A run with these findings; the counts of rules follow from them."""
    rules = {f.rule.code: f.rule for f in findings}
    outcomes = []
    for rule in rules.values():
        mine = [f.verdict for f in findings if f.rule is rule]
        failed, unknown, waived = (mine.count(v) for v in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED))
        outcomes.append(RuleOutcome(rule, rule.severity, len(mine) + 2, 2, failed, unknown, waived))
    made = Result(
        command="lint",
        version="1.2.3",
        root="/repository",
        profile=Profile.RECOMMENDED,
        findings=tuple(findings),
        rules=tuple(outcomes),
        gaps=(),
        skipped=(),
        files_read=12,
        incomplete=(),
        exit_code=0,
        fail_on=Severity.ERROR,
        fail_confidence=Confidence.HIGH,
        docs={"ENV002": DOC},
        lines={"databricks.yml": YAML},
    )
    fails = any(f.verdict is Verdict.FAIL and f.severity is Severity.ERROR and f.confidence is Confidence.HIGH for f in findings)
    return replace(made, **{"exit_code": int(fails), **changes})


def everything() -> Result:
    """One of each: failing, not failing, waived, unknown, gaps, skipped files, rules not asked, a crash, a note."""
    return result(
        finding(target="prod", related=Origin("databricks.yml", 4, 16)),
        finding(
            SIGNATURE,
            kind="code_calls",
            message="log_model without a signature",
            origin=Origin("notebooks/train.ipynb", cell=3),
            bundles=("churn", "fraud"),
        ),
        finding(
            SIGNATURE,
            condition="example",
            severity=Severity.NOTE,
            message="no input example",
            origin=Origin("src/train.py", 12, 5),
        ),
        finding(
            verdict=Verdict.WAIVED, waiver=Waiver("inline", "one workspace until Q3", "2027-03-31"), origin=Origin("b.yml", 3)
        ),
        finding(verdict=Verdict.WAIVED, waiver=Waiver("policy", "agreed", None, "ann", "OPS-1"), origin=None),
        finding(
            verdict=Verdict.UNKNOWN,
            message="cannot tell: variable `catalog` has no value",
            origin=Origin("a/databricks.yml", 9),
            gap=0,
        ),
        rules=(
            RuleOutcome(CATALOGS, Severity.ERROR, 6, 2, 1, 1, 2),
            RuleOutcome(SIGNATURE, Severity.WARNING, 4, 2, 2),
            RuleOutcome(BINDINGS, Severity.ERROR, skipped_reason="preview: select it by its code"),
            RuleOutcome(replace_code(CATALOGS, "ENV003"), Severity.ERROR, crashed="its query on targets is broken: no column x"),
        ),
        gaps=(
            GapOutcome(
                Gap(
                    Cause.UNRESOLVED,
                    "target_catalogs",
                    "variable `catalog` has no value",
                    "give it a default",
                    origin=Origin("a/databricks.yml", 9),
                ),
                {"ENV002": 1},
            ),
            GapOutcome(
                Gap(Cause.FAILED, "code_calls", "not valid JSON: Expecting value", "mend it", origin=Origin("bad.ipynb", 1)), {}
            ),
        ),
        skipped=(Skipped("mlruns/1/meta.yaml", "vendored", "a copy"), Skipped("x.tmpl", "template", "not rendered")),
        incomplete=("bad.ipynb: not valid JSON: Expecting value",),
        hidden=2,
        baselined=4,
        notes=("2 entries of the baseline match nothing",),
    )


def replace_code(rule: Rule, code: str) -> Rule:
    query = rule.queries[0]
    return Rule(
        code=code,
        name=f"{rule.name}-{code.lower()}",
        severity=rule.severity,
        confidence=rule.confidence,
        profile=rule.profile,
        subject=query.subject,
        query=query.query,
        message=query.message,
    )


def report(name: str, made: Result, **options: Any) -> str:
    out = io.StringIO()
    write(name, made, out, Options(**options))
    return out.getvalue()
