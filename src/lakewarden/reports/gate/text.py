"""The report of a gate for people: the chain as a short tree, a line for each check, and what would mend the others."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, TextIO

from lakewarden.gate.result import Outcome
from lakewarden.reports.escape import clean
from lakewarden.reports.gate.words import acted, against, held_to, standing, verdict
from lakewarden.reports.page import Line, Span, many, plain, show, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.gate.result import CheckResult, Evidence, GateResult
    from lakewarden.reports.options import Options

_STYLE = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.MISSING: "bold magenta", Outcome.WAIVED: "bold yellow"}
_HEADER = "Chain"
#: Below this width a check's text stands under its outcome, not beside it.
_NARROW = 60
#: What `--show` takes to print the facts below each check.
EVIDENCE = "evidence"


def write(result: GateResult, out: TextIO, options: Options) -> None:
    """Write the report."""
    name = f"{result.model} version {result.number}" if result.number is not None else result.asked
    lines = [*wrap(clean(f"{name} to {result.stage}, {held_to(result)}"), options.width, style="bold"), plain()]
    for why in result.gaps if result.number is None else ():
        lines += wrap(clean(why), options.width, style="bold magenta")
    lines += [*_chain(result, options), plain()]
    told: dict[str, str] = {}
    for check in result.checks:
        lines += _check(check, options, told)
    lines.append(plain())
    lines += wrap(f"{standing(result)} {many(result.requests, 'request')}; digest {result.digest or 'not known'}.", options.width)
    for line in acted(result):
        lines += wrap(clean(f"{line[:1].upper()}{line[1:]}."), options.width)
    style = "bold green" if result.passed else "bold red"
    lines += wrap(clean(f"Verdict: {verdict(result)}."), options.width, style=style)
    show(lines, out, options)


def _chain(result: GateResult, options: Options) -> Iterator[Line]:
    yield plain(_HEADER, "bold")
    step = "   " if options.width >= _NARROW else " "
    for depth, link in enumerate(result.chain):
        branch = "  " if depth == 0 else "  " + step * (depth - 1) + "└─ "
        value = clean(link.value) if link.value is not None else "not known"
        room = max(12, options.width - len(branch) - len(link.kind) - 1)
        shown = value if len(value) <= room else "..." + value[3 - room :]
        yield (Span(f"{branch}{link.kind} ", "dim"), Span(shown, "" if link.value is not None else "bold magenta", link.source))


def _check(check: CheckResult, options: Options, told: dict[str, str]) -> Iterator[Line]:
    indent = " " * (12 if options.width >= _NARROW else 4)
    style = _STYLE[check.outcome] if check.required else "dim"
    title = f"{check.title}{'' if check.required else ' (not required)'}"
    head = (Span(f"{check.code:<4}"), Span(f"{check.outcome.value:<8}", style))
    first, *more = textwrap.wrap(title, options.width - 12, break_long_words=False, break_on_hyphens=False)
    tone = "" if check.required else "dim"
    yield (*head, Span(first, tone))
    yield from (plain(" " * 12 + line, tone) for line in more)
    if check.waiver is not None and check.required:
        until = f" until {check.waiver.until}" if check.waiver.until else ""
        yield from wrap(clean(f"waived{until}: {check.waiver.reason}"), options.width, indent)
    if check.required and check.outcome not in (Outcome.PASS, Outcome.WAIVED):
        yield from _reasons(check, options, indent, told)
    if EVIDENCE in options.show:
        for one in check.evidence:
            yield from wrap(clean(_fact(one)), options.width, (indent, f"{indent}  "), style="dim")


def _reasons(check: CheckResult, options: Options, indent: str, told: dict[str, str]) -> Iterator[Line]:
    """What stands against a check; what stood against one before is not told twice."""
    messages = [one.message for one in check.said if one.verdict in ("fail", "unknown")]
    before = [told.setdefault(message, check.code) for message in messages]
    if before and check.code not in before:
        yield from wrap(f"for the same reason as {before[0]}", options.width, indent)
        return
    for text in against(check):
        yield from wrap(clean(text), options.width, indent)
    if check.remedy:
        yield from wrap(clean(check.remedy), options.width, (f"{indent[:-3]}-> ", indent), style="cyan")


def _fact(one: Evidence) -> str:
    value = "not known" if one.value is None else one.value
    more = [text for text in (one.rung, one.source and f"from {one.source}", one.time and f"at {one.time}") if text]
    return f"{one.what} = {value}" + (f" ({', '.join(more)})" if more else "")
