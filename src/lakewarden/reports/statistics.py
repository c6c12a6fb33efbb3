"""How often each rule is violated, instead of the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from lakewarden.reports.dump import dump
from lakewarden.reports.outcome import one_line
from lakewarden.reports.page import SEVERITY_STYLE, Line, Span, plain, show, wrap

if TYPE_CHECKING:
    from lakewarden.judge.result import Result, RuleOutcome
    from lakewarden.reports.options import Options

#: The formats that counts can be written in.
FORMATS = ("text", "json")


def write(result: Result, out: TextIO, options: Options, form: str) -> None:
    """Write the rules that have a verdict other than a pass, the most violated first. Nothing is left out: what is not shown among
    the findings is counted too.
    """
    told = sorted(
        (one for one in result.rules if one.failed or one.unknown or one.waived),
        key=lambda one: (-one.failed, -one.unknown, -one.waived, one.rule.code),
    )
    if form == "json":
        dump([_counts(one) for one in told], out, levels=1)
        return
    lines: list[Line] = []
    if told:
        lines.append(plain(f"{'fail':>7}{'unknown':>9}{'waived':>8}  rule", "dim"))
        for one in told:
            numbers = f"{one.failed:>7,}{one.unknown:>9,}{one.waived:>8,}  "
            style = SEVERITY_STYLE[one.severity.value] if one.failed else ""
            lines.append((Span(numbers), Span(one.rule.code, style), Span(f" {one.rule.name}")))
        lines.append(plain())
    text = one_line(result)
    show([*lines, *wrap(f"{text[0].upper()}{text[1:]}.", options.width, style="bold")], out, options)


def _counts(one: RuleOutcome) -> dict[str, object]:
    return {
        "code": one.rule.code,
        "name": one.rule.name,
        "severity": one.severity.value,
        "fail": one.failed,
        "unknown": one.unknown,
        "waived": one.waived,
        "pass": one.passed,
    }
